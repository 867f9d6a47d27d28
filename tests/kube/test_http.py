from __future__ import annotations

import asyncio
from weakref import ref

import pytest

from fairlead.errors import UnreachableError
from fairlead.kube import http
from fairlead.kube.http import HIGH_WATER, HttpConnection, NotSentError, Request
from tests.support.loop import run, run_virtual


class Wire(asyncio.Transport):
    """A transport that keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.told: list[str] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += bytes(data)

    def pause_reading(self) -> None:
        self.told.append("pause")

    def resume_reading(self) -> None:
        self.told.append("resume")

    def is_closing(self) -> bool:
        return "abort" in self.told

    def abort(self) -> None:
        self.told.append("abort")


GET = Request("GET", "/x", [("Host", "a")])


def connected() -> tuple[HttpConnection, Wire]:
    connection, wire = HttpConnection("the server"), Wire()
    connection.connection_made(wire)
    return connection, wire


def test_two_requests_on_one_connection() -> None:
    async def main() -> None:
        connection, wire = connected()
        for _ in range(2):
            connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: b\r\n\r\nhi")
            head = await connection.send(GET)
            assert (head.status, head.get("x-a"), head.get("x-c")) == (200, "b", None)
            assert await connection.read(10) == b"hi"
            assert connection.reusable
        assert wire.sent == b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n" * 2
        connection.connection_lost(None)
        assert not connection.reusable

    run(main())


def test_what_is_lost_holds_no_buffers() -> None:
    """Those of TLS are a quarter of a MiB, and who has seen it fail may be left to the garbage collector."""

    async def main() -> None:
        connection, wire = connected()
        held = ref(wire)
        del wire
        connection.connection_lost(ConnectionResetError())
        assert held() is None
        connection.abort()

    run(main())


def test_informational_answers_are_skipped() -> None:
    async def main() -> None:
        connection, _ = connected()
        connection.data_received(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
        assert (await connection.send(GET)).status == 204
        assert await connection.read(10) == b""

    run(main())


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    async def main() -> None:
        connection, _ = connected()
        connection.data_received(b"HTTP/1.1 200 OK\r\n\r\nhi")
        await connection.send(GET)
        connection.eof_received()
        assert await connection.read(10) == b"hi"
        assert not connection.reusable

    run(main())


def test_reading_pauses_while_nobody_asks() -> None:
    async def main() -> None:
        connection, wire = connected()
        size = 3 * HIGH_WATER
        connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        await connection.send(GET)
        connection.data_received(bytes(HIGH_WATER + 1))
        connection.data_received(bytes(10))
        assert wire.told == ["pause"]
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(connection.read(size), name="read")
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert wire.told == ["pause", "resume"]
            connection.data_received(bytes(size - HIGH_WATER - 11))
        assert len(reading.result()) == size

    run(main())


def test_an_answer_is_bounded() -> None:
    async def main() -> None:
        connection, _ = connected()
        connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n01234567890")
        await connection.send(GET)
        with pytest.raises(UnreachableError, match="more than 10 bytes"):
            await connection.read(10)

    run(main())


def test_a_head_is_bounded() -> None:
    async def main() -> None:
        connection, _ = connected()
        connection.data_received(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 20_000)
        with pytest.raises(UnreachableError, match="does not speak HTTP as it should"):
            await connection.send(GET)

    run(main())


def test_silence_is_an_error() -> None:
    async def main() -> None:
        connection, _ = connected()
        loop = asyncio.get_running_loop()
        with pytest.raises(UnreachableError, match="the server has been silent for 30 s"):
            await connection.send(GET)
        assert loop.time() == http.SILENCE

    run_virtual(main())


def test_a_request_after_a_stream_that_might_be_silent_is_answered_in_time() -> None:
    async def main() -> None:
        connection, _ = connected()
        connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await connection.send(GET)
        connection.silence = None
        await connection.read(10)
        assert connection.reusable
        with pytest.raises(UnreachableError, match="the server has been silent for 30 s"):
            await connection.send(GET)

    run_virtual(main())


def test_a_stream_may_be_silent() -> None:
    async def main() -> None:
        connection, _ = connected()
        connection.data_received(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await connection.send(GET)
        connection.silence = None
        asyncio.get_running_loop().call_later(7200, connection.data_received, b"2\r\nhi\r\n")
        assert await connection.part() == b"hi"

    run_virtual(main())


def test_an_end_before_any_answer_is_told_apart() -> None:
    async def main() -> None:
        connection, _ = connected()
        asyncio.get_running_loop().call_soon(connection.connection_lost, ConnectionResetError())
        with pytest.raises(NotSentError):
            await connection.send(GET)
        with pytest.raises(NotSentError):
            await connection.send(GET)

    run(main())
