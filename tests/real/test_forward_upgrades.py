"""Roles, and servers and proxies that treat one of the two upgrades badly: the other one carries it."""

from __future__ import annotations

import json
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import podapp, podclient
from tests.support.gate import Gate, Refusal, drop_spdy, misread_websocket, refuse_websocket, swallow
from tests.support.roles import SLICES, VIEW, kubeconfig, may_forward, token
from tests.support.running import Forward
from tests.support.world import Json, World, port, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]
P = podapp.BASE
FALL_BACK = 3.0
"""Seconds after which a carrier that passes nothing is given up: promised."""


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
    rules = documented_rights()
    if kind == "pod":
        rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}, may_forward("create")]
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


def documented_rights() -> list[Json]:
    """The rules of the first Role in docs/reference/rights.md."""
    text = (Path(__file__).parents[2] / "docs" / "reference" / "rights.md").read_text()
    role = text.partition("```yaml\n")[2].partition("```")[0]
    found: list[Json] = yaml.safe_load(role)["rules"]
    return found


def _other(number: int, old: str) -> bool:
    try:
        return podclient.run(podclient.pod_of(number)) != old
    except (ConnectionError, EOFError):
        return False


def refuse_with(status: int, *kinds: str) -> Refusal:
    """Answers some kinds of upgrade with a status that is not 101."""

    def answer(line: str, headers: dict[str, str]) -> bytes | None:
        if not headers.get("upgrade", "").lower().startswith(kinds):
            return None
        more = "Location: http://127.0.0.1:1/\r\n" if status == 302 else ""
        return f"HTTP/1.1 {status} No\r\n{more}Content-Length: 2\r\n\r\nno".encode()

    return answer


@pytest.mark.parametrize("kind", ["spdy", "websocket"])
@pytest.mark.parametrize("status", [200, 302, 400, 403, 500])
def test_a_status_that_is_not_101(status: int, kind: str, app: World, gate: Gate, through: Any) -> None:
    """The other way is tried, once; a redirection is not followed."""
    gate.refuse = refuse_with(status, kind)
    with through("pod/app", f":{P}") as running:
        podclient.run(podclient.echo(running.port(P)))
        assert len([upgrade for upgrade in gate.upgrades if upgrade.startswith(kind)]) <= 1


@pytest.mark.parametrize("header", ["Sec-WebSocket-Accept", "Sec-WebSocket-Protocol"])
def test_a_handshake_that_is_none(
    header: str, app: World, gate: Gate, through: Any, tmp_path: Path, caches: dict[str, str]
) -> None:
    """Remembered as the way that works, WebSocket is answered wrongly: plain SPDY is tried, and kept."""
    memory = tmp_path / "cache" / "fairlead" / "ways.json"
    memory.parent.mkdir(parents=True, mode=0o700)
    memory.write_text(json.dumps({gate.url: {"way": "websocket", "at": time.time()}}))
    gate.refuse = misread_websocket(header)
    with through("pod/app", f":{P}") as running:
        podclient.run(podclient.echo(running.port(P)))
    assert gate.upgrades[0] == "websocket"
    assert set(gate.upgrades[1:]) == {"spdy/3.1"}
    assert json.loads(memory.read_text())[gate.url]["way"] == "spdy"


def test_both_ways_are_refused(app: World, gate: Gate, through: Any) -> None:
    """One sentence with the server's words."""
    gate.refuse = refuse_with(500, "spdy", "websocket")
    with through("pod/app", f":{P}", json=False, ready=False) as running:
        running.wait_end(11, 30)
        assert len(running.err) == 1
        assert "unable to upgrade connection: no" in running.err[0]
