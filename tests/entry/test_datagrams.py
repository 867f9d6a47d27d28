from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Iterator
from typing import cast

import pytest

from fairlead.entry import datagrams
from fairlead.entry.datagrams import Datagrams
from fairlead.protocol.ip import MOST_4, End, port_unreachable, udp
from tests.support.loop import LOOPS, run_on

Got = tuple[bytes, End, End]


class Raw:
    """Takes the packets in the place of a raw socket, which only root and the owner of a namespace may have."""

    def __init__(self, family: int, error: int = 0) -> None:
        self.family = family
        self.error = error
        self.sent: list[tuple[bytes, End]] = []
        self.closed = False

    def setblocking(self, _flag: bool) -> None:
        pass

    def sendto(self, packet: bytes, to: End) -> None:
        if self.error:
            raise OSError(self.error, "no")
        self.sent.append((packet, to))

    def close(self) -> None:
        self.closed = True


def captured(family: int) -> socket.socket:
    """Says where a datagram was to go, as a transparent one does; so one on all addresses can be told them."""
    sock = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_IP, 20, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.IPPROTO_IPV6, 74, 1)
    sock.bind(("", 0))
    return sock


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["127.0.0.5", "::1"])
def program(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, socket.socket, End]]:
    """A captured socket, one of a program, and where that sends to."""
    address: str = request.param
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    caught = captured(family)
    with caught, socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.bind(("::1" if ":" in address else "127.0.0.1", 0))
        sock.connect((address, caught.getsockname()[1]))
        yield caught, sock, (address, caught.getsockname()[1])


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0)


def raw_pair(error: int = 0) -> tuple[list[Raw], list[socket.socket]]:
    made = [Raw(socket.AF_INET, error), Raw(socket.AF_INET6, error)]
    return made, cast("list[socket.socket]", made)


def test_a_datagram_comes_with_both_its_ends(loop: str, program: tuple[socket.socket, socket.socket, End]) -> None:
    caught, sock, destination = program
    payloads = [b"", b"one", bytes(range(256)) * 200]
    got: list[Got] = []

    async def main() -> None:
        reads = Datagrams([caught], (), lambda payload, source, to: got.append((bytes(payload), source, to)))
        for payload in payloads:
            sock.send(payload)
        await until(lambda: len(got) == 3)
        reads.close()

    source = sock.getsockname()[:2]
    run_on(loop, main())
    assert got == [(payload, source, destination) for payload in payloads]
    assert caught.fileno() == -1


def test_a_flood_leaves_turns_to_others(
    loop: str, program: tuple[socket.socket, socket.socket, End], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datagrams, "AT_ONCE", 5)
    caught, sock, _ = program
    turns: list[int] = []
    turn = 0

    async def main() -> None:
        nonlocal turn
        reads = Datagrams([caught], (), lambda *_: turns.append(turn))
        for _ in range(50):
            sock.send(b"x")
        async with asyncio.timeout(10):
            while len(turns) < 50:
                turn += 1
                await asyncio.sleep(0)
        reads.close()

    run_on(loop, main())
    assert max(turns.count(each) for each in turns) == 5


def test_it_may_be_closed_by_what_it_calls(loop: str, program: tuple[socket.socket, socket.socket, End]) -> None:
    caught, sock, _ = program
    got: list[bytes] = []

    async def main() -> None:
        def deliver(payload: memoryview, _source: End, _destination: End) -> None:
            got.append(bytes(payload))
            reads.close()

        reads = Datagrams([caught], (), deliver)
        sock.send(b"1")
        sock.send(b"2")
        await until(lambda: bool(got))
        await asyncio.sleep(0)

    run_on(loop, main())
    assert got == [b"1"]


@pytest.mark.parametrize(
    ("program", "far", "index"),
    [(("10.0.0.1", 40000), ("10.9.8.7", 53), 0), (("fd00::1", 40000), ("2001:db8::7", 53), 1)],
)
def test_answers_are_whole_packets_on_the_socket_of_their_family(program: End, far: End, index: int) -> None:
    raws, given = raw_pair()

    async def main() -> None:
        made = Datagrams((), given, lambda *_: None)
        made.reply(b"yes", program, far)
        made.refuse(program, far)
        made.refuse(program, far, bytes(65535))
        made.close()

    asyncio.run(main())
    packets = [udp(far, program, b"yes"), port_unreachable(program, far), port_unreachable(program, far, bytes(MOST_4))]
    assert raws[index].sent == [(packet, (program[0], 0)) for packet in packets]
    assert not raws[1 - index].sent
    assert all(raw.closed for raw in raws)


@pytest.mark.parametrize("error", [errno.EAGAIN, errno.ENOBUFS, errno.EMSGSIZE, errno.EPERM])
def test_what_cannot_be_sent_is_dropped_and_logged_once(error: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(1)
    _, given = raw_pair(error)

    async def main() -> None:
        made = Datagrams((), given, lambda *_: None)
        for _ in range(3):
            made.reply(b"yes", ("10.0.0.1", 1), ("10.0.0.2", 2))
            made.refuse(("::1", 1), ("::2", 2))
        made.close()

    asyncio.run(main())
    assert len([line for line in caplog.messages if "dropped" in line]) == 1


def test_an_answer_that_is_too_large_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(1)
    raws, given = raw_pair()

    async def main() -> None:
        made = Datagrams((), given, lambda *_: None)
        made.reply(bytes(MOST_4 + 1), ("10.0.0.1", 1), ("10.0.0.2", 2))
        made.reply(bytes(MOST_4), ("10.0.0.1", 1), ("10.0.0.2", 2))
        made.close()

    asyncio.run(main())
    assert [len(packet) for packet, _ in raws[0].sent] == [65535]
    assert any("Message too long" in line for line in caplog.messages)
