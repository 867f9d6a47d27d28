"""Names and addresses inside are those of the cluster at every moment, by the hosts file and by DNS."""

from __future__ import annotations

import pytest

from tests.support import podapp
from tests.support.dnsmessages import ask, read
from tests.support.run_user import Inside
from tests.support.world import World, port, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(90)]
HTTP = podapp.BASE + podapp.HTTP
SOON = 2.0


def by_dns(inside: Inside, name: str) -> list[str]:
    (answer,) = inside.call("ask_udp", [ask(name).hex()], 1)
    return sorted(item.address for rrset in read(bytes.fromhex(answer)).answer for item in rrset)


def is_at(inside: Inside, world: World, name: str, *addresses: str) -> None:
    """Wait until this is where a name leads, however it is looked up; no address: until there is no such name."""
    expected, full = sorted(addresses), f"{name}.{world.namespace}.svc.cluster.local"

    def look() -> bool:
        by_file = all(inside.call("addresses", each) == expected for each in (name, full))
        return by_file and by_dns(inside, full) == expected

    within(SOON, look, f"{name} at {expected} ({inside.call('addresses', name)}, {by_dns(inside, full)})")


def test_a_service_comes_goes_and_comes_back_elsewhere(app: World, inside: Inside) -> None:
    is_at(inside, app, "comes")
    made = app.service("comes", [port(80, "http")], app="app")
    app.apply(made)
    first = app.get("service", "comes")["spec"]["clusterIP"]
    is_at(inside, app, "comes", first)
    assert inside.call("pod", "comes", 80) == "app"
    app.kubectl("delete", "service", "comes")
    is_at(inside, app, "comes")
    app.apply(app.service("holds-the-first", [port(80, "http")], app="app", clusterIP=first))
    app.apply(made)
    second = app.get("service", "comes")["spec"]["clusterIP"]
    assert second != first
    is_at(inside, app, "comes", second)
    is_at(inside, app, "holds-the-first", first)
    assert inside.call("pod", "comes", 80) == inside.call("pod", first, 80) == "app"
    app.kubectl("delete", "service", "comes", "holds-the-first")
    is_at(inside, app, "holds-the-first")


def test_a_service_is_made_anew_at_once(app: World, inside: Inside) -> None:
    """Whoever holds the new address meanwhile, names and connections are the new one's."""
    made = app.service("anew", [port(80, "http")], app="app")
    for _ in range(3):
        app.kubectl("delete", "service", "anew", "--ignore-not-found")
        app.apply(made)
        is_at(inside, app, "anew", app.get("service", "anew")["spec"]["clusterIP"])
        assert inside.call("pod", "anew", 80) == "app"


def test_ports_of_a_service_change(app: World, inside: Inside) -> None:
    app.apply(app.service("ports", [port(80, "http")], app="app"))
    is_at(inside, app, "ports", app.get("service", "ports")["spec"]["clusterIP"])
    app.apply(app.service("ports", [port(81, "http")], app="app"))
    within(SOON, lambda: inside.call("pod", "ports", 81) == "app", "another port")
    assert inside.call("greeting", "ports", 80) == "ECONNRESET"


def test_pods_of_a_headless_service_come_and_go(app: World, inside: Inside) -> None:
    pods = app.workload("StatefulSet", "db", replicas=1, more={"podManagementPolicy": "Parallel"})
    app.start(app.service("db", [port(HTTP)], clusterIP="None"), pods)
    places = addresses(app)
    is_at(inside, app, "db", *places.values())
    is_at(inside, app, "db-0.db", places["db-0"])
    app.kubectl("scale", "statefulset/db", "--replicas=2")
    app.kubectl("rollout", "status", "statefulset/db", "--timeout=60s")
    places = addresses(app)
    is_at(inside, app, "db", *places.values())
    is_at(inside, app, "db-1.db", places["db-1"])
    assert inside.call("pod", "db-1.db", HTTP) == inside.call("pod", places["db-1"], HTTP) == "db-1"

    app.kubectl("delete", "pod", "db-1", "--grace-period=1", "--wait=true")
    app.kubectl("rollout", "status", "statefulset/db", "--timeout=60s")
    again = addresses(app)
    assert again["db-1"] != places["db-1"]
    is_at(inside, app, "db-1.db", again["db-1"])
    assert inside.call("pod", "db-1.db", HTTP) == "db-1"

    app.kubectl("scale", "statefulset/db", "--replicas=0")
    app.kubectl("wait", "--for=delete", "pod/db-0", "pod/db-1", "--timeout=60s")
    for name in ("db-0.db", "db-1.db", "db"):
        is_at(inside, app, name)


def addresses(world: World) -> dict[str, str]:
    """Of the pods of ``db``."""
    return {pod["metadata"]["name"]: pod["status"]["podIP"] for pod in world.pods("db")}
