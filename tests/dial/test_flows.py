from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from fairlead.dial import flows
from fairlead.dial.flows import ANSWERED, UNANSWERED, Flows
from fairlead.net import descriptors
from fairlead.protocol.ip import End
from tests.support.loop import LOOPS, run_on, run_virtual

A, B = ("10.1.1.1", 1111), ("10.1.1.1", 2222)


class Told:
    """What flows hand back."""

    def __init__(self) -> None:
        self.answers: list[tuple[bytes, End, End]] = []
        self.refusals: list[tuple[End, End]] = []

    def flows(self) -> Flows:
        def answered(payload: memoryview, source: End, destination: End) -> None:
            self.answers.append((bytes(payload), source, destination))

        return Flows(answered, lambda source, destination: self.refusals.append((source, destination)))


class Server:
    """A UDP socket on the loopback that the test reads and answers by hand."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((address, 0))
        self.sock.setblocking(False)
        self.end: End = self.sock.getsockname()[:2]

    def took(self) -> tuple[bytes, End]:
        """Datagrams on the loopback are there when they have been sent."""
        payload, source = self.sock.recvfrom(65536)
        return payload, source


@contextmanager
def servers(*addresses: str) -> Iterator[list[Server]]:
    with ExitStack() as stack:
        made = [Server(address) for address in addresses]
        for server in made:
            stack.callback(server.sock.close)
        yield made


@pytest.fixture
def server() -> Iterator[Server]:
    with servers("127.0.0.1") as made:
        yield made[0]


@pytest.fixture
def closed_port() -> End:
    with servers("127.0.0.1") as made:
        return made[0].end


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0)


@pytest.mark.parametrize("loop", LOOPS)
def test_answers_come_back_to_who_asked(loop: str) -> None:
    told = Told()
    payloads = [b"", b"some", bytes(range(256)) * 200]

    async def main(first: Server, second: Server) -> None:
        made = told.flows()
        for payload in payloads:
            for source, server in ((A, first), (B, first), (A, second)):
                made.send(memoryview(payload), source, server.end)
        came = [server.took() for server in (first, first, second) for _ in payloads]
        assert len(made) == len({source for _, source in came}) == 3
        for server in (first, second):
            for payload, source in came:
                if (":" in source[0]) == (":" in server.end[0]):
                    server.sock.sendto(b"re " + payload, source)
        await until(lambda: len(told.answers) == 9)
        made.close()
        assert len(made) == 0

    with servers("127.0.0.1", "::1") as (first, second):
        run_on(loop, main(first, second))
        wanted = [
            (b"re " + payload, *ends)
            for ends in ((A, first.end), (B, first.end), (A, second.end))
            for payload in payloads
        ]
        assert sorted(told.answers) == sorted(wanted)


def test_only_who_was_asked_can_answer(server: Server) -> None:
    told = Told()

    async def main(other: Server) -> None:
        made = told.flows()
        made.send(b"ask", A, server.end)
        _, source = server.took()
        other.sock.sendto(b"forged", source)
        server.sock.sendto(b"right", source)
        await until(lambda: bool(told.answers))
        made.close()

    with servers("127.0.0.2") as (other,):
        asyncio.run(main(other))
    assert told.answers == [(b"right", A, server.end)]


@pytest.mark.parametrize("loop", LOOPS)
def test_each_refusal_is_told_and_the_flow_goes_on(loop: str, closed_port: End) -> None:
    told = Told()

    async def main() -> None:
        made = told.flows()
        for number in range(1, 4):
            made.send(b"ask", A, closed_port)
            await until(lambda number=number: len(told.refusals) == number)  # type: ignore[misc]
        late = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with late:
            late.bind(closed_port)
            made.send(b"again", A, closed_port)
            payload, source = late.recvfrom(100)
            late.sendto(payload, source)
            await until(lambda: bool(told.answers))
        made.close()

    run_on(loop, main())
    assert told.refusals == [(A, closed_port)] * 3
    assert told.answers == [(b"again", A, closed_port)]


def test_a_datagram_after_a_refusal_is_not_lost(closed_port: End) -> None:
    """The kernel tells the next caller of send of a refusal, and sends nothing then."""
    told = Told()

    async def main() -> None:
        made = told.flows()
        made.send(b"refused", A, closed_port)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late:
            late.bind(closed_port)
            made.send(b"again", A, closed_port)
            assert late.recv(100, socket.MSG_DONTWAIT) == b"again"
        made.close()

    asyncio.run(main())
    assert told.refusals == [(A, closed_port)]


@pytest.mark.parametrize(
    "destination",
    [
        ("224.0.0.251", 5353),
        ("239.255.255.250", 1900),
        ("ff02::fb", 5353),
        ("fe80::1", 53),
    ],
)
def test_what_is_for_a_group_or_for_nobody_is_dropped(destination: End) -> None:
    told = Told()

    async def main() -> None:
        made = told.flows()
        made.send(b"hello", A, destination)
        assert len(made) == 0
        made.close()

    asyncio.run(main())
    assert not told.refusals
    assert not told.answers


def test_a_broadcast_is_sent() -> None:
    told = Told()

    async def main(everybody: Server) -> None:
        made = told.flows()
        made.send(b"wake up", A, everybody.end)
        payload, (host, _) = everybody.took()
        assert (payload, host) == (b"wake up", "127.0.0.1")
        made.close()

    with servers("127.255.255.255") as (everybody,):
        asyncio.run(main(everybody))
    assert not told.refusals


def test_one_that_is_too_large_is_dropped_alone(server: Server) -> None:
    told = Told()

    async def main() -> None:
        made = told.flows()
        made.send(bytes(65535), A, server.end)
        made.send(b"small", A, server.end)
        made.close()

    asyncio.run(main())
    assert server.took()[0] == b"small"
    assert not told.refusals


def test_what_has_no_route_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told()

    class Unreachable(socket.socket):
        def connect(self, _: object) -> None:
            raise OSError(errno.ENETUNREACH, "Network is unreachable")

    async def main() -> None:
        made = told.flows()
        monkeypatch.setattr("fairlead.dial.flows.socket.socket", Unreachable)
        made.send(b"hello", A, ("10.0.0.1", 53))
        monkeypatch.undo()
        assert len(made) == 0
        made.close()

    asyncio.run(main())
    assert told.refusals == [(A, ("10.0.0.1", 53))]


def test_a_socket_that_can_send_no_more_is_replaced(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the laptop came to another network, and the socket has an address of the old one."""
    told = Told()

    class Stale(socket.socket):
        def send(self, *_: object) -> int:
            raise OSError(errno.EINVAL, "Invalid argument")

    async def main() -> None:
        made = told.flows()
        monkeypatch.setattr("fairlead.dial.flows.socket.socket", Stale)
        made.send(b"lost", A, server.end)
        monkeypatch.undo()
        assert len(made) == 0
        made.send(b"sent", A, server.end)
        made.close()

    asyncio.run(main())
    assert server.took()[0] == b"sent"


