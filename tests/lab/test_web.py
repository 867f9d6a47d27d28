"""The HTTP shell of the lab: answers, streams, and connections that are handed on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fairlead.kit.tasks import Background
from fairlead.lab.web import server as module
from fairlead.lab.web.hop import Ask, upgrade
from fairlead.lab.web.messages import Answer, HandOver, Reply, Request, Stream, as_json, as_text
from fairlead.lab.web.server import MAX_BODY, Connections
from fairlead.net.buffer import ReadBuffer
from fairlead.protocol.websocket import WebSocket
from tests.support.loop import LOOPS, run_on

Handler = Callable[[Request], Awaitable[Answer]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[int]:
    async with Background() as tasks:
        connections = Connections(handler, tasks)
        server = await asyncio.get_running_loop().create_server(connections.make, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            connections.abort()


async def talk(port: int, *said: bytes, until: bytes = b"") -> bytes:
    """All that the server says, or up to what a test waits for."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in said:
            writer.write(part)
            await writer.drain()
        return await (reader.readuntil(until) if until else reader.read())
    finally:
        writer.close()


@pytest.fixture(params=LOOPS)
def on_loop(request: pytest.FixtureRequest) -> Callable[[Callable[[], Awaitable[None]]], None]:
    def run(body: Callable[[], Awaitable[None]]) -> None:
        async def limited() -> None:
            async with asyncio.timeout(20):
                await body()

        run_on(request.param, limited())

    return run


async def told_back(request: Request) -> Answer:
    return as_json({"method": request.method, "url": request.url, "body": request.body.decode()})


def test_requests_one_after_the_other(on_loop: Any) -> None:
    async def body() -> None:
        async with serving(told_back) as port:
            one = b"POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
            two = b"GET /d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            answer = await talk(port, one + two)
            assert answer.count(b"HTTP/1.1 200 OK") == 2
            assert b'{"method":"POST","url":"/a?b=c","body":"hi"}' in answer
            assert b'{"method":"GET","url":"/d","body":""}' in answer

    on_loop(body)


