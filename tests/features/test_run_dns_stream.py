"""DNS over TCP: questions behind each other, half-closed connections, and programs that do not behave."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable
from typing import cast

import pytest

from fairlead.features.run.dns_stream import MOST_OPEN, DnsStream
from fairlead.kit.tasks import Background
from fairlead.net.buffer import ReadBuffer
from fairlead.net.local import LocalConnection
from fairlead.protocol.dns import MOST_MESSAGE, MessageReader, framed
from tests.support.loop import LOOPS, run_on, run_virtual


class Local:
    """The program's side, as far as a stream sees it."""

    def __init__(self) -> None:
        self.written = bytearray()
        self.paused = False
        self.closed = self.aborted = False

    def write(self, data: memoryview) -> None:
        assert not self.closed
        assert not self.aborted
        self.written += data

    def flush(self) -> None:
        pass

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True

    def is_paused(self) -> bool:
        return self.paused

    def is_closed(self) -> bool:
        return self.closed

    def answers(self) -> list[bytes]:
        return [answer[12:] for answer in MessageReader().feed(bytes(self.written))]


class Server:
    """Answers when it is let."""

    def __init__(self) -> None:
        self.waiting: list[tuple[bytes, asyncio.Future[bytes | None]]] = []
        self.most = 0

    async def answer(self, query: bytes, limit: int) -> bytes | None:
        assert limit == MOST_MESSAGE
        future: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self.waiting.append((query, future))
        self.most = max(self.most, len(self.waiting))
        return await future

    async def let(self, index: int = 0, *, silent: bool = False) -> None:
        query, future = self.waiting.pop(index)
        future.set_result(None if silent else query)
        await settle()

    async def let_all(self) -> None:
        while self.waiting:
            await self.let()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def query(number: int | bytes, size: int = 0) -> bytes:
    text = number if isinstance(number, bytes) else b"%d" % number
    return framed(bytes(12) + text.ljust(size, b"."))


def send(stream: DnsStream, data: bytes) -> None:
    stream.send(memoryview(data), 0, len(data))


def play(body: Callable[[Local, Server, DnsStream], Awaitable[None]]) -> None:
    async def main() -> None:
        async with Background() as tasks:
            local, server = Local(), Server()
            await body(local, server, DnsStream(cast("LocalConnection", local), server.answer, tasks))

    run_virtual(main())


def test_answers_come_as_they_are_found() -> None:
    async def body(local: Local, server: Server, stream: DnsStream) -> None:
        send(stream, query(1) + query(2) + query(3)[:5])
        await settle()
        assert len(server.waiting) == 2
        await server.let(1)
        assert local.answers() == [b"2"]
        send(stream, query(3)[5:])
        await settle()
        await server.let_all()
        assert local.answers() == [b"2", b"1", b"3"]
        assert not local.is_closed()

    play(body)


def test_one_byte_at_a_time() -> None:
    async def body(local: Local, server: Server, stream: DnsStream) -> None:
        for byte in query(1) + query(2):
            send(stream, bytes([byte]))
        await settle()
        await server.let_all()
        assert local.answers() == [b"1", b"2"]

    play(body)


def test_a_program_that_sends_no_more_has_its_answers_and_then_the_end() -> None:
    async def body(local: Local, server: Server, stream: DnsStream) -> None:
        send(stream, query(1) + query(2))
        await settle()
        stream.send_eof()
        assert not local.is_closed()
        await server.let()
        assert not local.is_closed()
        await server.let(silent=True)
        assert local.is_closed()
        assert local.answers() == [b"1"]

    play(body)


def test_a_program_that_asks_nothing() -> None:
    async def body(local: Local, server: Server, stream: DnsStream) -> None:
        stream.send_eof()
        assert local.is_closed()

    play(body)


def test_half_a_question_is_none() -> None:
    async def body(local: Local, server: Server, stream: DnsStream) -> None:
        send(stream, query(1)[:7])
        stream.send_eof()
        await settle()
        assert local.is_closed()
        assert not server.waiting

    play(body)


