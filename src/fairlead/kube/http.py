"""One HTTP/1.1 connection: h11 fed by asyncio. It knows no Kubernetes and no retries."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from typing import NamedTuple, cast

import h11

from fairlead.errors import ConfigError, FairleadError, UnreachableError
from fairlead.kube.tls import ClientCertificate, explain

HIGH_WATER = 1024 * 1024
"""Bytes received and not yet asked for, before reading pauses."""
MAX_HEAD = 64 * 1024
"""Bytes of a response head; an API server sends some hundred, a proxy's cookies may add kilobytes."""


SILENCE = 30.0
"""Seconds without a byte while an answer is due; an API server answers in milliseconds, or breaks off after 60 s."""


class Request(NamedTuple):
    """One request, ready to send."""

    method: str
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes = b""


class Head(NamedTuple):
    """Status and headers of a response; names in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str | None:
        """The first value of a header."""
        return next((value for key, value in self.headers if key == name), None)


class NotSentError(Exception):
    """The connection ended before one byte of the answer; on a kept connection, that says nothing about the server."""


class HttpConnection(asyncio.Protocol):
    """One connection, for one request at a time. ``where`` is the server in words, ``certificate`` what it saw."""

    def __init__(self, where: str, certificate: ClientCertificate | None = None) -> None:
        self.where = where
        self.certificate = certificate
        self.requests = 0
        self.silence: float | None = SILENCE
        """Seconds; who reads a stream on which nothing may be due sets it to None, until the next request."""
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self._ended = False
        self._pending = 0
        self._paused = False
        self._answered = False

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Take bytes; more than HIGH_WATER that nobody asks for pauses the server."""
        self._answered = True
        self._h11.receive_data(data)
        self._pending += len(data)
        if self._pending > HIGH_WATER and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """The end of a response without a length, or of the connection."""
        self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._end(exc)
        self._transport = None
        if not self.lost.done():
            self.lost.set_result(None)

    def _end(self, exc: Exception | None) -> None:
        if not self._ended:
            self._ended = True
            self._error = exc
            self._h11.receive_data(b"")
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # the caller's side

    @property
    def reusable(self) -> bool:
        """Whether another request may follow."""
        done = self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE
        return done and not self._ended and self._transport is not None and not self._transport.is_closing()

    async def send(self, request: Request) -> Head:
        """Send ``request`` and return the head of the answer, 101 included.

        Raises NotSentError when the connection ends before any byte of it.
        """
        if self._ended:
            raise NotSentError
        if self.requests:
            self._h11.start_next_cycle()
        self.requests += 1
        self.silence = SILENCE
        self._answered = False
        self._write(request)
        while True:
            event = await self._event()
            if isinstance(event, h11.InformationalResponse) and event.status_code != 101:
                continue
            if isinstance(event, h11.InformationalResponse | h11.Response):
                headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers)
                return Head(event.status_code, headers)
            raise self._broken()

    def _write(self, request: Request) -> None:
        headers = [(name.encode(), value.strip().encode()) for name, value in request.headers]
        try:
            event = h11.Request(method=request.method, target=request.target, headers=headers)
        except h11.LocalProtocolError as error:
            raise ConfigError(f"{request.method} cannot be sent: {error}") from error
        data = self._h11.send(event) or b""
        if request.body:
            data += self._h11.send(h11.Data(data=request.body)) or b""
        data += self._h11.send(h11.EndOfMessage()) or b""
        assert self._transport is not None
        self._transport.write(data)

    async def part(self) -> bytes | None:
        """The next bytes of the answer, without chunk framing; None at its end."""
        event = await self._event()
        if isinstance(event, h11.EndOfMessage):
            return None
        if not isinstance(event, h11.Data):
            raise self._broken()
        return bytes(event.data)

    async def read(self, limit: int) -> bytes:
        """The whole answer, or UnreachableError when it is longer than ``limit`` bytes."""
        parts, size = [], 0
        while (part := await self.part()) is not None:
            size += len(part)
            if size > limit:
                raise UnreachableError(f"{self.where} sent an answer of more than {limit} bytes")
            parts.append(part)
        return b"".join(parts)

    def detach(self) -> tuple[asyncio.Transport, bytes]:
        """After a 101: the transport, and the bytes that came behind the blank line."""
        if self._ended:
            raise UnreachableError(f"{self.where} closed the connection right after the upgrade")
        transport, self._transport = self._transport, None
        assert transport is not None
        rest, _ = self._h11.trailing_data
        if self._paused:
            transport.resume_reading()
        if not self.lost.done():
            self.lost.set_result(None)
        return transport, bytes(rest)

    def abort(self) -> None:
        """End the connection at once; ``lost`` tells when it is gone."""
        if self._transport is not None:
            self._transport.abort()
        self._end(None)

    async def _event(self) -> h11.Event | type[h11.PAUSED]:
        while True:
            try:
                event = self._h11.next_event()
            except h11.RemoteProtocolError as error:
                if self._ended:
                    raise self._failure() from error
                raise UnreachableError(f"{self.where} does not speak HTTP as it should: {error}") from error
            if event is h11.NEED_DATA:
                self._pending = 0
                if self._paused and self._transport is not None:
                    self._paused = False
                    self._transport.resume_reading()
                await self._wait()
                continue
            if isinstance(event, h11.ConnectionClosed):
                raise self._failure()
            return cast("h11.Event | type[h11.PAUSED]", event)

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self.silence):
                await self._waiter
        except TimeoutError as error:
            raise UnreachableError(f"{self.where} has been silent for {self.silence:g} s") from error

    def _failure(self) -> Exception:
        """Why there is no more to read."""
        if isinstance(self._error, ssl.SSLError):
            return explain(self._error, self.where)
        if not self._answered:
            return NotSentError()
        return self._broken()

    def _broken(self) -> FairleadError:
        return UnreachableError(f"{self.where} closed the connection in the middle of its answer")
