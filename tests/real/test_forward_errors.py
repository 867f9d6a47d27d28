"""Every error a user can make or meet before anything is served: one sentence, its documented exit code."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.real.conftest import options
from tests.support import podapp
from tests.support.running import FAIRLEAD, START, Forward, free_port
from tests.support.world import World, port

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]
P = podapp.BASE


@pytest.fixture(scope="module", autouse=True)
def objects(app: World) -> None:
    udp = [port(53, 53, "dns", "UDP"), port(80, "http", "web"), port(82, "nowhere", "gone")]
    app.apply(
        app.service("mixed", udp, app="app"),
        {**app.service("bare", [port(80)]), "spec": {"ports": [port(80)]}},
        app.workload("Deployment", "none", replicas=0),
        {**app.pod("done"), "spec": {**app.pod_spec(), "restartPolicy": "Never"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "some"}},
    )


def fails(world: World, words: Sequence[str], code: int, *patterns: str, cluster: Sequence[str] | None = None) -> str:
    """It ends with this code and one line on stderr that all patterns are found in; nothing on stdout.

    A run that was told how long to wait for a pod may say before that line that it waits.
    """
    command = [*FAIRLEAD, "forward", *(options(world) if cluster is None else cluster), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=START + 30, check=False)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    if "--pod-running-timeout" in words and len(lines) > 1:
        assert re.search("waiting up to", lines.pop(0))
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    for pattern in patterns:
        assert re.search(pattern, lines[0]), f"{pattern!r} is not in {lines[0]!r}"
    return lines[0]


@pytest.mark.parametrize(
    ("words", "code", "patterns"),
    [
        (["--context", "no-such", "app", "80"], 3, ['"?no-such"?']),
        (["--kubeconfig", "/no/such/file", "app", "80"], 3, ["/no/such/file"]),
        (["--server", "https://127.0.0.1:1", "app", "80"], 4, ["127.0.0.1:1", "refused"]),
        (["--server", "https://no-such-host.invalid:1", "app", "80"], 4, ["no-such-host.invalid"]),
        (["no-such-pod", "80"], 7, ['pods "no-such-pod" not found']),
        (["svc/no-such", "80"], 7, ['services "no-such" not found']),
        (["deploy/no-such", "80"], 7, ['deployments.apps "no-such" not found']),
        (["foo/bar", "80"], 7, ['resource type "foo"']),
        (["configmap/some", "80"], 2, ["(?i)configmap"]),
        (["app", "no-such-port"], 8, ["no-such-port"]),
        (["svc/mixed", "81"], 8, ["81"]),
        (["svc/mixed", "no-such"], 8, ["no-such"]),
        (["svc/mixed", "53"], 2, ["UDP"]),
        (["svc/mixed", "gone"], 8, ["nowhere"]),
        (["svc/bare", "80"], 2, ["without a selector"]),
        (["app"], 2, ["ports"]),
        ([], 2, ["."]),
        (["app", "1:2:3"], 2, ["1:2:3"]),
        (["app", "99999"], 2, ["99999"]),
        (["app", "80:0"], 2, ["0"]),
        (["app", "x:80"], 2, ["x"]),
        (["--address", "example.com", "app", "80"], 2, ["example.com"]),
        (["--pod-running-timeout", "0s", "app", "80"], 2, ["pod-running-timeout"]),
        (["--no-such-option", "app", "80"], 2, ["no-such-option"]),
        (["--pod-running-timeout", "1s", "deploy/none", "80"], 10, ["."]),
        (["--address", "10.19.21.23", "app", f":{P}"], 9, ["10.19.21.23"]),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else None,
)
def test_an_error(words: list[str], code: int, patterns: list[str], app: World) -> None:
    given = ["--kubeconfig"] if "--kubeconfig" in words else []
    cluster = ["-n", app.namespace] if given else None
    fails(app, words, code, *patterns, cluster=cluster)


@pytest.mark.parametrize("words", [["no-such-pod", "80"], ["app", "no-such-port"], ["--context", "none", "app", "80"]])
def test_exit_on_loss_ends_as_kubectl_does(words: list[str], app: World) -> None:
    """1 for all, which is what kubectl gives for the same words."""
    fails(app, ["--exit-on-loss", *words], 1)
    command = [app.kubectl_path, *options(app), "port-forward", *words]
    assert subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 1


def test_a_pod_that_is_done(app: World) -> None:
    within = ["--pod-running-timeout", "20s"]
    app.kubectl("wait", "--for=condition=Ready", "pod/done", "--timeout=60s")
    app.kubectl("exec", "done", "--", "python3", "-c", "import os; os.kill(1, 15)", check=False)  # ends with it
    app.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/done", "--timeout=30s")
    fails(app, [*within, "pod/done", f":{P}"], 10, "Current status=Succeeded")


def test_a_port_in_use(app: World) -> None:
    """Says by whom; and nothing else is served."""
    other = free_port()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        words = ["--address", "127.0.0.1", "app", f"{other}:{P}", f"{number}:{P}"]
        fails(app, words, 9, str(number), f"pid {os.getpid()}")


def test_localhost_may_lack_one_family(app: World) -> None:
    number = free_port()
    taken = socket.create_server(("::1", number), family=socket.AF_INET6)
    with taken, Forward([*options(app), "app", f"{number}:{P}"]) as running:
        assert [event["address"] for event in running.told("listening")] == ["127.0.0.1"]
        assert running.told_times("note", 1)


def test_a_low_port_as_a_user(app: World) -> None:
    """The message has the remedy."""
    if os.geteuid() != 0:
        fails(app, ["app", f"81:{P}"], 9, "81", "ip_unprivileged_port_start|setcap")
        return
    cap = ["setpriv", "--bounding-set", "-net_bind_service", "--inh-caps", "-net_bind_service"]
    low = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text().strip()
    if int(low) <= 81:
        pytest.skip("this machine lets everybody have low ports")
    command = [*cap, *FAIRLEAD, "forward", *options(app), "app", f"81:{P}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 9, done.stderr
    assert "ip_unprivileged_port_start" in done.stderr


def kubeconfig(world: World, path: Path, user: dict[str, object]) -> list[str]:
    """The same cluster as another user; the options that lead there."""
    config = json.loads(world.kubectl("config", "view", "--minify", "--raw", "-o", "json"))
    config["users"][0]["user"] = user
    path.write_text(json.dumps(config))
    return [f"--kubeconfig={path}", "-n", world.namespace]


def test_expired_credentials(app: World, tmp_path: Path) -> None:
    cluster = kubeconfig(app, tmp_path / "config", {"token": "expired"})
    fails(app, ["app", f":{P}"], 5, "(?i)credentials|log in|token|not know", cluster=cluster)


def test_a_plugin_that_fails(app: World, tmp_path: Path) -> None:
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "false", "interactiveMode": "Never"}
    cluster = kubeconfig(app, tmp_path / "config", {"exec": plugin})
    fails(app, ["app", f":{P}"], 5, "false", cluster=cluster)


def test_forbidden(app: World) -> None:
    """Names the verb and the resource."""
    fails(app, ["--as", "nobody", "app", f":{P}"], 6, "get", "pods", "nobody")
    fails(app, ["--as", "nobody", "svc/app", ":80"], 6, "get", "services")


def test_forbidden_to_forward(app: World) -> None:
    """May see pods, and not forward to them: the missing verb is named."""
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "look"},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}],
    }
    app.apply(role)
    app.kubectl("create", "rolebinding", "look", "--role=look", "--user=looker")
    fails(app, ["--as", "looker", "app", f":{P}"], 6, "create", "pods/portforward")


def test_a_bare_command_line_never_has_a_traceback() -> None:
    for words in (["--"], ["-o", "yaml", "a", "1"], ["/"], ["pod/"], ["a", "-:1", "-:2"]):
        done = subprocess.run([*FAIRLEAD, "forward", *words], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode in (2, 3), (words, done.stderr)
        assert "Traceback" not in done.stderr
        assert done.stderr.startswith("error: ")