def test_what_is_no_request_or_too_large_is_refused(on_loop: Any) -> None:
    async def body() -> None:
        async with serving(told_back) as port:
            assert (await talk(port, b"hello\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
            head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {MAX_BODY + 1}\r\n\r\n".encode()
            assert (await talk(port, head, bytes(MAX_BODY), b"x")).startswith(b"HTTP/1.1 413 ")
            assert b" 200 OK" in await talk(port, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    on_loop(body)


def test_a_bug_is_an_answer(on_loop: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def broken(request: Request) -> Answer:
        raise ValueError("secret")

    async def body() -> None:
        async with serving(broken) as port:
            answer = await talk(port, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 500 ")
            assert b"secret" not in answer

    on_loop(body)
    caplog.clear()


def test_a_stream_ends_with_its_client(on_loop: Any) -> None:
    ended = []

    async def endless(request: Request) -> Answer:
        async def chunks() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"tick\n"
                    await asyncio.sleep(0.001)
            finally:
                ended.append(True)

        return Stream(chunks())

    async def body() -> None:
        async with serving(endless) as port:
            answer = await talk(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", until=b"tick\n\r\n5\r\ntick\n")
            assert b"transfer-encoding: chunked" in answer.lower()
            while not ended:
                await asyncio.sleep(0.001)

    on_loop(body)


def test_a_stream_waits_for_a_client_that_does_not_read(on_loop: Any) -> None:
    made = []

    async def much(request: Request) -> Answer:
        async def chunks() -> AsyncIterator[bytes]:
            for index in range(1000):
                made.append(index)
                yield bytes(100_000)
                await asyncio.sleep(0)

        return Stream(chunks())

    async def body() -> None:
        async with serving(much) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            before = -1
            while len(made) != before:
                before = len(made)
                await asyncio.sleep(0.2)
            assert before < 200, "the rest is not made before somebody reads"
            size = 0
            while data := await reader.read(1 << 20):
                size += len(data)
            assert size > 100_000_000
            writer.close()

    on_loop(body)


def test_who_says_nothing_is_not_waited_for(on_loop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE", 0.05)
    monkeypatch.setattr(module, "HEAD_TIMEOUT", 0.05)

    async def body() -> None:
        async with serving(told_back) as port:
            assert await talk(port) == b""
            assert await talk(port, b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhi") == b""

    on_loop(body)


# -- upgrades through two servers --

SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n"


class Echo(asyncio.Protocol):
    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


async def far(request: Request) -> Answer:
    if not request.upgrade:
        return as_text("an upgrade is needed", 400, (("retry-after", "7"),))

    def take(transport: asyncio.Transport, rest: bytes) -> None:
        transport.write(SWITCHING + b"<" + rest)
        transport.set_protocol(Echo(transport))
        transport.resume_reading()

    return HandOver(take)


@asynccontextmanager
async def chain(*, websocket: bool = False, asks: bool = True) -> AsyncIterator[int]:
    """A server that asks another."""
    buffer = ReadBuffer()
    async with serving(far) as next_port:

        async def near(request: Request) -> Answer:
            headers = (("host", "x"), *((("connection", "Upgrade"), ("upgrade", "echo")) if asks else ()))
            return await upgrade(
                Ask("POST", "/", headers),
                lambda make: asyncio.get_running_loop().create_connection(make, "127.0.0.1", next_port),
                buffer,
                switching=lambda headers: f"101 {headers['upgrade']}\r\n\r\n".encode(),
                websocket=websocket,
            )

        async with serving(near) as port:
            yield port


ASK = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: Echo\r\n\r\n"


def test_an_upgrade_is_passed_on_with_all_bytes_around_it(on_loop: Any) -> None:
    async def body() -> None:
        async with chain() as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(ASK + b"early ")
            assert await reader.readuntil(b"early ") == b"101 echo\r\n\r\n<early "
            big = bytes(range(256)) * 40_000
            writer.write(big)
            sending = asyncio.get_running_loop().create_task(writer.drain())
            assert await reader.readexactly(len(big)) == big
            await sending
            writer.write_eof()
            assert await reader.read() == b"", "the end of one is the end of both"
            writer.close()

    on_loop(body)


def test_a_websocket_is_unpacked_on_the_way(on_loop: Any) -> None:
    got = bytearray()

    class Listener:
        def on_payload(self, data: memoryview) -> None:
            got.extend(data)

        def on_close(self, code: int, reason: str) -> None:
            got.extend(f"!{code}".encode())

    async def body() -> None:
        client = WebSocket(Listener(), client=True, mask=lambda: b"abcd")
        async with chain(websocket=True) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(ASK)
            assert await reader.readuntil(b"\r\n\r\n") == b"101 echo\r\n\r\n"
            writer.write(client.message(b"hello") + client.message(b"") + client.message(b" you"))
            while bytes(got) != b"<hello you":
                client.receive(memoryview(await reader.read(1000)))
            client.close()
            writer.write(client.take_outgoing())
            while data := await reader.read(1000):
                client.receive(memoryview(data))
            assert got.endswith(b"!1000")
            writer.close()

    on_loop(body)


def test_a_refusal_is_passed_on(on_loop: Any) -> None:
    async def body() -> None:
        async with chain(asks=False) as port:
            answer = await talk(port, ASK.replace(b"Upgrade: Echo", b"Upgrade: echo"), until=b"needed")
            assert answer.startswith(b"HTTP/1.1 400 ")
            assert b"retry-after: 7" in answer.lower()

    on_loop(body)


def test_a_server_that_is_not_there_or_says_nonsense(on_loop: Any) -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"nonsense\r\n\r\n")
        writer.close()

    async def body() -> None:
        server = await asyncio.start_server(nonsense, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        ask = Ask("POST", "/", (("host", "x"),))
        for _ in range(2):
            with pytest.raises(OSError):  # noqa: PT011 (of several kinds)
                await upgrade(
                    ask,
                    lambda make: loop.create_connection(make, "127.0.0.1", port),
                    ReadBuffer(),
                    switching=lambda headers: b"",
                )
            server.close()
            await server.wait_closed()

    on_loop(body)


def test_a_reply_is_whole() -> None:
    assert as_text("x", 404) == Reply(404, b"x", "text/plain; charset=utf-8", ())
