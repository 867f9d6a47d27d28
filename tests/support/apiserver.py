"""A scripted HTTP/1.1 server on loopback that records what it is asked, over TLS or plain."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self

import h11

from tests.support.loopback import LoopbackServer
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


class ScriptedServer(LoopbackServer):
    """``handler`` answers each request; None means that it wrote, or closed, itself.

    ``idle`` is set when the last connection has ended.
    """

    def __init__(self, handler: Handler, *, context: ssl.SSLContext | None = None, tls: bool = True) -> None:
        super().__init__((context or certificates().server_context()) if tls else None)
        self.seen: list[Seen] = []
        self.connections = 0
        self.open: set[asyncio.StreamWriter] = set()
        self.idle = asyncio.Event()
        self._handler = handler
        self._names: dict[ssl.SSLObject, str | None] = {}

    async def __aenter__(self) -> Self:
        if self._context is not None:
            self._context.sni_callback = self._note_name
        return await super().__aenter__()

    def _note_name(self, link: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        self._names[link] = name

    @property
    def url(self) -> str:
        return f"{'https' if self._context else 'http'}://127.0.0.1:{self.port}"

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open.add(writer)
        self.idle.clear()
        try:
            await self._requests(reader, writer, self.connections)
        except h11.RemoteProtocolError:
            pass
        finally:
            self.open.discard(writer)
            if not self.open:
                self.idle.set()

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


def scripted(*answers: Answer) -> Handler:
    """A handler that gives one answer after the other; the last one stays."""
    left = list(answers)

    async def handler(exchange: Exchange) -> Answer:
        return left.pop(0) if len(left) > 1 else left[0]

    return handler


def raw(data: bytes, *, close: bool = False) -> Handler:
    """A handler that writes these bytes, and may close the connection behind them."""

    async def handler(exchange: Exchange) -> None:
        exchange.writer.write(data)
        await exchange.writer.drain()
        if close:
            exchange.writer.close()

    return handler


async def silent(exchange: Exchange) -> None:
    """A handler that never answers."""
    await exchange.reader.read()
