from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from fairlead.net.resolve import Resolver, interleave
from tests.support.loop import run

V4, V6 = socket.AF_INET, socket.AF_INET6


class Dns:
    """getaddrinfo, as slow as the test wants it."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.answers.set()
        self.asked = 0
        self.address = "192.0.2.1"

    def __call__(self, host: str, port: int, **_: Any) -> list[Any]:
        self.asked += 1
        self.answers.wait(20)
        if not self.address:
            raise socket.gaierror(socket.EAI_AGAIN, "no network")
        return [(V4, socket.SOCK_STREAM, 6, "", (self.address, port))]


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch) -> Iterator[Dns]:
    found = Dns()
    monkeypatch.setattr(socket, "getaddrinfo", found)
    yield found
    found.answers.set()
    for thread in threading.enumerate():
        if thread.name.startswith("resolve "):
            thread.join(5)


def test_addresses_of_both_families_alternate() -> None:
    found = [(V6, "a"), (V6, "b"), (V6, "c"), (V4, "d")]
    assert interleave(found) == [(V6, "a"), (V4, "d"), (V6, "b"), (V6, "c")]
    assert interleave([]) == []


def test_an_address_is_not_asked_for(dns: Dns) -> None:
    async def main() -> None:
        assert await Resolver().resolve("10.0.0.1", 1) == [(V4, ("10.0.0.1", 1))]
        assert await Resolver().resolve("::1", 1) == [(V6, ("::1", 1))]

    run(main())
    assert dns.asked == 0


@pytest.mark.parametrize("host", ["a..b", 64 * "a" + ".test"])
def test_what_no_name_can_be(host: str) -> None:
    with pytest.raises(socket.gaierror, match="no name that DNS could have"):
        run(Resolver().resolve(host, 1))


def test_a_silent_resolver_does_not_hold_the_end(dns: Dns) -> None:
    dns.answers.clear()
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        run(Resolver().resolve("host.test", 1), limit=0.05)
    assert time.monotonic() - began < 5


def test_all_who_ask_share_one_thread(dns: Dns) -> None:
    async def main() -> None:
        resolver = Resolver()
        dns.answers.clear()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(resolver.resolve("host.test", 1), name=f"ask {each}") for each in range(20)]
            await asyncio.sleep(0)
            tasks[0].cancel()
            dns.answers.set()
        assert {str(task.result()) for task in tasks[1:]} == {str([(V4, ("192.0.2.1", 1))])}

    run(main())
    assert dns.asked == 1


def test_the_last_addresses_count_while_there_are_no_news(dns: Dns) -> None:
    async def main() -> None:
        resolver = Resolver()
        first = await resolver.resolve("host.test", 1)
        dns.answers.clear()
        for _ in range(3):
            assert await resolver.resolve("host.test", 1) == first
        assert dns.asked == 2
        dns.address = ""
        dns.answers.set()
        assert await resolver.resolve("host.test", 1) == first
        dns.address = "192.0.2.2"
        while await resolver.resolve("host.test", 1) == first:
            await asyncio.sleep(0)

    run(main())


def test_a_name_that_was_never_known(dns: Dns) -> None:
    dns.address = ""
    with pytest.raises(socket.gaierror, match="no network"):
        run(Resolver().resolve("host.test", 1))
