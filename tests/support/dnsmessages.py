"""DNS messages as dnspython makes and reads them, beside ours."""

from __future__ import annotations

from typing import Any

import dns.message
import dns.rrset

NAME = "nginx.default.svc.cluster.local"


def ask(
    name: str = NAME, kind: str = "A", *, size: int | None = None, dnssec: bool = False, ident: int = 4711, **more: Any
) -> bytes:
    """A query; ``size`` is what its asker takes over UDP, told by EDNS."""
    edns: dict[str, Any] = {} if size is None else {"use_edns": 0, "payload": size, "want_dnssec": dnssec}
    return dns.message.make_query(name, kind, id=ident, **edns, **more).to_wire()


def read(message: bytes | None) -> dns.message.Message:
    assert message is not None
    return dns.message.from_wire(message)


def lines(rrsets: list[dns.rrset.RRset]) -> list[str]:
    """Records as a zone file has them, without the last dots."""
    return [f"{rrset.name.to_text(True)} {rrset.ttl} {kind(rrset)} {item}" for rrset in rrsets for item in rrset]


def kind(rrset: dns.rrset.RRset) -> str:
    return dns.rdatatype.to_text(rrset.rdtype)


def reply_to(query: bytes, *records: str, rcode: int = 0, authority: tuple[str, ...] = (), flags: int = 0) -> bytes:
    """What a server would answer; a record is such as ``www.example.com 30 A 192.0.2.1``."""
    made = dns.message.make_response(dns.message.from_wire(query), recursion_available=True)
    made.set_rcode(dns.rcode.Rcode(rcode))
    made.flags |= flags
    for section, texts in (made.answer, records), (made.authority, authority):
        for text in texts:
            name, ttl, rdtype, data = text.split(maxsplit=3)
            section.append(dns.rrset.from_text(name + ".", int(ttl), "IN", rdtype, data))
    return made.to_wire()
