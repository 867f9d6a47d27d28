"""DNS messages (RFC 1035) with SRV (RFC 2782), EDNS (RFC 6891) and the framing of TCP (RFC 7766).

Queries are read, and answers written, for programs of this machine; answers of other servers are read to go on from an
alias. Nothing that was sent makes a reader follow pointers for longer than the message is.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from fairlead.errors import ProtocolError
from fairlead.model.dns import IN, MOST_LABEL, Answer, Code, Record, Srv, Type

HEADER = 12
MOST_MESSAGE = 65535
"""Bytes of a message over TCP."""
LEAST_DATAGRAM = 512
"""Bytes that everybody takes over UDP."""
OUR_DATAGRAM = 4096
"""Bytes that we take over UDP, as EDNS tells it: nothing but this machine lies between."""
MOST_NAME = 255
"""Bytes of a name on the wire."""

_HEAD = struct.Struct("!6H")
_PAIR = struct.Struct("!2H")
_FIXED = struct.Struct("!HHIH")
_SOA = struct.Struct("!5I")
_SRV = struct.Struct("!3H")
_QR, _OPCODE, _AA, _TC, _RD, _RA, _CD, _DO = 0x8000, 0x7800, 0x0400, 0x0200, 0x0100, 0x0080, 0x0010, 0x8000
_POINTER, _FAR = 0xC000, 0x4000
_QUESTION = (_POINTER | HEADER).to_bytes(2, "big")
"""A pointer to the name of the question."""
_NAMES_IN: dict[int, tuple[int, int]] = {
    Type.NS: (0, 1), Type.CNAME: (0, 1), Type.SOA: (0, 2), Type.PTR: (0, 1), Type.MX: (2, 1), Type.RP: (0, 2),
    Type.AFSDB: (2, 1), Type.SRV: (6, 1), Type.DNAME: (0, 1),
}  # fmt: skip
"""Types whose data may have pointers: the bytes before the names, and how many names (RFC 3597, section 4)."""
_ALIASES = (Type.NS, Type.CNAME, Type.PTR)


class DnsError(ProtocolError):
    """A message that cannot be read; ``code`` is what its sender is to be told."""

    def __init__(self, what: str, code: Code = Code.FORMERR) -> None:
        super().__init__(what)
        self.code = code


class Query(NamedTuple):
    """One question, and what its asker can take."""

    ident: int
    name: str
    """In lower case; names are told apart without case (RFC 4343)."""
    type: int
    cls: int
    question: bytes
    """As it was asked, for the echo."""
    flags: int = _RD
    """Those that an answer repeats."""
    size: int | None = None
    """Bytes of a datagram that the asker takes (EDNS); None without EDNS."""
    dnssec: bool = False
    """Whether signatures are wanted (DO)."""

    @property
    def datagram(self) -> int:
        """Bytes that an answer over UDP may have."""
        return max(self.size or 0, LEAST_DATAGRAM)


class Reply(NamedTuple):
    """What another server answered; the additional section is left out."""

    code: int
    truncated: bool
    records: tuple[Record, ...]
    authority: tuple[Record, ...]


def decode_query(data: bytes) -> Query:
    """Read a query. Raises DnsError."""
    if len(data) < HEADER:
        raise DnsError("a message without a header")
    ident, flags, questions, answers, authorities, additionals = _HEAD.unpack_from(data)
    if flags & _QR:
        raise DnsError("an answer where a query is expected")
    if flags & _OPCODE:
        raise DnsError("an operation other than a query", Code.NOTIMP)
    if questions != 1:
        raise DnsError(f"{questions} questions in one message")
    name, at = _read_name(data, HEADER)
    if at + 4 > len(data):
        raise DnsError("a question that is cut off")
    kind, cls = _PAIR.unpack_from(data, at)
    query = Query(ident, _lower(name), kind, cls, data[HEADER : at + 4], flags & (_RD | _CD))
    more = answers + authorities + additionals
    return _with_edns(query, data, at + 4, more) if more else query


def encode_query(query: Query) -> bytes:
    """Write a query, with what its asker can take."""
    head = _HEAD.pack(query.ident, query.flags, 1, 0, 0, 0 if query.size is None else 1)
    return head + query.question + (_opt(query.size, 0, dnssec=query.dnssec) if query.size is not None else b"")


def ask_also(query: Query, name: str) -> Query:
    """The same question about another name."""
    return query._replace(name=_lower(name), question=_plain(name) + _PAIR.pack(query.type, query.cls))


def encode_answer(query: Query, answer: Answer, *, limit: int) -> bytes:
    """Write an answer of at most ``limit`` bytes, at least 512: records that do not fit are left out whole.

    What is missing is told (TC), but for the additional ones, which nobody needs.
    """
    opt = b"" if query.size is None else _opt(OUR_DATAGRAM, 0, dnssec=query.dnssec)
    writer = _Writer(query)
    room = limit - len(opt)
    records = writer.section(answer.records, room)
    whole = records == len(answer.records)
    authority = writer.section(answer.authority, room) if whole else 0
    whole = whole and authority == len(answer.authority)
    additional = writer.section(answer.additional, room) if whole else 0
    flags = _QR | _RA | query.flags | answer.code | (0 if whole else _TC)
    if answer.code in (Code.NOERROR, Code.NXDOMAIN):
        flags |= _AA
    _HEAD.pack_into(writer.data, 0, query.ident, flags, 1, records, authority, additional + (1 if opt else 0))
    writer.data += opt
    return bytes(writer.data)


def refuse(data: bytes, code: int) -> bytes | None:
    """Tell the sender of ``data`` that it gets no answer. None if there is nobody to tell: no header, or no query."""
    if len(data) < HEADER or data[2] & 0x80:
        return None
    ident, flags, questions, *_ = _HEAD.unpack_from(data)
    try:
        end = _end_of_question(data)
    except ProtocolError:
        end = HEADER
    if questions != 1:
        end = HEADER
    opt = _opt(OUR_DATAGRAM, code >> 4, dnssec=False) if code > 15 else b""
    flags = _QR | _RA | flags & (_OPCODE | _RD | _CD) | code & 15
    return _HEAD.pack(ident, flags, int(end > HEADER), 0, 0, 1 if opt else 0) + data[HEADER:end] + opt


def is_reply(query: bytes, reply: bytes) -> bool:
    """Whether ``reply`` has the id and the question of ``query``, which one that could not read it may leave out."""
    if len(reply) < HEADER or reply[:2] != query[:2] or not reply[2] & 0x80:
        return False
    questions = _PAIR.unpack_from(reply, 2)[1]
    if questions != 1:
        return questions == 0 and reply[3] & 15 == Code.FORMERR
    end = _end_of_question(query)
    name, asked = reply[HEADER : end - 4].lower(), query[HEADER : end - 4].lower()
    return name == asked and reply[end - 4 : end] == query[end - 4 : end]


def shorten(reply: bytes) -> bytes:
    """What says that ``reply`` is too long for a datagram: its head and its question. Raises DnsError."""
    end = _end_of_question(reply)
    ident, flags, *_ = _HEAD.unpack_from(reply)
    return _HEAD.pack(ident, flags | _TC, 1, 0, 0, 0) + reply[HEADER:end]


def decode_reply(data: bytes) -> Reply:
    """Read an answer. Raises DnsError."""
    if len(data) < HEADER:
        raise DnsError("a message without a header")
    _, flags, questions, answers, authorities, _ = _HEAD.unpack_from(data)
    if not flags & _QR:
        raise DnsError("a query where an answer is expected")
    at = HEADER
    for _ in range(questions):
        at = _skip_name(data, at) + 4
    records, at = _read_records(data, at, answers)
    authority, at = _read_records(data, at, authorities)
    return Reply(flags & 15, bool(flags & _TC), records, authority)


class MessageReader:
    """Cuts what comes over TCP into messages: two bytes of length before each (RFC 7766)."""

    def __init__(self, most: int = MOST_MESSAGE) -> None:
        self._most = most
        self._buffer = bytearray()

    def feed(self, data: bytes | memoryview) -> Iterator[bytes]:
        """Take bytes; the messages that are whole with them. Raises DnsError behind the last good one.

        A message has room for a header and is not longer than what was set as the most.
        """
        buffer = self._buffer
        buffer += data
        while len(buffer) >= 2:
            size = int.from_bytes(buffer[:2], "big")
            if not HEADER <= size <= self._most:
                raise DnsError(f"a message of {size} bytes")
            if len(buffer) < 2 + size:
                return
            message = bytes(buffer[2 : 2 + size])
            del buffer[: 2 + size]
            yield message


def framed(message: bytes) -> bytes:
    """A message as it goes over TCP."""
    return len(message).to_bytes(2, "big") + message


class _Writer:
    """An answer in the making: room for its head, the question, and records behind it."""

    def __init__(self, query: Query) -> None:
        self.data = bytearray(HEADER)
        self.data += query.question
        self._asked = query.name
        self._known: dict[str, int] = {}
        """Where each name, or end of one, begins."""

    def section(self, records: tuple[Record, ...], room: int) -> int:
        """Write records for as long as the message has at most ``room`` bytes; how many."""
        for count, record in enumerate(records):
            before = len(self.data)
            self._record(record)
            if len(self.data) > room:
                del self.data[before:]
                return count
        return len(records)

    def _record(self, record: Record) -> None:
        name, kind, ttl, value = record
        self._name(name)
        data = self.data
        if isinstance(value, bytes):
            data += _FIXED.pack(kind, IN, ttl, len(value))
            data += value
            return
        data += _FIXED.pack(kind, IN, ttl, 0)
        begin = len(data)
        if isinstance(value, str):
            self._name(value)
        elif isinstance(value, Srv):
            data += _SRV.pack(*value[:3])
            data += _plain(value.target)  # no pointers here (RFC 2782)
        else:
            self._name(value.server)
            self._name(value.mailbox)
            data += _SOA.pack(*value[2:])
        data[begin - 2 : begin] = (len(data) - begin).to_bytes(2, "big")

    def _name(self, name: str) -> None:
        data = self.data
        if name == self._asked and name:
            data += _QUESTION
            return
        if not _is_simple(name):
            data += _plain(name)
            return
        known = self._known or self._learn()
        rest = name
        while rest:
            key = rest.lower()
            at = known.get(key)
            if at is not None:
                data += (_POINTER | at).to_bytes(2, "big")
                return
            if len(data) < _FAR:
                known[key] = len(data)
            label, _, rest = rest.partition(".")
            data += _label(label.encode("ascii"))
        data.append(0)

    def _learn(self) -> dict[str, int]:
        """The ends of the name that was asked for."""
        at, rest = HEADER, self._asked if _is_simple(self._asked) else ""
        while rest:
            self._known[rest] = at
            label, _, rest = rest.partition(".")
            at += len(label) + 1
        return self._known


def _is_simple(name: str) -> bool:
    return name.isascii() and "\\" not in name


def _lower(name: str) -> str:
    """Without case, of which only ASCII has any here."""
    return name.lower() if name.isascii() else name.encode("latin-1").lower().decode("latin-1")


def _label(label: bytes) -> bytes:
    if not 0 < len(label) <= MOST_LABEL:
        raise DnsError("a name that no message can carry")
    return bytes((len(label),)) + label


def _plain(name: str) -> bytes:
    """A name without pointers. Raises DnsError."""
    if not name:
        return b"\0"
    raw = name.encode("latin-1", "replace")
    if b"\\" in raw:
        # What is escaped steps aside while dots are looked for; a backslash stands before nothing but "." and "\\".
        parts = raw.replace(b"\\\\", b"\\s").replace(b"\\.", b"\\d").split(b".")
        labels = [part.replace(b"\\d", b".").replace(b"\\s", b"\\") for part in parts]
    else:
        labels = raw.split(b".")
    wire = b"".join(map(_label, labels)) + b"\0"
    if len(wire) > MOST_NAME:
        raise DnsError("a name that no message can carry")
    return wire


def _opt(size: int, high: int, *, dnssec: bool) -> bytes:
    """An OPT record; ``high`` are the bits of the code that the header has no room for."""
    return b"\0" + _FIXED.pack(Type.OPT, size, high << 24 | (_DO if dnssec else 0), 0)


def _with_edns(query: Query, data: bytes, at: int, records: int) -> Query:
    """Read the OPT record, wherever among the records it is."""
    for _ in range(records):
        begin = at
        at = _skip_name(data, at)
        if at + 10 > len(data):
            raise DnsError("a record that is cut off")
        kind, size, flags, length = _FIXED.unpack_from(data, at)
        at += 10 + length
        if at > len(data):
            raise DnsError("a record that is cut off")
        if kind != Type.OPT:
            continue
        if data[begin] or query.size is not None:
            raise DnsError("EDNS twice, or for a name")
        if flags >> 16 & 255:
            raise DnsError("a version of EDNS that is not 0", Code.BADVERS)
        query = query._replace(size=size, dnssec=bool(flags & _DO))
    return query


def _read_records(data: bytes, at: int, count: int) -> tuple[tuple[Record, ...], int]:
    """The records of class IN; all others are passed over."""
    found = []
    for _ in range(count):
        name, at = _read_name(data, at)
        if at + 10 > len(data):
            raise DnsError("a record that is cut off")
        kind, cls, ttl, length = _FIXED.unpack_from(data, at)
        at += 10
        if at + length > len(data):
            raise DnsError("a record that is cut off")
        if cls == IN and kind != Type.OPT:
            found.append(Record(name, kind, ttl, _read_data(data, at, length, kind)))
        at += length
    return tuple(found), at


def _read_data(data: bytes, at: int, length: int, kind: int) -> bytes | str:
    """The data of a record, its names without pointers."""
    if kind not in _NAMES_IN:
        return data[at : at + length]
    before, names = _NAMES_IN[kind]
    end = at + length
    parts, at = [data[at : at + before]], at + before
    name = ""
    for _ in range(names):
        name, at = _read_name(data, at)
        parts.append(_plain(name))
    if at > end:
        raise DnsError("a record that is cut off")
    return name if kind in _ALIASES else b"".join([*parts, data[at:end]])


def _read_name(data: bytes, at: int) -> tuple[str, int]:
    """A name, and where what follows it begins. Every pointer leads further back, so there is an end."""
    labels: list[bytes] = []
    lowest, after, size = at, 0, 1
    while True:
        if at >= len(data):
            raise DnsError("a name that is cut off")
        length = data[at]
        if length == 0:
            break
        if length <= MOST_LABEL:
            label = data[at + 1 : at + 1 + length]
            at += 1 + length
            size += 1 + length
            if len(label) < length or size > MOST_NAME:
                raise DnsError("a name that is cut off or too long")
            labels.append(label)
        else:
            target = int.from_bytes(data[at : at + 2], "big") - _POINTER
            if not HEADER <= target < lowest or at + 2 > len(data):
                raise DnsError("a name that points nowhere")
            after = after or at + 2
            lowest = at = target
    raw = b".".join(labels)
    if raw.count(b".") >= max(len(labels), 1) or b"\\" in raw:
        raw = b".".join(label.replace(b"\\", b"\\\\").replace(b".", b"\\.") for label in labels)
    return raw.decode("latin-1"), after or at + 1


def _skip_name(data: bytes, at: int) -> int:
    while at < len(data):
        length = data[at]
        if length == 0:
            return at + 1
        if length > MOST_LABEL:
            return at + 2
        at += 1 + length
    raise DnsError("a name that is cut off")


def _end_of_question(data: bytes) -> int:
    _, at = _read_name(data, HEADER)
    if at + 4 > len(data):
        raise DnsError("a question that is cut off")
    return at + 4
