"""Connections that lead to a port of the laptop itself."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from fairlead.dial import laptop
from fairlead.dial.laptop import Joined, elsewhere, in_words, localhost
from fairlead.errors import MachineError
from fairlead.kit.tasks import Background
from fairlead.net import descriptors
from fairlead.net.buffer import ReadBuffer
from fairlead.net.local import LocalConnection
from tests.support.loop import LOOPS, run_on

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def joined(port: int) -> AsyncIterator[tuple[int, list[str]]]:
    """A listener whose connections lead to ``port``; its own port, and what failed."""
    buffer = ReadBuffer()
    failed: list[str] = []
    live: set[LocalConnection] = set()
    async with Background() as tasks:

        def accept(local: LocalConnection) -> Joined:
            return Joined(local, localhost(port), buffer, tasks, lambda error: failed.append(in_words(error)))

        def made() -> LocalConnection:
            local = LocalConnection(buffer, accept, live.discard)
            live.add(local)
            return local

        server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1], failed
        finally:
            server.close()
            async with asyncio.timeout(5):
                while live:
                    await asyncio.sleep(0.01)


async def with_program(serve: Serve, client: Callable[[int], Awaitable[None]]) -> None:
    program = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with program, joined(program.sockets[0].getsockname()[1]) as (port, failed):
        async with asyncio.timeout(20):
            await client(port)
        assert failed == []


def test_bytes_both_ways_and_half_closes() -> None:
    data = os.urandom(8 << 20)

    async def answer_at_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(hashlib.sha256(await reader.read()).digest() + data)
        writer.close()

    async def client(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(data)
        writer.write_eof()
        assert await reader.read() == hashlib.sha256(data).digest() + data
        writer.close()

    asyncio.run(with_program(answer_at_the_end, client))


def test_the_program_ends_first_and_goes_on_reading() -> None:
    got = bytearray()

    async def end_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"bye")
        writer.write_eof()
        got.extend(await reader.read())
        writer.close()

    async def client(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read() == b"bye"
        writer.write(b"x" * 100_000)
        writer.write_eof()
        await writer.drain()
        while len(got) < 100_000:
            await asyncio.sleep(0.01)
        writer.close()

    asyncio.run(with_program(end_first, client))


def test_a_reset_of_the_program_is_a_reset() -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        writer.transport.abort()

    async def client(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"x")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()

    asyncio.run(with_program(reset, client))


def test_where_nothing_listens_it_is_reset_and_told() -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            unused = free.getsockname()[1]
        async with joined(unused) as (port, failed):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()
            assert failed == [os.strerror(errno.ECONNREFUSED)]

    asyncio.run(main())


@contextlib.contextmanager
def silent() -> Iterator[int]:
    """A port that answers no connection, as an address behind a firewall: its queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.create_connection(full.getsockname()):
        yield full.getsockname()[1]


def connecting(port: int) -> int:
    """Sockets of this machine that still wait for that port to answer (SYN_SENT)."""
    with open("/proc/net/tcp") as file:
        rows = [line.split() for line in file]
    return sum(row[2].endswith(f":{port:04X}") and row[3] == "02" for row in rows)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("loop", LOOPS)
def test_who_gives_up_leaves_nothing_that_connects(loop: str) -> None:
    async def main() -> None:
        with silent() as nobody:
            async with joined(nobody) as (port, failed):
                sock = socket.create_connection(("127.0.0.1", port))
                await until(lambda: connecting(nobody) == 1)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                sock.close()
                await until(lambda: connecting(nobody) == 0)
                assert failed == []

    run_on(loop, main())


@pytest.mark.parametrize("loop", LOOPS)
def test_who_is_done_sending_waits_not_for_ever(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that closes its socket looks like one that only sends no more."""
    monkeypatch.setattr(laptop, "GIVEN_UP", 0.2)

    async def main() -> None:
        with silent() as nobody:
            async with joined(nobody) as (port, failed):
                socket.create_connection(("127.0.0.1", port)).close()
                await until(lambda: connecting(nobody) == 1)
                await until(lambda: connecting(nobody) == 0)
                assert failed == [os.strerror(errno.ETIMEDOUT)]

    run_on(loop, main())


def test_the_last_descriptors_are_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    met: list[object] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append(reader)

    async def main() -> None:
        program = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with program, joined(program.sockets[0].getsockname()[1]) as (port, failed):
            monkeypatch.setattr(descriptors, "limit", lambda: 8)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()
            assert failed == [os.strerror(errno.EMFILE)]
            assert met == []

    asyncio.run(main())


def test_a_network_that_is_gone_is_an_error_of_the_connection() -> None:
    async def gone(family: int) -> socket.socket:
        raise MachineError("the process that holds the private network was killed")

    async def main() -> None:
        with pytest.raises(OSError, match="was killed"):
            await elsewhere(gone, "127.0.0.1", 80)(lambda: pytest.fail("nothing was connected"))

    asyncio.run(main())
