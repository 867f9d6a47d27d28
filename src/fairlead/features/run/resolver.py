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
        if found is None:
            return await self._pass(query, asked, room, tcp=tcp)
        if found.chase:
            return await self._follow(asked, found, room, tcp=tcp)
        return encode_answer(asked, found, limit=room)

    async def _pass(self, query: bytes, asked: Query, room: int, *, tcp: bool) -> bytes:
        """What others answer, as it is."""
        reply = await self._upstream.ask(query, tcp=tcp)
        if reply is None:
            return encode_answer(asked, Answer(Code.SERVFAIL), limit=room)
        return reply if len(reply) <= room else shorten(reply)

    async def _follow(self, asked: Query, alias: Answer, room: int, *, tcp: bool) -> bytes:
        """An alias, and what others answer for the name that it stands for."""
        reply = await self._upstream.ask(encode_query(ask_also(asked, alias.chase)), tcp=tcp)
        if reply is not None:
            try:
                found = decode_reply(reply)
                both = Answer(found.code, alias.records + found.records, found.authority)
                answer = encode_answer(asked, both, limit=room)
                return shorten(answer) if found.truncated else answer
            except ProtocolError:
                pass  # who answers what cannot be read might as well not have answered
        return encode_answer(asked, Answer(Code.SERVFAIL), limit=room)
