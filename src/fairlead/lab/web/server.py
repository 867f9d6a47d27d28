"""The server's side of HTTP/1.1 connections: h11 between an asyncio transport and a function that answers requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from http import HTTPStatus
from typing import cast

import h11

from fairlead.kit import log
from fairlead.kit.tasks import Background
from fairlead.lab.web.messages import Answer, HandOver, Reply, Request, Stream, as_text

LOG = log.get(__name__)
IDLE = 300.0
"""Seconds without a request after which a connection is closed."""
HEAD_TIMEOUT = 30.0
"""Seconds for the rest of a request that has begun."""
MAX_HEAD = 64 * 1024
MAX_BODY = 3 << 20
"""Bytes of a request's body, as the API server has it."""

Handler = Callable[[Request], Awaitable[Answer]]


class Connections:
    """Those of one server, to be ended together."""

    def __init__(self, handler: Handler, tasks: Background) -> None:
        self.handler = handler
        self.tasks = tasks
        self.open: set[HttpConnection] = set()

    def make(self) -> HttpConnection:
        """For ``create_server``."""
        return HttpConnection(self)

    def abort(self) -> None:
        """Break off all."""
        for connection in list(self.open):
            connection.abort()


class HttpConnection(asyncio.Protocol):
    """One connection: a request at a time, until one hands it over."""

    def __init__(self, all_: Connections) -> None:
        self._all = all_
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
        self._head: h11.Request | None = None
        self._body = bytearray()
        self._answering: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._timer: asyncio.TimerHandle | None = None

    # -- what the transport calls --

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for a request."""
        self._transport = cast("asyncio.Transport", transport)
        self._all.open.add(self)
        self._wait(IDLE)

    def data_received(self, data: bytes) -> None:
        """Take bytes."""
        self._h11.receive_data(data)
        if self._answering is None:
            self._next()

    def eof_received(self) -> bool:
        """No further request, and nobody reads answers any more."""
        return False

    def pause_writing(self) -> None:
        """The client reads too slowly."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It goes on."""
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has left: what is being answered is answered no more."""
        self._wait(None)
        self._all.open.discard(self)
        self._writable.set()
        if self._answering is not None:
            self._answering.cancel()

    def abort(self) -> None:
        """Break off."""
        self._transport.abort()

    # -- inside --

    def _next(self) -> None:
        """Read up to the end of a request, and have it answered."""
        try:
            while True:
                event = self._h11.next_event()
                if isinstance(event, h11.Request):
                    self._head, self._body = event, bytearray()
                    self._wait(HEAD_TIMEOUT)
                    if self._h11.they_are_waiting_for_100_continue:
                        self._write(self._h11.send(h11.InformationalResponse(status_code=100, headers=[])))
                elif isinstance(event, h11.Data):
                    self._body += event.data
                    if len(self._body) > MAX_BODY:
                        self._refuse(413, f"the request has more than {MAX_BODY} bytes")
                        return
                elif isinstance(event, h11.EndOfMessage):
                    self._wait(None)
                    # What comes behind is read when this is answered, or by whoever is given the connection.
                    self._transport.pause_reading()
                    self._answering = self._all.tasks.start(self._answer(self._request()), name="answer a request")
                    return
                else:
                    return
        except h11.RemoteProtocolError as error:
            self._refuse(error.error_status_hint, f"bad request: {error}")

    def _request(self) -> Request:
        assert self._head is not None
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in self._head.headers)
        return Request(self._head.method.decode(), self._head.target.decode("latin-1"), headers, bytes(self._body))

    async def _answer(self, request: Request) -> None:
        try:
            answer = await self._all.handler(request)
        except Exception:
            LOG.exception("%s %s was not answered", request.method, request.url.partition("?")[0])
            answer = as_text("a bug of the lab; its log has more\n", 500)
        try:
            if isinstance(answer, HandOver):
                self._hand_over(answer)
                return
            if isinstance(answer, Stream):
                await self._stream(answer)
            else:
                self._reply(answer, head=request.method == "HEAD")
        except ConnectionError:
            return
        self._answering = None
        self._again()

    def _again(self) -> None:
        """The next request, if there is to be one."""
        if self._transport.is_closing():
            return
        if self._h11.our_state is not h11.DONE:
            self._transport.close()
            return
        try:
            self._h11.start_next_cycle()
        except h11.LocalProtocolError:
            self._transport.close()
            return
        self._wait(IDLE)
        self._transport.resume_reading()
        self._next()

    def _reply(self, reply: Reply, *, head: bool = False) -> None:
        headers = [("content-type", reply.content_type), ("content-length", str(len(reply.body))), *reply.headers]
        parts = [self._h11.send(_response(reply.status, headers))]
        if not head:
            parts.append(self._h11.send(h11.Data(data=reply.body)))
        parts.append(self._h11.send(h11.EndOfMessage()))
        self._write(b"".join(part for part in parts if part))

    async def _stream(self, stream: Stream) -> None:
        headers = [("content-type", stream.content_type), ("transfer-encoding", "chunked"), *stream.headers]
        self._write(self._h11.send(_response(200, headers)))
        async with aclosing(cast("_Closable", stream.body)) as chunks:
            async for chunk in chunks:
                if chunk:
                    self._write(self._h11.send(h11.Data(data=chunk)))
                    await self._writable.wait()
        self._write(self._h11.send(h11.EndOfMessage()))

    def _hand_over(self, answer: HandOver) -> None:
        rest = bytes(self._h11.trailing_data[0])
        self._all.open.discard(self)
        answer.take(self._transport, rest)

    def _refuse(self, status: int, text: str) -> None:
        if self._h11.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._reply(as_text(f"{text}\n", status, (("connection", "close"),)))
        self._transport.close()

    def _write(self, data: bytes | None) -> None:
        if self._transport.is_closing():
            raise ConnectionResetError("the client has left")
        if data:
            self._transport.write(data)

    def _wait(self, seconds: float | None) -> None:
        """Close the connection after so many seconds, unless this is called again."""
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = None if seconds is None else loop.call_later(seconds, self._transport.close)


class _Closable(AsyncIterator[bytes]):
    """What an async generator is."""

    async def aclose(self) -> None:
        """End it."""


def _response(status: int, headers: list[tuple[str, str]]) -> h11.Response:
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = ""
    return h11.Response(status_code=status, headers=headers, reason=reason)