def test_a_program_that_is_gone_is_not_written_to() -> None:
    async def body(local: Local, server: Server, stream: DnsStream) -> None:
        send(stream, query(1) + query(2) * 100)
        await settle()
        stream.local_lost()
        await server.let_all()
        assert not local.written
        assert not local.is_closed()

    play(body)


@pytest.mark.parametrize("junk", [b"\x00\x0b" + bytes(11), b"\x00\x00", b"\x00\x05hello"])
def test_what_is_no_dns_is_cut_off(junk: bytes) -> None:
    async def body(local: Local, server: Server, stream: DnsStream) -> None:
        send(stream, query(1) + junk)
        await settle()
        assert local.aborted
        send(stream, query(2))
        stream.send_eof()
        stream.local_drained()
        stream.local_lost()
        await settle()
        await server.let_all()
        assert server.most <= 1
        assert not local.written
        assert not local.is_closed()

    play(body)


def test_many_at_once_wait_for_each_other() -> None:
    async def body(local: Local, server: Server, stream: DnsStream) -> None:
        send(stream, b"".join(map(query, range(3000))))
        await settle()
        assert local.is_paused()
        assert len(server.waiting) == MOST_OPEN
        await server.let()
        assert local.is_paused(), "some are still to be asked"
        stream.send_eof()
        await server.let_all()
        assert server.most == MOST_OPEN
        assert local.answers() == [b"%d" % number for number in range(3000)]
        assert local.is_closed()

    play(body)


def test_the_next_are_read_when_there_is_room() -> None:
    async def body(local: Local, server: Server, stream: DnsStream) -> None:
        send(stream, b"".join(map(query, range(MOST_OPEN - 1))))
        await settle()
        assert not local.is_paused()
        send(stream, query(0))
        assert local.is_paused()
        await settle()
        await server.let()
        assert not local.is_paused()

    play(body)


def test_a_program_that_does_not_read_is_not_read_from() -> None:
    async def body(local: Local, server: Server, stream: DnsStream) -> None:
        send(stream, b"".join(map(query, range(MOST_OPEN))))
        await settle()
        stream.local_blocked()
        await server.let_all()
        assert local.is_paused(), "whatever was answered meanwhile"
        stream.local_drained()
        assert not local.is_paused()
        send(stream, b"".join(map(query, range(MOST_OPEN))))
        await settle()
        stream.local_blocked()
        stream.local_drained()
        assert local.is_paused(), "as many as may be are open"
        await server.let_all()
        assert not local.is_paused()

    play(body)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_flood_that_nobody_reads_is_held_back(loop: str) -> None:
    """On a real connection: what is asked and not read stays with who asks."""

    async def echo(query: bytes, limit: int) -> bytes | None:
        return query

    async def main() -> None:
        near, far = socket.socketpair()
        for sock in near, far:
            sock.setblocking(False)
        chance, event_loop = random.Random(1), asyncio.get_running_loop()
        asked = b"".join(query(number, chance.randint(1, 3000)) for number in range(6000))
        async with Background() as tasks, asyncio.timeout(30):
            _, local = await event_loop.connect_accepted_socket(
                lambda: LocalConnection(ReadBuffer(), lambda local: DnsStream(local, echo, tasks)), near
            )
            sending = tasks.start(event_loop.sock_sendall(far, asked), name="ask")
            for _ in range(1000):
                await asyncio.sleep(0)
            assert not sending.done()
            assert local.unsent < 4 << 20
            got = bytearray()
            while len(got) < len(asked):
                got += await event_loop.sock_recv(far, 1 << 20)
            await sending
            assert sorted(MessageReader().feed(bytes(got))) == sorted(MessageReader().feed(asked))
            far.shutdown(socket.SHUT_WR)
            assert await event_loop.sock_recv(far, 1) == b""
            far.close()

    run_on(loop, main())
