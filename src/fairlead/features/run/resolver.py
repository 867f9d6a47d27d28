"""The nameserver of a private namespace: the clusters' names from the zone, all others from the laptop's servers."""

from __future__ import annotations

import random
from collections.abc import Callable

from fairlead.dial.upstream import Upstream
from fairlead.errors import ProtocolError
from fairlead.model.dns import IN, Answer, Code, Type
from fairlead.policy.zone import Zone
from fairlead.protocol.dns import (
    MOST_MESSAGE,
    DnsError,
    Query,
    ask_also,
    decode_query,
    decode_reply,
    encode_answer,
    encode_query,
    refuse,
    shorten,
)


def _any_turn() -> int:
    return random.getrandbits(16)


class Resolver:
    """Answers one query at a time, any number at once."""

    def __init__(self, zone: Zone, upstream: Upstream, *, turn: Callable[[], int] = _any_turn) -> None:
        self._zone = zone
        self._upstream = upstream
        self._turn = turn

    async def answer(self, query: bytes, limit: int) -> bytes | None:
        """The answer, of at most ``limit`` bytes; None if there is nobody to answer.

        65535 is for TCP; over UDP an answer is also not longer than its asker says to take (EDNS), or 512 bytes.
        """
        try:
            asked = decode_query(query)
        except DnsError as error:
            return refuse(query, error.code)
        tcp = limit == MOST_MESSAGE
        room = limit if tcp else min(limit, asked.datagram)
        if asked.type in (Type.AXFR, Type.IXFR):
            return encode_answer(asked, Answer(Code.REFUSED), limit=room)
        found = self._zone.answer(asked.name, asked.type, turn=self._turn()) if asked.cls == IN else None
        if found is not None and not found.chase:
            return encode_answer(asked, found, limit=room)
        sent = query if found is None else encode_query(ask_also(asked, found.chase))
        reply = await self._upstream.ask(sent, tcp=tcp)
        if reply is not None:
            try:
                return _fitting(reply, room) if found is None else _joined(asked, found, reply, room)
            except ProtocolError:
                pass  # who answers what cannot be read might as well not have answered
        return encode_answer(asked, Answer(Code.SERVFAIL), limit=room)


def _fitting(reply: bytes, room: int) -> bytes:
    """What others answer, as it is."""
    return reply if len(reply) <= room else shorten(reply)


def _joined(asked: Query, alias: Answer, reply: bytes, room: int) -> bytes:
    """An alias, and what others answer for the name that it stands for."""
    found = decode_reply(reply)
    both = Answer(found.code, alias.records + found.records, found.authority)
    answer = encode_answer(asked, both, limit=room)
    return shorten(answer) if found.truncated else answer
