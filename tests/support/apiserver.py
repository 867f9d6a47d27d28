"""A scripted HTTP/1.1 server on loopback that records what it is asked, over TLS or plain."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import h11

from tests.support.tlsfiles import certificates


@dataclass
class Seen:
    """One request, and what the connection told about its client."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    connection: int
    sni: str | None = None
    client: str | None = None

    def get(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass
class Answer:
    """What to say: a whole response; ``close`` ends the connection after it."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: tuple[tuple[str, str], ...] = ()
    close: bool = False

    def encode(self) -> bytes:
        data = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        lines = [
            f"HTTP/1.1 {self.status} Said",
            f"Content-Length: {len(data)}",
            *(f"{k}: {v}" for k, v in self.headers),
        ]
        return "\r\n".join([*lines, "", ""]).encode() + data


def status(code: int, message: str, reason: str = "", **details: Any) -> Answer:
    """An answer with a Status object."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message}
    return Answer(code, {**body, "reason": reason, "details": details})


@dataclass
class Exchange:
    """One request in the hands of a handler that wants the wire itself."""

    seen: Seen
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


Handler = Callable[[Exchange], Awaitable[Answer | None]]


class ScriptedServer:
    """``handler`` answers each request; None means that it wrote, or closed, itself.

    ``idle`` is set when the last connection has ended.
    """

    def __init__(self, handler: Handler, *, context: ssl.SSLContext | None = None, tls: bool = True) -> None:
        self.seen: list[Seen] = []
        self.connections = 0
        self.open: set[asyncio.StreamWriter] = set()
        self.idle = asyncio.Event()
        self._writers: list[asyncio.StreamWriter] = []
        self._handler = handler
        self._context = (context or certificates().server_context()) if tls else None
        self._names: dict[ssl.SSLObject, str | None] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self.port = 0

    async def __aenter__(self) -> Self:
        if self._context is not None:
            self._context.sni_callback = self._note_name
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._server.wait_closed()
        for writer in self._writers:
            writer.transport.abort()  # one that is closing may wait for its peer's word otherwise
        for _ in range(3):
            await asyncio.sleep(0)  # aborted transports close their sockets in the next turns of the loop

    def _note_name(self, link: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        self._names[link] = name

    @property
    def url(self) -> str:
        return f"{'https' if self._context else 'http'}://127.0.0.1:{self.port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        number = self.connections
        self.open.add(writer)
        self._writers.append(writer)
        self.idle.clear()
        try:
            await self._requests(reader, writer, number)
        except (ConnectionError, ssl.SSLError, asyncio.CancelledError, h11.RemoteProtocolError):
            pass
        finally:
            self.open.discard(writer)
            if not self.open:
                self.idle.set()
            self._tasks.discard(task)
            if not writer.transport.is_closing():  # else the handler closed it, and what it wrote is still on its way
                writer.transport.abort()

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        parser = h11.Connection(h11.SERVER)
        while True:
            seen = await self._read(parser, reader, writer, number)
            if seen is None:
                return
            self.seen.append(seen)
            answer = await self._handler(Exchange(seen, reader, writer))
            if answer is None:
                return
            writer.write(answer.encode())
            await writer.drain()
            if answer.close:
                return
            parser = h11.Connection(h11.SERVER)

    async def _read(
        self, parser: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> Seen | None:
        request, body = None, b""
        while True:
            event = parser.next_event()
            if event is h11.NEED_DATA:
                parser.receive_data(await reader.read(65536))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage) and request is not None:
                break
            else:
                return None
        link = writer.get_extra_info("ssl_object")
        cert = link.getpeercert() if link is not None else None
        names = dict(pair[0] for pair in cert["subject"]) if cert else {}
        return Seen(
            request.method.decode(),
            request.target.decode(),
            [(name.decode(), value.decode()) for name, value in request.headers.raw_items()],
            body,
            number,
            self._names.get(link),
            names.get("commonName"),
        )
