from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from fairlead.net.buffer import ReadBuffer
from fairlead.net.local import HIGH_WATER, LINGER, LocalConnection
from tests.support.loop import LOOPS, run_on


class Remote:
    """A ``RemoteEnd`` that records."""

    def __init__(self) -> None:
        self.got = bytearray()
        self.calls: list[str] = []

    def send(self, buffer: memoryview, start: int, end: int) -> None:
        self.got += buffer[start:end]

    def send_eof(self) -> None:
        self.calls.append("eof")

    def local_blocked(self) -> None:
        self.calls.append("blocked")

    def local_drained(self) -> None:
        self.calls.append("drained")

    def local_lost(self) -> None:
        self.calls.append("lost")


@pytest.fixture(params=LOOPS)
def joined(request: pytest.FixtureRequest) -> Any:
    """Run ``main(local, remote, client socket)`` with an accepted connection."""

    def run(main: Any) -> None:
        async def inside() -> None:
            loop = asyncio.get_running_loop()
            remote, made = Remote(), loop.create_future()

            def accept(local: LocalConnection) -> Remote:
                made.set_result(local)
                return remote

            server = await loop.create_server(lambda: LocalConnection(ReadBuffer(), accept), "127.0.0.1", 0)
            client = socket.create_connection(server.sockets[0].getsockname())
            client.setblocking(False)
            local = await made
            try:
                async with asyncio.timeout(10):
                    await main(local, remote, client)
            finally:
                client.close()
                server.close()
                local.abort()
                while not local.lost:
                    await asyncio.sleep(0)

        run_on(request.param, inside())

    return run


async def until(condition: Any) -> None:
    while not condition():
        await asyncio.sleep(0.002)


async def read_all(client: socket.socket) -> bytes:
    got = bytearray()
    while data := await asyncio.get_running_loop().sock_recv(client, 1 << 20):
        got += data
    return bytes(got)


def test_writes_of_one_flush_arrive_in_order_and_are_not_kept_as_views(joined: Any) -> None:
    async def main(local: LocalConnection, remote: Remote, client: socket.socket) -> None:
        size, rounds = 100_000, 60
        buffer = bytearray(2 * size)
        expected = bytearray()
        for number in range(rounds):
            buffer[:size] = bytes([number]) * size
            buffer[size:] = bytes([255 - number]) * size
            expected += buffer
            local.write(memoryview(buffer)[:size])
            local.write(memoryview(buffer)[size:])
            local.flush()
            buffer[:] = bytes(2 * size)
        local.write_eof()
        assert await read_all(client) == expected
        assert remote.calls == ["blocked", "drained"]

    joined(main)


def test_a_program_that_does_not_read_is_told_of_once_and_bounded_by_the_caller(joined: Any) -> None:
    async def main(local: LocalConnection, remote: Remote, client: socket.socket) -> None:
        block = memoryview(bytes(HIGH_WATER))
        while not remote.calls:
            local.write(block)
            local.flush()
        assert remote.calls == ["blocked"]
        assert local.unsent <= 2 * HIGH_WATER

    joined(main)


def test_bytes_and_the_end_of_the_programs_half_are_handed_on(joined: Any) -> None:
    async def main(local: LocalConnection, remote: Remote, client: socket.socket) -> None:
        await asyncio.get_running_loop().sock_sendall(client, bytes(range(256)) * 4000)
        client.shutdown(socket.SHUT_WR)
        await until(lambda: remote.calls == ["eof"])
        assert remote.got == bytes(range(256)) * 4000
        local.write(memoryview(b"answer"))
        local.flush()
        local.close()
        assert await read_all(client) == b"answer"
        await until(lambda: local.lost)

    joined(main)


def test_closing_delivers_the_answer_although_the_program_still_sends(joined: Any) -> None:
    async def main(local: LocalConnection, remote: Remote, client: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(client, bytes(100_000))
        answer = b"y" * 300_000
        local.write(memoryview(answer))
        local.flush()
        local.close()
        # The program goes on sending; a plain close would answer that with a reset, and the reset eats the answer.
        await loop.sock_sendall(client, bytes(100_000))
        await asyncio.sleep(0)
        assert await read_all(client) == answer

    joined(main)


def test_closing_after_the_programs_end_delivers_the_answer_and_lingers_for_nobody(joined: Any) -> None:
    async def main(local: LocalConnection, remote: Remote, client: socket.socket) -> None:
        client.shutdown(socket.SHUT_WR)
        await until(lambda: remote.calls == ["eof"])
        answer = bytes(range(256)) * (HIGH_WATER // 32)
        local.write(memoryview(answer))
        local.close()
        began = asyncio.get_running_loop().time()
        assert await read_all(client) == answer
        await until(lambda: local.lost)
        assert asyncio.get_running_loop().time() - began < LINGER
        assert "lost" not in remote.calls

    joined(main)


def test_an_abort_is_a_reset_and_drops_what_is_unsent(joined: Any) -> None:
    async def main(local: LocalConnection, remote: Remote, client: socket.socket) -> None:
        local.abort()
        with pytest.raises(ConnectionResetError):
            await asyncio.get_running_loop().sock_recv(client, 1)
        await until(lambda: local.lost)
        assert remote.calls == []
        local.abort()
        local.close()
        local.pause_reading()
        local.resume_reading()

    joined(main)


def test_a_program_that_resets_is_lost_once(joined: Any) -> None:
    async def main(local: LocalConnection, remote: Remote, client: socket.socket) -> None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
        await until(lambda: local.lost)
        assert [call for call in remote.calls if call != "eof"] == ["lost"]

    joined(main)
