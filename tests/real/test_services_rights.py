"""What a user must be allowed to do, with one right less each time: it works all the same, or a sentence names it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.real.conftest import StartServices
from tests.support import podclient
from tests.support.roles import kubeconfig, may_forward, token
from tests.support.running import START
from tests.support.serving import CHANGED, Services
from tests.support.world import Json, World, port, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

User = Callable[..., list[str]]
FORWARD = may_forward("create")


def rule(group: str, resource: str, *verbs: str) -> Json:
    return {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)}


SERVICES = rule("", "services", "list", "watch")
SLICES = rule("discovery.k8s.io", "endpointslices", "list", "watch")
VERBS = ("list", "list", "create")
"""What who may nothing is told to ask kubectl about, in this order."""
PODS = rule("", "pods", "list", "watch")


@pytest.fixture(scope="module")
def plain(app: World) -> World:
    """Its service is not to change with the tests."""
    return app


@pytest.fixture
def user(plain: World, server: str, raw: Json, tmp_path: Path) -> User:
    """The options of a user that may do only this."""
    authority = raw["clusters"][0]["cluster"].get("certificate-authority-data", "")

    def make(name: str, *rules: Json) -> list[str]:
        bearer = token(plain, name, *rules)
        return [*kubeconfig(tmp_path / "config", server, plain.namespace, authority, bearer), "-n", plain.namespace]

    return make


def follows(world: World, running: Services, limit: float = CHANGED) -> None:
    """It works, and learns of a new service."""
    assert running.pod_of("app") == "app"
    world.apply(world.service("new", [port(80, "http")], app="app"))
    try:
        running.wait_serves("new", 80, limit=limit)
        within(limit, lambda: running.told("forwarding", service="new"), f"its pod ({running.said()})")
        assert running.pod_of("new") == "app"
    finally:
        world.kubectl("delete", "service", "new")
    running.wait_gone("new", limit)


def notes(running: Services) -> list[str]:
    """What it has to say about rights."""
    return [event["text"] for event in running.told("note") if "allowed" in event["text"] or "may not" in event["text"]]


@pytest.mark.parametrize("third", [SLICES, PODS], ids=["slices", "pods"])
def test_three_rights_are_enough(third: Json, plain: World, user: User, services: StartServices) -> None:
    """To see the services and what stands behind them, in either way, and to forward."""
    with services(*user("enough", SERVICES, third, FORWARD)) as running:
        follows(plain, running)
        assert notes(running) == []


def test_they_are_those_that_are_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "rights.md").read_text()
    role = page.partition("## For services")[2].partition("```yaml\n")[2].partition("```")[0]
    assert yaml.safe_load(role)["rules"] == [SERVICES, SLICES, FORWARD]


@pytest.mark.parametrize("what", ["services", "endpointslices", "pods"])
def test_without_watch_it_asks(what: str, plain: World, user: User, services: StartServices) -> None:
    """Every 5 s, and says so."""
    lists = {
        "services": [rule("", "services", "list"), SLICES],
        "endpointslices": [SERVICES, rule("discovery.k8s.io", "endpointslices", "list")],
        "pods": [SERVICES, rule("", "pods", "list")],
    }
    with services(*user(f"polls-{what}", *lists[what], FORWARD)) as running:
        follows(plain, running, 6)
        (note,) = notes(running)
        assert f"not allowed to watch the {what} in namespace {plain.namespace}" in note


@pytest.mark.parametrize(
    ("name", "rules", "words"),
    [
        ("no-services", [SLICES, FORWARD], ["list services"]),
        ("no-list", [rule("", "services", "watch"), SLICES, FORWARD], ["list services"]),
        ("no-slices", [SERVICES, FORWARD], ["list endpointslices"]),
        ("no-forward", [SERVICES, SLICES], ["create pods/portforward"]),
        ("services-alone", [SERVICES], ["list endpointslices", "create pods/portforward"]),
        ("nothing", [], ["list services", "list endpointslices", "create pods/portforward"]),
    ],
)
@pytest.mark.parametrize("everywhere", [False, True])
def test_what_is_missing_is_named(
    everywhere: bool,
    name: str,
    rules: list[Json],
    words: list[str],
    plain: World,
    user: User,
    services: StartServices,
) -> None:
    """All of it at once, with questions that kubectl answers with no."""
    options = user(name, *rules)
    if everywhere:
        # With a role in one namespace alone, nothing is allowed in all of them.
        options, words = [*options[:-2], "-A"], ["list services", "list endpointslices", "create pods/portforward"]
    with services(*options, ready=False, json=False) as running:
        running.wait_end(6, START)
        assert running.out == []
        line, *checks = running.err
        assert len(checks) == (len(words) if len(words) > 1 else 0)
        assert line.startswith("error: ")
        for word in words:
            assert word in line
        assert ("choose namespaces with -n" in line) == everywhere
        asked = re.findall(r"kubectl (auth can-i [^)\n]*)", "\n".join(running.err))
        assert len(asked) == len(words)
        for each in asked:
            command = [plain.kubectl_path, *each.split()]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.stdout == "no\n", "the remedy asks what is missing"


def test_one_namespace_of_two(plain: World, base_world: World, user: User, services: StartServices) -> None:
    """Where one namespace is refused, that is said before anything is served."""
    options = user("only-here", SERVICES, SLICES, FORWARD)
    with services(*options, "-n", "kube-system", ready=False, json=False) as running:
        running.wait_end(6, START)
        line, *checks = running.err
        assert "kube-system" in line
        assert "services" in line
        assert all(f"kubectl auth can-i {verb} " in each for verb, each in zip(VERBS, checks, strict=True))


def test_all_namespaces(user: User, services: StartServices) -> None:
    """Who may see one only cannot have all."""
    options = user("not-all", SERVICES, SLICES, FORWARD)[:-2]
    with services(*options, "-A", ready=False, json=False) as running:
        running.wait_end(6, START)
        line, *checks = running.err
        assert "list" in line
        assert "services" in line
        assert all(f"kubectl auth can-i {verb} " in each for verb, each in zip(VERBS, checks, strict=True))


def test_rights_that_are_taken_and_given_back(
    plain: World, user: User, services: StartServices, tmp_path: Path
) -> None:
    """While it runs, what is known goes on; a connection that is refused says why."""
    options = user("changing", SERVICES, SLICES, FORWARD)
    role = plain.get("role", "changing")
    role["metadata"] = {"name": "changing"}
    with services(*options) as running:
        plain.apply({**role, "rules": [SERVICES, SLICES]})
        command = [plain.kubectl_path, *options, "auth", "can-i", "create", "pods", "--subresource=portforward"]

        def refused() -> bool:
            return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() == "no"

        within(10, refused, "the API server knows")
        with pytest.raises((ConnectionError, EOFError)):
            running.pod_of("app")
        failed = running.wait_told("connection-failed", 5)
        assert "create pods/portforward" in failed["words"]
        running.wait_told("service-state", 5, service="app", state="failing")
        plain.apply({**role, "rules": [SERVICES, SLICES, FORWARD]})
        within(10, lambda: not refused(), "the API server knows")
        assert running.pod_of("app") == "app"
        running.wait_told("service-state", 5, 1, service="app", state="proved")


PLUGIN = """#!/bin/sh
id -u >> {folder}/calls
cat {folder}/credential
"""


def test_credentials_that_are_over(plain: World, user: User, services: StartServices, tmp_path: Path) -> None:
    """Others are asked for when they are needed; watches and lanes that began with the old ones go on."""
    options = user("short", SERVICES, SLICES, FORWARD)
    path, plugin, calls = tmp_path / "config", tmp_path / "plugin", tmp_path / "calls"
    config = json.loads(path.read_text())
    version = "client.authentication.k8s.io/v1"
    old = config["users"][0]["user"]["token"]

    def hand_out(bearer: str) -> None:
        credential = {"apiVersion": version, "kind": "ExecCredential", "status": {"token": bearer}}
        (tmp_path / "credential").write_text(json.dumps(credential))

    hand_out(old)
    plugin.write_text(PLUGIN.format(folder=tmp_path))
    plugin.chmod(0o755)
    config["users"][0]["user"] = {"exec": {"apiVersion": version, "command": str(plugin), "interactiveMode": "Never"}}
    path.write_text(json.dumps(config))
    with services(*options) as running, podclient.dial(81, running.names()["app"]) as held:
        held.sendall(b"x")
        assert held.recv(1) == b"x"
        plain.kubectl("delete", "serviceaccount", "short")
        hand_out(token(plain, "short", SERVICES, SLICES, FORWARD))
        ask = ("--kubeconfig=/dev/null", f"--server={config['clusters'][0]['cluster']['server']}", f"--token={old}")
        command = [plain.kubectl_path, *ask, "--insecure-skip-tls-verify", "auth", "whoami"]
        within(20, lambda: subprocess.run(command, capture_output=True, check=False).returncode, "the old one is over")
        plain.start(plain.pod("second"), plain.service("second", [port(80, "http")]))
        within(5, lambda: running.told("forwarding", service="second"), "its pod")
        assert running.pod_of("second") == "second"
        held.sendall(b"y")
        assert held.recv(1) == b"y"
        assert calls.read_text().split() == [str(os.getuid())] * 2
        assert running.told("server-lost") == []
