"""What is said in DNS (RFC 1035): the values that a zone answers with and that messages carry.

A name is text without its last dot, "" for the root. A dot or a backslash within a label has a backslash before it, and
every character stands for one byte.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

IN = 1
"""The class of the internet, which all records here are of."""
MOST, MOST_LABEL = 253, 63
"""Characters of a name and of one of its labels."""


class Type(IntEnum):
    """The types of records that something here knows; a type may be any other number too."""

    A = 1
    NS = 2
    CNAME = 5
    SOA = 6
    PTR = 12
    MX = 15
    TXT = 16
    RP = 17
    AFSDB = 18
    AAAA = 28
    SRV = 33
    DNAME = 39
    OPT = 41
    IXFR = 251
    AXFR = 252
    ANY = 255


class Code(IntEnum):
    """How an answer ends (RCODE)."""

    NOERROR = 0
    FORMERR = 1
    SERVFAIL = 2
    NXDOMAIN = 3
    NOTIMP = 4
    REFUSED = 5
    BADVERS = 16
    """Of EDNS; it needs an OPT record to be said."""


class Srv(NamedTuple):
    """Where a service is (RFC 2782)."""

    priority: int
    weight: int
    port: int
    target: str


class Soa(NamedTuple):
    """The head of a zone; a negative answer may be kept for ``minimum`` seconds (RFC 2308)."""

    server: str
    mailbox: str
    serial: int
    refresh: int
    retry: int
    expire: int
    minimum: int


class Record(NamedTuple):
    """One resource record of class IN."""

    name: str
    type: int
    ttl: int
    """Seconds."""
    data: bytes | str | Srv | Soa
    """As on the wire, without pointers; or for CNAME, PTR and NS a name."""


class Answer(NamedTuple):
    """What there is to say to a question."""

    code: int = Code.NOERROR
    records: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    chase: str = ""
    """Where the last record is an alias for a name that others know: that name, to be asked for by whoever answers."""


def fits(name: str) -> bool:
    """Whether a message can carry this name: host names and the like, without any escapes."""
    if len(name) > MOST or not name.isascii() or "\\" in name:
        return False
    return all(0 < len(label) <= MOST_LABEL for label in name.split("."))
