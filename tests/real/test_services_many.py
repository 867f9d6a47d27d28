"""Many services: each has its own address, and all is given back. How fast, the bench says."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from tests.real.conftest import StartServices, fresh_namespace
from tests.support import podclient
from tests.support.direct import create, delete
from tests.support.running import listeners
from tests.support.serving import CHANGED, Services
from tests.support.world import World, port, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]
IN_ONE, IN_TEN = 200, 100
USABLE = 30.0
"""Seconds in which 200 services have to be usable on any machine; the aim is the bench's."""


@pytest.fixture(scope="module")
def many(app: World) -> World:
    """200 services over one pod."""
    create(app, [app.service(f"s{index}", [port(80, "http")], app="app") for index in range(IN_ONE)])
    return app


async def ask_all(addresses: list[str], side_by_side: int = 20) -> set[str]:
    """The pods that answer, a few at a time."""
    found: set[str] = set()
    waiting = list(addresses)

    async def work() -> None:
        while waiting:
            found.add(await podclient.pod_of(80, waiting.pop()))

    await podclient.together(*[work() for _ in range(side_by_side)])
    return found


def test_two_hundred(many: World, services: StartServices) -> None:
    """All usable, and thousands of short connections leave nothing behind."""
    with services("--only", "s*") as running:
        names = running.names()
        addresses = [names[f"s{index}"] for index in range(IN_ONE)]
        assert len(set(addresses)) == IN_ONE
        assert podclient.run(ask_all(addresses), USABLE) == {"app"}
        within(10, lambda: open_ones(running) == IN_ONE, "only listeners")
        descriptors, memory = running.descriptors, running.memory
        podclient.run(ask_all(addresses * 5))
        within(10, lambda: running.descriptors <= descriptors * 1.05, "descriptors are given back")
        assert running.memory - memory < 8 << 20
        running.end()
        assert not {at for at in listeners() if at[0] in set(addresses)}


def open_ones(running: Services) -> int:
    """Addresses of the run that are listened on."""
    addresses = running.entries()
    return len([at for at in listeners() if at[0] in addresses and at[1] == 80])


def test_addresses_outlive_what_comes_and_goes(many: World, services: StartServices) -> None:
    """Also a hundred others between two runs."""
    with services("--only", "s*") as running:
        before = running.names()
    with services("--only", "s1*") as running:
        assert running.names() == {name: at for name, at in before.items() if name.startswith("s1")}
        many.kubectl("delete", "service", "s150")
        running.wait_gone("s150")
        many.apply(many.service("s150", [port(80, "http")], app="app"))
        assert running.wait_serves("s150", 80) == before["s150"]
    with services("--only", "s*") as running:
        assert running.names() == before


def test_a_reserved_address_outlives_pods(many: World, services: StartServices) -> None:
    made = many.workload("Deployment", "kept")
    many.start(made, many.service("kept", [port(80, "http")]))
    with services("--only", "kept,s1", "--reserve", "kept=127.9.9.9") as running:
        seen = {running.pod_of("kept")}
        for _ in range(3):
            many.kill(running.pod_of("kept"))
            within(20, lambda: len(seen | {running.pod_of("kept")}) > len(seen), "another pod")
            seen.add(running.pod_of("kept"))
            assert running.names()["kept"] == "127.9.9.9"
        assert len(running.entries()) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--reserve", "s1=10.0.0.1"], "10.0.0.1"),
        (["--reserve", "s1=127.0.0.1"], "127.0.0.1"),
        (["--reserve", "s1=127.9.9.9", "--reserve", "s2=127.9.9.9"], "127.9.9.9"),
        (["--reserve", "s1=127.9.9.9", "--reserve", "s1=127.9.9.8"], "s1"),
    ],
)
def test_reservations_that_cannot_be(words: list[str], said: str, many: World, services: StartServices) -> None:
    with services(*words, ready=False, json=False) as running:
        running.wait_end(2, 30)
        (line,) = running.err
        assert line.startswith("error: ")
        assert said in line


def test_a_port_that_something_else_holds(many: World, services: StartServices) -> None:
    """For that service alone, with who holds it; taken when it is free."""
    many.apply(many.service("clash", [port(80, "http"), port(18777, "http")], app="app"))
    taken = socket.create_server(("0.0.0.0", 18777))
    with taken, services("--only", "clash,s1") as running:
        told = running.wait_told("not-served", 5, service="clash")
        assert told["port"] == "18777"
        assert f"pid {os.getpid()}" in told["reason"]
        assert running.pod_of("clash", 80) == running.pod_of("s1") == "app"
        taken.close()
        running.wait_serves("clash", 18777, limit=6)
        assert running.pod_of("clash", 18777) == "app"


def test_few_descriptors(many: World, services: StartServices) -> None:
    """What cannot be listened on is told, and the rest is of use."""
    with services("--only", "s*", wrap=["prlimit", "--nofile=300:300"]) as running:
        [text] = [event["text"] for event in running.told("note") if "ulimit -n" in event["text"]]
        assert text.startswith(f"{IN_ONE - len(running.entries())} ports are not listened on")
        addresses = list(running.entries())
        assert 100 < len(addresses) < 150
        assert podclient.run(ask_all(addresses[-30:], 5)) == {"app"}
        assert running.told("connection-failed") == []


@pytest.fixture(scope="module")
def ten(base_world: World) -> Iterator[list[World]]:
    """100 services in each of ten namespaces; there is one pod, in the first.

    All but those are headless, as the API server is fast in making them.
    """
    made = []
    try:
        for index in range(10):
            world = fresh_namespace(base_world, f"ten{index}")
            made.append(world)
            more = {"clusterIP": "None"} if index else {}
            create(world, [world.service(f"t{each}", [port(80, "http")], app="app", **more) for each in range(IN_TEN)])
        made[0].start(made[0].pod("app"))
        yield made
    finally:
        for world in made:
            world.remove_namespace()


@pytest.mark.node
@pytest.mark.alone
def test_a_thousand_in_ten_namespaces(ten: list[World], services: StartServices) -> None:
    words = [word for world in ten for word in ("-n", world.namespace)]
    with services(*words, "--bare", ten[3].namespace) as running:
        names = running.names()
        addresses = running.entries()
        assert len(addresses) == open_ones(running) == 1000
        for world in ten:
            assert all(f"t{each}.{world.namespace}.svc.cluster.local" in names for each in range(IN_TEN))
        assert names["t7"] == names[f"t7.{ten[3].namespace}"]
        first = [names[f"t{each}.{ten[0].namespace}"] for each in range(IN_TEN)]
        assert podclient.run(ask_all(first), USABLE) == {"app"}
        went = {names[f"t{each}.{ten[5].namespace}"] for each in range(IN_TEN)}
        delete(ten[5], [f"t{each}" for each in range(IN_TEN)])
        within(CHANGED, lambda: went.isdisjoint(running.entries()), "a hundred less")
        within(CHANGED, lambda: open_ones(running) == 900, "their listeners")
        create(ten[5], [ten[5].service(f"t{each}", [port(80, "http")], app="app") for each in range(IN_TEN)])
        within(CHANGED, lambda: len(running.entries()) == 1000, "a hundred more")
        within(CHANGED, lambda: open_ones(running) == 1000, "their listeners")
        assert running.names() == names