def test_idle_flows_end(server: Server) -> None:
    told = Told()

    async def main() -> None:
        made = told.flows()
        made.send(b"answered", A, server.end)
        server.sock.sendto(b"yes", server.took()[1])
        await until(lambda: bool(told.answers))
        await asyncio.sleep(1)
        made.send(b"not answered", B, server.end)
        await asyncio.sleep(UNANSWERED - 1)
        made.send(b"used again", B, server.end)
        await asyncio.sleep(UNANSWERED - 0.1)
        assert len(made) == 2
        await asyncio.sleep(0.2)
        assert len(made) == 1
        await asyncio.sleep(ANSWERED - 2 * UNANSWERED - 0.2)
        assert len(made) == 1
        await asyncio.sleep(0.2)
        assert len(made) == 0
        made.send(b"anew", A, server.end)
        assert len(made) == 1
        await asyncio.sleep(UNANSWERED + 0.1)
        assert len(made) == 0
        made.close()

    run_virtual(main())


def test_the_longest_idle_makes_room(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows, "MOST", 3)
    told = Told()

    async def main() -> None:
        made = told.flows()

        async def ask(number: int) -> End:
            made.send(b"", ("10.1.1.1", number), server.end)
            await asyncio.sleep(1)
            return server.took()[1]

        ways = [await ask(number) for number in (1, 2, 3)]
        server.sock.sendto(b"", ways[0])
        await until(lambda: bool(told.answers))
        await ask(4)
        assert len(made) == 3
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(ways[1])
        assert [await ask(1), await ask(3)] == [ways[0], ways[2]]
        made.close()

    run_virtual(main())


def test_flows_take_a_quarter_of_the_descriptors(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptors, "limit", lambda: 40)
    monkeypatch.setattr(descriptors, "mark", lambda: 1 << 20)
    told = Told()

    async def main() -> None:
        made = told.flows()
        for number in range(1, 20):
            made.send(b"", ("10.1.1.1", number), server.end)
        assert len(made) == 10
        made.close()

    asyncio.run(main())


def test_no_descriptor_no_flow(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptors, "mark", lambda: 0)
    told = Told()

    async def main() -> None:
        made = told.flows()
        made.send(b"", A, server.end)
        assert len(made) == 0
        made.close()

    asyncio.run(main())
    assert not told.refusals


def test_it_may_be_closed_by_what_it_calls(server: Server, closed_port: End) -> None:
    answers: list[bytes] = []

    async def main() -> None:
        def answered(payload: memoryview, _source: End, _destination: End) -> None:
            answers.append(bytes(payload))
            made.close()

        made = Flows(answered, lambda *_: None)
        made.send(b"", A, server.end)
        made.send(b"", B, server.end)
        for _ in range(2):
            _, source = server.took()
            server.sock.sendto(b"1", source)
            server.sock.sendto(b"2", source)
        await until(lambda: bool(answers))
        await asyncio.sleep(0)
        made.send(b"", A, server.end)
        made.close()

        refused = Flows(lambda *_: None, lambda *_: refused.close())
        refused.send(b"", A, closed_port)
        refused.send(b"", A, closed_port)
        assert len(refused) == 0

    asyncio.run(main())
    assert answers == [b"1"]
