"""Roles, and servers and proxies that treat one of the two upgrades badly: the other one carries it."""

from __future__ import annotations

import base64
import json
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import podapp, podclient
from tests.support.gate import Gate, Refusal, drop_spdy, refuse_websocket, swallow
from tests.support.running import Forward
from tests.support.world import Json, World, port, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]
P = podapp.BASE
FALL_BACK = 3.0
"""Seconds after which a carrier that passes nothing is given up: promised."""


@pytest.fixture(scope="module")
def raw(app: World) -> Json:
    """The kubeconfig, whole."""
    found: Json = json.loads(app.kubectl("config", "view", "--minify", "--raw", "--flatten", "-o", "json"))
    return found


@pytest.fixture(scope="module")
def server(raw: Json) -> str:
    url: str = raw["clusters"][0]["cluster"]["server"]
    return url


@pytest.fixture(scope="module")
def trust(raw: Json) -> ssl.SSLContext:
    """Trusts the server as the kubeconfig does, without any user."""
    context = ssl.create_default_context()
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    authority = raw["clusters"][0]["cluster"].get("certificate-authority-data")
    if authority:
        context.load_verify_locations(cadata=base64.b64decode(authority).decode())
    return context


VIEW = {"apiGroups": [""], "resources": ["pods", "services"], "verbs": ["get", "list", "watch"]}
SLICES = {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]}


def token(world: World, name: str, *rules: Json) -> str:
    """The token of a new service account that may do only this."""
    meta = {"metadata": {"name": name}}
    group = "rbac.authorization.k8s.io"
    world.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", **meta},
        {"apiVersion": f"{group}/v1", "kind": "Role", **meta, "rules": list(rules)},
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            **meta,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": world.namespace}],
        },
    )
    return world.kubectl("create", "token", name, "--duration=1h").strip()


def may_forward(*verbs: str) -> Json:
    return {"apiGroups": [""], "resources": ["pods/portforward"], "verbs": list(verbs)}


def kubeconfig(path: Path, url: str, namespace: str, authority: str = "", bearer: str = "") -> list[str]:
    """Write one; the options that use it, with caches of its own."""
    cluster: dict[str, Any] = {"server": url}
    if authority:
        cluster["certificate-authority-data"] = authority
    path.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "c",
                "clusters": [{"name": "c", "cluster": cluster}],
                "users": [{"name": "c", "user": {"token": bearer} if bearer else {}}],
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c", "namespace": namespace}}],
            }
        )
    )
    return [f"--kubeconfig={path}"]


