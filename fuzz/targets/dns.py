"""DNS over TCP: what anybody sends is a query with an answer, or refused; and what a server answers is read or refused.

Besides: an answer of ours can be read, is no longer than its limit, and is an answer to its query.
"""

from __future__ import annotations

from fairlead.model.dns import Answer, Code, Record, Soa, Srv, Type
from fairlead.protocol.dns import (
    HEADER,
    LEAST_DATAGRAM,
    MOST_MESSAGE,
    DnsError,
    MessageReader,
    Query,
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
LIMITS = (LEAST_DATAGRAM, 600, MOST_MESSAGE)


def play(program: Program, feed: Feed) -> None:
    reader, out = MessageReader(), bytearray()
    answer = answer_of(program)
    limit = LIMITS[program.number(len(LIMITS))]

    def receive(piece: memoryview) -> None:
        for message in reader.feed(piece):
            out.extend(ask(message, answer, limit))
            feed.log.append(read(message))

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
