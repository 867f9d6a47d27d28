"""The next server of a chain: it is asked for an upgrade, and what it says from then on is the client's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, cast

import h11

from fairlead.lab.web.messages import HandOver, Headers, Reply
from fairlead.lab.web.splice import Messages, Plain, Wrapping, join
from fairlead.net.buffer import ReadBuffer

PATIENCE = 30.0
"""Seconds for the answer of the next server."""
MOST_BODY = 64 * 1024
"""Bytes of an answer that refuses; more is cut off."""
_ITS_OWN = frozenset({"connection", "transfer-encoding", "content-length", "keep-alive"})
"""Headers that are of one connection, and not passed on."""

Connect = Callable[[Callable[[], asyncio.Protocol]], Awaitable[object]]
"""Opens a connection with the protocol that it is given; raises OSError."""


class Ask(NamedTuple):
    """The request for the next server."""

    method: str
    url: str
    headers: Headers


class _Client(asyncio.Protocol):
    """Up to the end of an answer, or to its 101."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._h11 = h11.Connection(h11.CLIENT)
        self._head: h11.Response | None = None
        self._body = bytearray()
        self.answered: asyncio.Future[Reply | h11.InformationalResponse] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        request = h11.Request(method=self._ask.method, target=self._ask.url, headers=list(self._ask.headers))
        sent = [self._h11.send(request), self._h11.send(h11.EndOfMessage())]
        self.transport.write(b"".join(part for part in sent if part))

    def data_received(self, data: bytes) -> None:
        self._h11.receive_data(data)
        try:
            self._read()
        except h11.RemoteProtocolError as error:
            self._fail(f"it does not speak HTTP: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.answered.done():
            try:
                self._h11.receive_data(b"")
                self._read()
            except h11.RemoteProtocolError:
                pass
        self._fail("it closed the connection before it answered")

    @property
    def rest(self) -> bytes:
        """What came behind its 101."""
        return bytes(self._h11.trailing_data[0])

    def _read(self) -> None:
        while not self.answered.done():
            event = self._h11.next_event()
            if isinstance(event, h11.InformationalResponse):
                if event.status_code == 101:
                    self.transport.pause_reading()
                    self.answered.set_result(event)
            elif isinstance(event, h11.Response):
                self._head = event
            elif isinstance(event, h11.Data):
                self._body += event.data[: max(0, MOST_BODY - len(self._body))]
            elif isinstance(event, h11.EndOfMessage):
                assert self._head is not None
                self.answered.set_result(_reply(self._head, bytes(self._body)))
            else:
                return

    def _fail(self, why: str) -> None:
        if not self.answered.done():
            self.answered.set_exception(ConnectionError(why))


async def upgrade(
    ask: Ask,
    connect: Connect,
    buffer: ReadBuffer,
    *,
    switching: Callable[[Mapping[str, str]], bytes],
    websocket: bool = False,
) -> HandOver | Reply:
    """Ask for an upgrade; the client's connection joined with it, or why there is none.

    ``switching`` gives the 101 for the client, from the headers (lower case) of that of the next server. With
    ``websocket`` the client has the bytes in messages, and the next server as they are. Raises ConnectionError and
    other OSError where there is no next server, or it does not answer.
    """
    client = _Client(ask)
    await connect(lambda: client)
    try:
        async with asyncio.timeout(PATIENCE):
            answer = await client.answered
    except TimeoutError as error:
        client.transport.abort()
        raise ConnectionError(f"it did not answer within {PATIENCE:g} s") from error
    except BaseException:
        client.transport.abort()
        raise
    if isinstance(answer, Reply):
        client.transport.close()
        return answer
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in answer.headers}

    def take(transport: asyncio.Transport, rest: bytes) -> None:
        transport.write(switching(headers))
        wrapping: Wrapping = Messages() if websocket else Plain()
        join(buffer, (transport, wrapping, rest), (client.transport, Plain(), client.rest))

    return HandOver(take)


def _reply(head: h11.Response, body: bytes) -> Reply:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
    content_type = headers.pop("content-type", "text/plain")
    more = tuple((name, value) for name, value in headers.items() if name not in _ITS_OWN)
    return Reply(head.status_code, body, content_type, more)