@pytest.fixture
def caches(tmp_path: Path) -> dict[str, str]:
    """An environment in which no earlier run is remembered."""
    return {"XDG_CACHE_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path)}


@pytest.fixture(scope="module")
def both(app: World) -> str:
    """Who may do all that forward needs."""
    return token(app, "both", VIEW, SLICES, may_forward("get", "create"))


@pytest.mark.parametrize(
    "refuse",
    [refuse_websocket, drop_spdy, swallow("spdy"), swallow("websocket")],
    ids=["websocket refused", "spdy dropped", "spdy swallowed", "websocket swallowed"],
)
def test_one_way_is_closed(
    refuse: Refusal,
    app: World,
    both: str,
    server: str,
    trust: ssl.SSLContext,
    tmp_path: Path,
    caches: dict[str, str],
) -> None:
    """Whichever way comes first, the other one carries it, 3 s later at most where nothing says no."""
    with Gate(server, trust, both, refuse=refuse) as gate:
        words = kubeconfig(tmp_path / "config", gate.url, app.namespace)
        with Forward([*words, "pod/app", f":{P}", f":{P + podapp.SOURCE}"], env=caches) as running:
            podclient.run(podclient.echo(running.port(P), 100_000))
            podclient.run(podclient.download(running.port(P + podapp.SOURCE), 3_000_000))
            assert running.told("connection-failed") == []
        used = gate.upgrades[-1]
        seen = len(gate.upgrades)
        began = time.monotonic()
        with Forward([*words, "pod/app", f":{P}"], env=caches) as running:
            podclient.run(podclient.echo(running.port(P)))
        # What worked is remembered: the second run does not even try the other way.
        assert set(gate.upgrades[seen:]) == {used}
        assert time.monotonic() - began < 10


@pytest.mark.parametrize("kind", ["spdy", "websocket"])
def test_what_is_remembered_is_forgotten_when_it_fails(
    kind: str, app: World, both: str, server: str, trust: ssl.SSLContext, tmp_path: Path, caches: dict[str, str]
) -> None:
    """A proxy that begins to swallow the way that worked: the other is found within 3 s of the upgrade."""
    other = "websocket" if kind == "spdy" else "spdy"
    with Gate(server, trust, both, refuse=swallow(other)) as gate:
        words = kubeconfig(tmp_path / "config", gate.url, app.namespace)
        with Forward([*words, "pod/app", f":{P}"], env=caches) as running:
            podclient.run(podclient.echo(running.port(P)))
        gate.refuse = swallow(kind)
        with Forward([*words, "pod/app", f":{P}"], env=caches) as running:
            podclient.run(podclient.echo(running.port(P)))
        assert gate.upgrades[-1].lower().startswith(other)


def test_a_swallowed_upgrade_falls_back_in_time(
    app: World, both: str, server: str, trust: ssl.SSLContext, tmp_path: Path, caches: dict[str, str]
) -> None:
    with Gate(server, trust, both) as gate:
        words = kubeconfig(tmp_path / "config", gate.url, app.namespace)
        began = time.monotonic()
        with Forward([*words, "pod/app", f":{P}"], env={**caches, "XDG_CACHE_HOME": str(tmp_path / "a")}):
            plain = time.monotonic() - began
        gate.refuse = swallow("spdy")
        began = time.monotonic()
        with Forward([*words, "pod/app", f":{P}"], env={**caches, "XDG_CACHE_HOME": str(tmp_path / "b")}):
            # What a start takes anyway differs by this much on a busy machine.
            assert time.monotonic() - began < plain + FALL_BACK + 1.5


def test_create_only(app: World, raw: Json, server: str, tmp_path: Path, caches: dict[str, str]) -> None:
    """May create pods/portforward and not get it: what plain SPDY needs."""
    bearer = token(app, "create-only", VIEW, SLICES, may_forward("create"))
    authority = raw["clusters"][0]["cluster"].get("certificate-authority-data", "")
    words = kubeconfig(tmp_path / "config", server, app.namespace, authority, bearer)
    with Forward([*words, "svc/app", ":echo"], env=caches) as running:
        podclient.run(podclient.echo(running.port(P), 100_000))


def test_get_only(app: World, raw: Json, server: str, tmp_path: Path, caches: dict[str, str]) -> None:
    """From 1.35 on the server wants both verbs; then that is said, as it is by kubectl. Before, it works."""
    bearer = token(app, "get-only", VIEW, SLICES, may_forward("get"))
    authority = raw["clusters"][0]["cluster"].get("certificate-authority-data", "")
    words = kubeconfig(tmp_path / "config", server, app.namespace, authority, bearer)
    minor = int(json.loads(app.kubectl("version", "-o", "json"))["serverVersion"]["minor"].rstrip("+"))
    with Forward([*words, "svc/app", ":echo"], env=caches, json=minor < 35, ready=minor < 35) as running:
        if minor < 35:
            podclient.run(podclient.echo(running.port(P), 100_000))
        else:
            running.wait_end(6, 30)
            assert "create" in running.err[0]
            assert "pods/portforward" in running.err[0]


@pytest.mark.parametrize("kind", ["svc", "deploy", "pod"])
def test_as_little_as_kubectl_needs(
    kind: str, app: World, raw: Json, server: str, tmp_path: Path, caches: dict[str, str]
) -> None:
    """May get, list pods and forward, but watch nothing and see no slices: it asks again and again, and says so."""
    app.start(app.workload("Deployment", "polled"), app.service("polled", [port(80, "http")]))
    rules = [
        {"apiGroups": ["", "apps"], "resources": ["services", "deployments"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"] if kind == "pod" else ["get", "list"]},
        may_forward("create"),
    ]
    bearer = token(app, f"little-{kind}", *rules)
    authority = raw["clusters"][0]["cluster"].get("certificate-authority-data", "")
    words = kubeconfig(tmp_path / "config", server, app.namespace, authority, bearer)
    http = P + podapp.HTTP
    name = "app" if kind == "pod" else "polled"
    with Forward([*words, f"{kind}/{name}", ":80" if kind == "svc" else f":{http}"], env=caches) as running:
        old = podclient.run(podclient.pod_of(running.port(http)))
        note = running.wait_told("note", 20)["text"]
        assert "watch" in note
        if kind != "pod":
            app.kill(old)
            within(40, lambda: _other(running.port(http), old), "the next pod is found")


def _other(number: int, old: str) -> bool:
    try:
        return podclient.run(podclient.pod_of(number)) != old
    except (ConnectionError, EOFError):
        return False


# -- what the server may do in mid-run (rows of what kubectl does at such ends) --


GOAWAY = b"\x80\x03\x00\x07\x00\x00\x00\x08" + bytes(8)
UNKNOWN = b"\x80\x03\x00\x63\x00\x00\x00\x04" + bytes(4)
MALFORMED = b"\x80\x03\x00\x06\x00\x00\x00\x05" + bytes(5)


@pytest.fixture
def gate(server: str, trust: ssl.SSLContext, both: str) -> Iterator[Gate]:
    with Gate(server, trust, both) as made:
        yield made


@pytest.fixture
def through(gate: Gate, app: World, tmp_path: Path, caches: dict[str, str]) -> Any:
    """Start a forward through the gate."""

    def start(*words: str, **more: Any) -> Forward:
        config = kubeconfig(tmp_path / "config", gate.url, app.namespace)
        return Forward([*config, *words], env=caches, **more)

    return start


@pytest.mark.parametrize("frame", [GOAWAY, MALFORMED, UNKNOWN, b""], ids=["goaway", "malformed", "unknown", "closed"])
def test_the_server_ends_a_lane(frame: bytes, gate: Gate, through: Any) -> None:
    """It goes on with another; with --exit-on-loss it ends as kubectl does."""
    with through("pod/app", f":{P}") as running:
        podclient.run(podclient.echo(running.port(P)))
        if frame:
            for wire in gate.wires:
                wire.send(frame)
        else:
            gate.cut()
        podclient.run(podclient.echo(running.port(P)))
        assert running.told("connection-failed") == []


@pytest.mark.parametrize("frame", [GOAWAY, MALFORMED, b""], ids=["goaway", "malformed", "closed"])
def test_the_server_ends_the_only_lane(frame: bytes, gate: Gate, through: Any) -> None:
    """--exit-on-loss: 1, as kubectl."""
    with through("--exit-on-loss", "pod/app", f":{P}", json=False) as running:
        if frame:
            for wire in gate.wires:
                wire.send(frame)
        else:
            gate.cut()
        running.wait_end(1, 10)
        assert running.err[-1].startswith("error: lost connection to pod")


def test_any_error_text_ends_exit_on_loss(app: World, through: Any) -> None:
    """What kubectl cannot survive: with --exit-on-loss it is the same end, 1."""
    with through("--exit-on-loss", "pod/app", f":{P + 99}", json=False) as running:
        within(5, running.listening, "its lines")
        podclient.run(podclient.ends_with_reset(running.port(P + 99)))
        running.wait_end(1, 10)
        assert running.err[-1].startswith("error: lost connection to pod")


@pytest.mark.parametrize("more", [[], ["--exit-on-loss"]], ids=["", "exit-on-loss"])
def test_a_stream_answered_by_a_reset(more: list[str], gate: Gate, through: Any) -> None:
    """The local socket is reset; the session lives on."""
    with through(*more, "pod/app", f":{P}") as running:
        podclient.run(podclient.echo(running.port(P)))
        for wire in gate.wires:
            wire.reset_streams = True
        podclient.run(podclient.ends_with_reset(running.port(P)))
        assert len(running.told("connection-failed")) == 1
        for wire in gate.wires:
            wire.reset_streams = False
        podclient.run(podclient.echo(running.port(P)))


def test_no_answer_to_a_stream_for_30_seconds(gate: Gate, through: Any) -> None:
    """That connection is reset; the session lives on, and the answer that comes late is ignored."""
    with through("--exit-on-loss", "pod/app", f":{P}") as running:
        podclient.run(podclient.echo(running.port(P)))
        for wire in gate.wires:
            wire.mute_streams = True
        began = time.monotonic()
        podclient.run(podclient.ends_with_reset(running.port(P)), 60)
        assert 25 < time.monotonic() - began < 36
        assert "30 s" in running.wait_told("connection-failed", 5)["words"]
        for wire in gate.wires:
            wire.mute_streams = False
        podclient.run(podclient.echo(running.port(P)))


def test_a_pod_deleted_while_idle(app: World, through: Any) -> None:
    """--exit-on-loss does not wait for the next connection to find out."""
    app.start(app.pod("idle"))
    with through("--exit-on-loss", "pod/idle", f":{P}", json=False) as running:
        app.kill("idle")
        running.wait_end(1, 20)
        assert running.err[-1].startswith("error: lost connection to pod")
