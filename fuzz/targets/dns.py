"""DNS over TCP: what anybody sends is a query with an answer, or refused; and what a server answers is read or refused.

Besides: an answer of ours can be read, is no longer than its limit, and is an answer to its query. And whatever the
laptop's nameservers say, the resolver of a run has an answer for whoever asked.
"""

from __future__ import annotations

from typing import Any, cast

from fairlead.features.run.resolver import Resolver
from fairlead.model.dns import Answer, Code, Record, Soa, Srv, Type
from fairlead.model.named import GroupKey
from fairlead.policy.zone import Zone, ZoneEntry
from fairlead.protocol.dns import (
    HEADER,
    LEAST_DATAGRAM,
    MOST_MESSAGE,
    DnsError,
    MessageReader,
    Query,
    ask_also,
    decode_query,
    decode_reply,
    encode_answer,
    encode_query,
    framed,
    is_reply,
    refuse,
    shorten,
)
from fuzz.harness import Feed
from fuzz.program import Program

HELD = MOST_MESSAGE * 9 // 8 + 8192
PEAK = 4 * MOST_MESSAGE
NAMES = ("a", "www.a", "b.www.a", "A", "x" * 63 + ".a", "1.\\.2.\\\\", "\xe4.a", "")
ZONE = Zone(["cluster.local"])
ZONE.set(GroupKey("c", "ns", "alias"), ZoneEntry(("alias",), "alias", cname="www.a"))
ASKED = ("www.a", "alias")
LIMITS = (LEAST_DATAGRAM, 600, MOST_MESSAGE)


def play(program: Program, feed: Feed) -> None:
    reader, out = MessageReader(), bytearray()
    answer = answer_of(program)
    limit = LIMITS[program.number(len(LIMITS))]

    def receive(piece: memoryview) -> None:
        for message in reader.feed(piece):
            out.extend(ask(message, answer, limit))
            feed.log.append(read(message))
            out.extend(passed(message, limit))

    def take() -> bytes:
        taken = bytes(out)
        out.clear()
        return taken

    feed.measure()
    while program.more:
        feed(receive, wire(program), take)


def ask(message: bytes, answer: Answer, limit: int) -> bytes:
    try:
        query = decode_query(message)
    except DnsError as error:
        told = refuse(message, error.code) or b""
        assert len(told) <= len(message) + 11
        return told
    check_echo(query)
    reply = encode_answer(query, answer, limit=limit)
    assert len(reply) <= limit
    assert is_reply(message, reply)
    assert is_reply(message, shorten(reply))
    assert is_reply(message, refuse(message, Code.SERVFAIL) or b"")
    found = decode_reply(reply)
    assert found.truncated or len(found.records) == len(answer.records)
    return reply


class Upstream:
    """Answers what a nameserver might have sent, if it seems to be an answer to what it was asked."""

    def __init__(self, reply: bytes) -> None:
        self._reply = reply

    async def ask(self, query: bytes, *, tcp: bool) -> bytes | None:
        reply = query[:2] + self._reply[2:]
        return reply if is_reply(query, reply) else None


def passed(reply: bytes, limit: int) -> bytes:
    """What becomes of a reply that is passed on, and of one that is put behind an alias."""
    said = b""
    for name in ASKED:
        query = encode_query(ask_also(Query(7, "", Type.A, 1, b""), name))
        answer = resolved(query, reply, limit)
        assert len(answer) <= limit
        assert answer[:2] == query[:2]
        said += answer
    return said


def resolved(query: bytes, reply: bytes, limit: int) -> bytes:
    answering = Resolver(ZONE, cast("Any", Upstream(reply)), turn=lambda: 0).answer(query, limit)
    try:
        answering.send(None)
    except StopIteration as end:
        return cast("bytes", end.value)
    except DnsError as error:
        raise AssertionError("whoever asked gets no answer") from error
    raise AssertionError("it waits for nothing")


def check_echo(query: Query) -> None:
    again = decode_query(encode_query(query))
    assert again == query


def read(message: bytes) -> object:
    try:
        return decode_reply(message)
    except DnsError as error:
        return str(error)


def answer_of(program: Program) -> Answer:
    records, authority, additional = (
        tuple(record(program) for _ in range(program.number(20) if program.number(8) else 0)) for _ in range(3)
    )
    return Answer(program.number(16), records, authority, additional)


def record(program: Program) -> Record:
    name, other = (NAMES[program.number(len(NAMES))] for _ in range(2))
    data: bytes | str | Srv | Soa = (
        (Type.A, bytes(4)),
        (Type.TXT, bytes(100)),
        (Type.CNAME, other),
        (Type.SRV, Srv(0, 1, 2, other)),
        (Type.SOA, Soa(other, name, 1, 2, 3, 4, 5)),
    )[kind := program.number(5)][1]
    return Record(name, (1, 16, 5, 33, 6)[kind], 5, data)


def wire(program: Program) -> bytes:
    choice = program.number(8)
    if choice == 0:
        return program.text()
    if choice == 1:
        return framed(program.take(program.number(60)).ljust(HEADER, b"\0"))
    counts = bytes(byte for _ in range(4) for byte in (0, program.number(3) if program.number(4) == 0 else int(_ == 0)))
    flags = bytes((program.number(), program.number())) if choice == 2 else b"\x81\x80" if choice == 3 else b"\1\0"
    body = b"".join(part(program) for _ in range(program.number(12)))
    return framed((b"\x12\x34" + flags + counts + body)[:MOST_MESSAGE])


def part(program: Program) -> bytes:
    """Of a name or a record."""
    choice = program.number(10)
    parts = (
        b"\1a\3www", b"\0\0\1\0\1", b"\0\0\x29\x04\xd0\0\0\x80\0\0\0", b"\0\0\x29\x04\xd0\0\1\0\0\0\0",
        b"\xc0\x0c", b"\xc0\x0c\0\5\0\1\0\0\0\5\0\2\xc0\x0c", b"\xc0\x0c\0\1\0\1\0\0\0\5\0\4\x0a\0\0\1",
    )  # fmt: skip
    if choice < len(parts):
        return parts[choice]
    if choice == 7:
        return b"\xc0" + bytes((program.number(),))
    if choice == 8:
        return (b"\x3f" + b"x" * 63) * program.number(6)
    return program.text()
