"""Everything follows the cluster: names and listeners are right within 1 s of each change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.conftest import StartServices, fresh_namespace
from tests.support import podapp, podclient
from tests.support.direct import create, delete
from tests.support.gate import Gate
from tests.support.roles import kubeconfig
from tests.support.running import listeners, listens
from tests.support.serving import CHANGED, Services
from tests.support.world import Json, World, port, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]
ECHO, HTTP = podapp.BASE + podapp.ECHO, podapp.BASE + podapp.HTTP


@pytest.fixture(scope="module")
def two(world: World) -> World:
    """Two pods, ``one`` and ``other``."""
    world.start(world.pod("one"), world.pod("other"))
    return world


def endpoints(world: World, name: str, pods: dict[str, bool], number: int = HTTP) -> Json:
    """What stands behind a service without a selector: pods, and whether they are ready."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": f"{name}-x", "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "endpoints": [
            {
                "addresses": [f"10.0.0.{index}"],
                "conditions": {"ready": ready},
                "targetRef": {"kind": "Pod", "name": pod, "namespace": world.namespace},
            }
            for index, (pod, ready) in enumerate(pods.items(), 1)
        ],
        "ports": [{"name": "p80", "port": number, "protocol": "TCP"}],
    }


def to(running: Services, service: str, number: int = 80) -> list[str]:
    """Where the last word about a service's port says that it leads."""
    told = running.told("forwarding", service=service, port=number)
    return list(told[-1]["to"]) if told else []


def test_a_service_comes_changes_and_goes(two: World, services: StartServices) -> None:
    with services("--only", "changes") as running:
        before = listeners()
        two.apply(two.service("changes", [port(80, "http")], app="one"))
        address = running.wait_serves("changes", 80)
        within(CHANGED, lambda: to(running, "changes") == [f"one:{HTTP}"], "its pod")
        assert running.pod_of("changes") == "one"

        two.apply(two.service("changes", [port(81, "http")], app="one"))
        within(CHANGED, lambda: listens(address, 81) and not listens(address, 80), "80 is 81 now")
        assert running.pod_of("changes", 81) == "one"

        two.apply(two.service("changes", [port(81, "http"), port(82, "http")], app="other"))
        within(CHANGED, lambda: listens(address, 82), "a second port")
        within(CHANGED + 1, lambda: to(running, "changes", 82) == [f"other:{HTTP}"], "another selector")
        assert running.pods_of("changes", 81, 5) == running.pods_of("changes", 82, 5) == {"other"}

        two.apply(two.service("changes", [port(81, "http"), port(82, "echo")], app="other"))
        within(CHANGED + 1, lambda: to(running, "changes", 82) == [f"other:{ECHO}"], "another target port")
        podclient.run(podclient.echo(82, host=address))

        two.kubectl("delete", "service", "changes")
        running.wait_gone("changes")
        within(CHANGED, lambda: not listens(address, 81) and not listens(address, 82), "no listener")
        running.wait_told("stopped-forwarding", CHANGED, service="changes")
        assert {each for each in listeners() - before if each[0] == address} == set()

        two.apply(two.service("changes", [port(80, "http")], app="one"))
        assert running.wait_serves("changes", 80) == address, "the address that it had"
        within(CHANGED, lambda: to(running, "changes") == [f"one:{HTTP}"], "its pod")
        assert running.pod_of("changes") == "one"


def test_what_is_open_outlives_every_change_but_its_pods_end(two: World, services: StartServices) -> None:
    """As in the cluster: a pod that is no longer chosen, or a service that is gone, cuts nothing."""
    two.apply(two.service("held", [port(80, "echo")], app="one"))
    with services("--only", "held") as running, podclient.dial(80, running.names()["held"]) as held:
        held.sendall(b"x")
        assert held.recv(1) == b"x"
        two.apply(two.service("held", [port(80, "echo")], app="other"))
        within(5, lambda: to(running, "held") == [f"other:{ECHO}"], "another pod")
        held.sendall(b"y")
        assert held.recv(1) == b"y"
        two.kubectl("delete", "service", "held")
        running.wait_gone("held")
        running.wait_told("stopped-forwarding", 5)
        held.sendall(b"z")
        assert held.recv(1) == b"z"


def test_a_headless_service_becomes_a_normal_one(two: World, services: StartServices) -> None:
    with services("--only", "kind") as running:
        two.apply(two.service("kind", [port(80, "http")], app="one", clusterIP="None"))
        pod = running.wait_serves("one.kind", 80, HTTP, limit=CHANGED + 1)
        address = running.wait_serves("kind", 80, HTTP)
        two.kubectl("delete", "service", "kind")
        two.apply(two.service("kind", [port(80, "http")], app="one"))
        running.wait_gone("one.kind")
        assert running.wait_serves("kind", 80) == address
        within(CHANGED + 1, lambda: not listens(pod, 80) and not listens(address, HTTP), "what was the pods'")
        within(CHANGED + 1, lambda: to(running, "kind") == [f"one:{HTTP}"], "its pod")
        assert running.pod_of("kind") == "one"


