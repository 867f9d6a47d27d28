"""The server's side of one HTTP/1.1 connection, up to its upgrade: h11 fed by asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple, cast

import h11

from fairlead.lab.cri.upgrade import Answer, Request, Upgrade
from fairlead.net.buffer import ReadBuffer

HEAD_TIMEOUT = 30.0
"""Seconds for a request, from the connection or from the answer before."""
MAX_HEAD = 64 * 1024
"""Bytes of a request's head; that of an exec has the command in its token, and so needs some hundred."""
MAX_BODY = 64 * 1024
"""Bytes of a body, which nobody reads: clients send none."""


class Accepted(NamedTuple):
    """An upgrade, and what speaks from then on."""

    upgrade: Upgrade
    protocol: asyncio.BufferedProtocol
    begin: Callable[[], None] = lambda: None
    """Called once it can write; a protocol in which the server speaks first does that here."""


Route = Callable[[Request], Answer | Accepted]


class HttpFront(asyncio.BufferedProtocol):
    """Answers requests until one is an upgrade, and hands the transport over then, with what came behind the request.

    Read into a buffer from the start: uvloop reads on in the way that it began to.
    """

    def __init__(self, buffer: ReadBuffer, route: Route, gone: Callable[[HttpFront], None]) -> None:
        self._buffer = buffer
        self._route = route
        self._gone = gone
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
        self._request: Request | None = None
        self._body = 0
        self._broken = False
        self._timer: asyncio.TimerHandle | None = None

    # -- what the transport calls --

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for a request."""
        self._transport = cast("asyncio.Transport", transport)
        self._restart_timer()

    def get_buffer(self, sizehint: int) -> memoryview:
        """The loop's shared buffer."""
        return self._buffer.little

    def buffer_updated(self, nbytes: int) -> None:
        """Take bytes."""
        if self._transport.is_closing():
            return
        self._h11.receive_data(bytes(self._buffer.little[:nbytes]))
        try:
            self._answer_all()
        except h11.RemoteProtocolError as error:
            self._send(Answer(error.error_status_hint, f"bad request: {error}"), close=True)

    def eof_received(self) -> bool:
        """No further request."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Over."""
        self._end_timer()
        self._gone(self)

    def abort(self) -> None:
        """Break off."""
        self._transport.abort()

    # -- inside --

    def _answer_all(self) -> None:
        while True:
            event = self._h11.next_event()
            if isinstance(event, h11.Request):
                self._request = _request(event)
                self._body = 0
            elif isinstance(event, h11.Data):
                self._body += len(event.data)
                if self._body > MAX_BODY:
                    self._send(Answer(413, "the request has a body that is too large"), close=True)
                    return
            elif isinstance(event, h11.EndOfMessage):
                assert self._request is not None
                answer = self._route(self._request)
                if isinstance(answer, Accepted):
                    self._hand_over(answer)
                    return
                self._send(answer)
                if self._h11.our_state is not h11.DONE:
                    return
                self._h11.start_next_cycle()
                self._restart_timer()
            else:  # more bytes are needed, or the connection is not one for further requests
                return

    def _send(self, answer: Answer, *, close: bool = False) -> None:
        if self._broken:
            self._transport.close()
            return
        self._broken = close
        body = f"{answer.body}\n".encode()
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("X-Content-Type-Options", "nosniff"),
            ("Content-Length", str(len(body))),
            *answer.headers,
            *((("Connection", "close"),) if close else ()),
        ]
        response = h11.Response(status_code=answer.status, headers=headers, reason=HTTPStatus(answer.status).phrase)
        sent = [self._h11.send(response), self._h11.send(h11.Data(data=body)), self._h11.send(h11.EndOfMessage())]
        self._transport.write(b"".join(part for part in sent if part))
        if close or self._h11.our_state is not h11.DONE:
            self._transport.close()

    def _hand_over(self, accepted: Accepted) -> None:
        """Nothing is awaited from the answer to the new protocol, so that no byte can come in between."""
        switching = h11.InformationalResponse(
            status_code=101, headers=list(accepted.upgrade.headers), reason="Switching Protocols"
        )
        self._transport.write(self._h11.send(switching) or b"")
        self._end_timer()
        protocol, transport = accepted.protocol, self._transport
        rest = memoryview(bytes(self._h11.trailing_data[0]))
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        self._gone(self)
        accepted.begin()
        while rest:
            room = memoryview(protocol.get_buffer(len(rest)))
            count = min(len(room), len(rest))
            room[:count] = rest[:count]
            protocol.buffer_updated(count)
            rest = rest[count:]

    def _restart_timer(self) -> None:
        self._end_timer()
        self._timer = asyncio.get_running_loop().call_later(HEAD_TIMEOUT, self._transport.close)

    def _end_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _request(event: h11.Request) -> Request:
    path, _, query = event.target.decode("latin-1").partition("?")
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers)
    return Request(event.method.decode(), path, query, headers)
