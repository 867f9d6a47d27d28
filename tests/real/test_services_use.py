"""Other ways to use it: for the time of a command, from a team's file, as a dry run; clients that keep their pod."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.conftest import StartServices
from tests.support import podclient
from tests.support.serving import USUAL
from tests.support.world import World, port, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def web(world: World) -> World:
    """Three pods."""
    world.start(world.workload("Deployment", "web", replicas=3), world.service("web", [port(80, "http")]))
    return world


def test_connections_are_spread(web: World, services: StartServices) -> None:
    with services() as running:
        assert len(running.pods_of("web", times=30)) == 3


def test_a_client_keeps_its_pod(web: World, services: StartServices) -> None:
    """With sessionAffinity, as long as its pod is there; switched on and off while it runs."""
    with services("--only", "keeps") as running:
        sticky = web.service("keeps", [port(80, "http")], app="web", sessionAffinity="ClientIP")
        web.apply(sticky)
        running.wait_serves("keeps", 80)
        within(2, lambda: running.told("forwarding", service="keeps"), "its pods")
        (own,) = running.pods_of("keeps", times=15)
        web.kubectl("delete", "pod", own, "--wait=true")
        (next_one,) = running.pods_of("keeps", times=15)
        assert next_one != own
        web.apply(web.service("keeps", [port(80, "http")], app="web", sessionAffinity="None"))
        within(5, lambda: len(running.pods_of("keeps", times=9)) > 1, "spread again")


def test_for_the_time_of_a_command(web: World, services: StartServices, tmp_path: Path) -> None:
    """Names are there when it starts; its exit code is ours."""
    out = tmp_path / "out"
    script = f"cp {tmp_path / 'hosts'} {out}; exit 7"
    with services("--only", "web", "--", "sh", "-c", script, ready=False) as running:
        running.wait_end(7, 30)
    assert b" web " in out.read_bytes().replace(b"\n", b" ")
    assert out.read_bytes().endswith(USUAL)


def test_a_dry_run(web: World, services: StartServices) -> None:
    with services("--only", "web", "--dry-run", ready=False) as running:
        running.wait_end(0, 30)
        (line,) = running.told("hosts-line")
        assert line["names"][0] == "web"
        assert line["ports"] == [80]
        assert running.files(running.home) == []


def test_a_teams_file(web: World, services: StartServices, tmp_path: Path) -> None:
    path = tmp_path / "team.yaml"
    reserve = f"[web.{web.namespace}=127.9.8.7]"
    path.write_text(f"namespace: [{web.namespace}]\nonly: [web]\nmapping: ['web:80:8080']\nreserve: {reserve}\n")
    with services("--config", str(path)) as running:
        assert running.names()["web"] == "127.9.8.7"
        assert podclient.run(podclient.pod_of(8080, "127.9.8.7")).startswith("web-")


def test_another_domain(web: World, services: StartServices) -> None:
    with services("--only", "web", "--cluster-domain", "corp.example") as running:
        forms = {"web", f"web.{web.namespace}.svc.corp.example", f"web.{web.namespace}", f"web.{web.namespace}.svc"}
        assert set(running.names()) == forms


def test_a_service_of_another_kind_now(web: World, services: StartServices) -> None:
    """ExternalName, and back."""
    alias = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "turn"}}
    with services("--only", "turn") as running:
        web.apply(web.service("turn", [port(80, "http")], app="web"))
        address = running.wait_serves("turn", 80)
        web.kubectl("delete", "service", "turn")
        web.apply({**alias, "spec": {"type": "ExternalName", "externalName": "db.example.com"}})
        running.wait_gone("turn")
        running.wait_told("not-served", 2, service="turn")
        web.kubectl("delete", "service", "turn")
        web.apply(web.service("turn", [port(80, "http")], app="web", type="NodePort"))
        assert running.wait_serves("turn", 80) == address
        within(2, lambda: running.told("forwarding", service="turn")[-1]["to"], "its pods")
        assert running.pod_of("turn").startswith("web-")
