"""The cluster's nameserver, over UDP and TCP: the zone, and nothing else, for there is no way out of the node.

Whoever asks for another name is refused: it is for others to say whether that exists (RFC 8499, REFUSED by policy).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from fairlead.errors import ProtocolError
from fairlead.lab.node.plan import DNS, DNS_PORT
from fairlead.model.dns import IN, Answer, Code, Type
from fairlead.policy.zone import Zone
from fairlead.protocol.dns import (
    MOST_MESSAGE,
    OUR_DATAGRAM,
    DnsError,
    MessageReader,
    decode_query,
    encode_answer,
    framed,
    refuse,
)

_MOST_UNREAD = 1 << 20
"""Bytes of answers that a client may leave unread before it is given up."""


def answer(zone: Zone, query: bytes, limit: int, turn: int) -> bytes | None:
    """What to say, in at most ``limit`` bytes, MOST_MESSAGE for TCP; None if there is nobody to answer."""
    try:
        asked = decode_query(query)
    except DnsError as error:
        return refuse(query, error.code)
    room = limit if limit == MOST_MESSAGE else min(limit, asked.datagram)
    found = None
    if asked.cls == IN and asked.type not in (Type.AXFR, Type.IXFR):
        found = zone.answer(asked.name, asked.type, turn=turn)
    if found is None:
        return encode_answer(asked, Answer(Code.REFUSED), limit=room)
    if found.chase:
        # An alias of a name out there, which a nameserver that asks others would follow.
        found = Answer(Code.SERVFAIL)
    return encode_answer(asked, found, limit=room)


def _any_turn() -> int:
    return random.getrandbits(16)


class DnsServer:
    """Serves until it is closed."""

    def __init__(self, zone: Zone, turn: Callable[[], int] = _any_turn) -> None:
        self._zone = zone
        self._turn = turn
        self._datagrams: asyncio.DatagramTransport | None = None
        self._server: asyncio.Server | None = None

    async def start(self, address: str = DNS, port: int = DNS_PORT) -> None:
        """Raises OSError where the address is taken, or not ours."""
        loop = asyncio.get_running_loop()
        where = (address, port)
        self._datagrams, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self.answer), local_addr=where)
        self._server = await loop.create_server(lambda: _Stream(self.answer), address, port)

    def answer(self, query: bytes, limit: int) -> bytes | None:
        """See ``answer``."""
        return answer(self._zone, query, limit, self._turn())

    def close(self) -> None:
        """Serve no more; connections that are open end with the process."""
        if self._datagrams is not None:
            self._datagrams.close()
        if self._server is not None:
            self._server.close()


_Answer = Callable[[bytes, int], "bytes | None"]


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, answer: _Answer) -> None:
        self._answer = answer
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        reply = self._answer(data, OUR_DATAGRAM)
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply, addr)

    def error_received(self, exc: Exception) -> None:
        """Somebody did not wait for an answer."""


class _Stream(asyncio.Protocol):
    def __init__(self, answer: _Answer) -> None:
        self._answer = answer
        self._reader = MessageReader()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        try:
            for query in self._reader.feed(data):
                reply = self._answer(query, MOST_MESSAGE)
                if reply is not None:
                    self._transport.write(framed(reply))
        except ProtocolError:
            self._transport.abort()
        if self._transport.get_write_buffer_size() > _MOST_UNREAD:
            self._transport.abort()