def test_ready_pods_come_and_go(two: World, services: StartServices) -> None:
    """Without any, connections wait for the next one."""
    service = two.service("turns", [port(80)])
    del service["spec"]["selector"]
    two.apply(endpoints(two, "turns", {"one": True, "other": False}), service)
    with services("--only", "turns") as running:
        assert running.pods_of("turns", times=6) == {"one"}
        two.apply(endpoints(two, "turns", {"one": False, "other": True}))
        within(CHANGED, lambda: to(running, "turns") == [f"other:{HTTP}"], "the other")
        assert running.pods_of("turns", times=6) == {"other"}
        two.apply(endpoints(two, "turns", {"one": False, "other": False}))
        running.wait_told("service-state", CHANGED, service="turns", state="waiting")
        with podclient.dial(80, running.wait_serves("turns", 80)) as early:
            early.sendall(b"GET /pod HTTP/1.1\r\n\r\n")
            running.wait_told("handling", 5, 13)
            two.apply(endpoints(two, "turns", {"one": True}))
            early.settimeout(CHANGED + 1)
            assert b"200 OK" in early.recv(100)
        two.apply(endpoints(two, "turns", {"one": True, "other": True}))
        within(CHANGED, lambda: len(to(running, "turns")) == 2, "both")
        assert running.pods_of("turns", times=10) == {"one", "other"}


def test_scaled_to_nothing_and_back(two: World, services: StartServices) -> None:
    made = two.workload("Deployment", "scaled", replicas=0)
    two.apply(made, two.service("scaled", [port(80, "http")]))
    with services("--only", "scaled") as running:
        address = running.wait_serves("scaled", 80)
        running.wait_told("service-state", 5, service="scaled", state="waiting")
        two.kubectl("scale", "deploy/scaled", "--replicas=3")
        assert running.pod_of("scaled").startswith("scaled-"), "the first connection waits until a pod is there"
        two.kubectl("rollout", "status", "deploy/scaled", "--timeout=60s")
        within(CHANGED, lambda: len(to(running, "scaled")) == 3, "all of them")
        assert len(running.pods_of("scaled", times=30)) == 3
        two.kubectl("scale", "deploy/scaled", "--replicas=0")
        running.wait_told("service-state", 10, 2, service="scaled", state="waiting")
        assert running.serves("scaled", 80) == address
        assert running.told("connection-failed") == []


@pytest.fixture
def short_lived(base_world: World) -> Iterator[World]:
    """A namespace that a test makes, removes and makes again."""
    made = fresh_namespace(base_world, "later")
    try:
        yield made
    finally:
        made.remove_namespace()


@pytest.mark.parametrize("all_of_them", [True, False])
def test_a_namespace_comes_and_goes(
    base_world: World, services: StartServices, short_lived: World, all_of_them: bool
) -> None:
    """With -A by itself; one that was named may be removed and made again."""
    name = short_lived.namespace
    full = f"there.{name}.svc.cluster.local"
    # Others may be served by other tests, on the same addresses.
    with services(*(["-A", "--only", "there"] if all_of_them else ["-n", name])) as running:
        for again in range(2):
            short_lived.start(short_lived.pod("there"))
            short_lived.apply(short_lived.service("there", [port(80, "http")]))
            address = running.wait_serves(full, 80)
            assert ("there" in running.names()) is not all_of_them
            running.wait_told("forwarding", CHANGED, again + 1, service="there")
            assert running.pod_of(full) == "there"
            short_lived.kill("there")  # or the namespace waits for the time that the pod might take
            short_lived.kubectl("delete", "namespace", name, "--wait=true")
            running.wait_gone(full)
            assert not listens(address, 80)
            if not again:
                short_lived.make_namespace(name)


class Expired:
    """Answers that a watch cannot go on from where it was, or not at all while it hangs."""

    def __init__(self) -> None:
        self.hangs = True
        self.told = 0

    def __call__(self, line: str, headers: dict[str, str]) -> bytes | None:
        if self.hangs:
            return None if headers.get("upgrade") else b"\0"
        if "watch=" not in line or "sendInitialEvents" in line:
            return None
        self.told += 1
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "code": 410}
        body = json.dumps({**status, "message": "too old resource version"}).encode()
        return b"HTTP/1.1 410 Gone\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
            len(body),
            body,
        )


def test_a_watch_that_cannot_go_on(app: World, gate: Gate, services: StartServices, tmp_path: Path) -> None:
    """What was missed meanwhile is found by a new list."""
    app.apply(*[app.service(name, [port(80, "http")], app="app") for name in ("stays", "goes")])
    config = kubeconfig(tmp_path / "config", gate.url, app.namespace)
    with services("-n", app.namespace, "--only", "stays,goes,comes", *config) as running:
        expired = gate.refuse = Expired()
        gate.cut()
        app.kubectl("delete", "service", "goes")
        app.apply(*[app.service(name, [port(81, "http")], app="app") for name in ("stays", "comes")])
        expired.hangs = False
        gate.cut()
        running.wait_serves("comes", 81, limit=3)
        running.wait_serves("stays", 81, limit=3)
        running.wait_gone("goes")
        assert not listens(running.names()["stays"], 80)
        within(3, lambda: to(running, "comes", 81) and to(running, "stays", 81), "their pod")
        assert running.told("not-served") == []
        assert running.pod_of("comes", 81) == running.pod_of("stays", 81) == "app"
        assert expired.told >= 2, "for services, and for what stands behind"


@pytest.mark.alone
def test_a_burst(two: World, services: StartServices) -> None:
    """100 services at once, and gone at once; all is right within 1 s of the last of them."""
    made = [two.service(f"burst-{index}", [port(80, "http"), port(81, "echo")], app="one") for index in range(100)]
    names = {f"burst-{index}" for index in range(100)}
    with services("--only", "burst-*") as running:
        create(two, made)
        within(CHANGED, lambda: names <= set(running.names()), "all names")
        addresses = {running.names()[name] for name in names}
        assert len(addresses) == 100
        within(CHANGED, lambda: listeners() >= {(each, at) for each in addresses for at in (80, 81)}, "all listeners")
        assert running.pod_of("burst-99") == running.pod_of("burst-0") == "one"
        delete(two, list(names))
        within(CHANGED, lambda: not running.names(), "no name")
        within(CHANGED, lambda: not {at for at in listeners() if at[0] in addresses}, "no listener")
