"""The nameserver of a private namespace: which answer comes from where, and how long it may be."""

from __future__ import annotations

from collections.abc import Callable

import dns.flags
import dns.rcode
import dns.rdataclass
import pytest

from fairlead.dial.upstream import Upstream
from fairlead.features.run.resolver import Resolver
from fairlead.model.named import GroupKey
from fairlead.policy.resolv import ResolvConf
from fairlead.policy.zone import Zone, ZoneEntry
from tests.support.dnsmessages import NAME, ask, lines, read, reply_to
from tests.support.loop import run_virtual
from tests.support.nameserver import Answer, Nameserver, known, nothing

SITE = "www.example.com"
FOUND = f"{SITE} 30 A 192.0.2.1"


def a_zone() -> Zone:
    zone = Zone(["cluster.local"])
    zone.set(GroupKey("c", "default", "nginx"), ZoneEntry(("nginx", NAME), NAME, ("10.96.0.10", "10.96.0.11")))
    zone.set(GroupKey("c", "default", "out"), ZoneEntry(("out",), "out", cname=SITE))
    zone.set(GroupKey("c", "default", "in"), ZoneEntry(("in",), "in", cname="nginx"))
    many = tuple(f"10.0.{n // 256}.{n % 256}" for n in range(1000))
    zone.set(GroupKey("c", "default", "many"), ZoneEntry(("many",), "many", many))
    return zone


def answers(
    query: bytes, upstream: Answer = nothing, *, limit: int = 4096, tcp: Answer | None = None, asked: int | None = None
) -> bytes | None:
    """What the resolver says, with such a nameserver behind it, which is ``asked`` so often."""

    async def main() -> bytes | None:
        async with Nameserver(upstream, tcp=tcp) as server:
            conf = ResolvConf(options=("attempts:1", "timeout:1"))
            resolver = Resolver(a_zone(), Upstream(lambda: conf, port=server.port), turn=lambda: 1)
            answer = await resolver.answer(query, limit)
            assert asked is None or len(server.queries) == asked
            return answer

    return run_virtual(main())


def test_names_of_the_clusters_are_answered_here() -> None:
    message = read(answers(ask("Nginx"), asked=0))
    assert lines(message.answer) == ["Nginx 5 A 10.96.0.11", "Nginx 5 A 10.96.0.10"]
    assert read(answers(ask("x.cluster.local"), asked=0)).rcode() == dns.rcode.NXDOMAIN
    assert read(answers(ask("nginx", "MX"), asked=0)).authority


def test_all_others_are_passed_on() -> None:
    query = ask(SITE)
    assert answers(query, known(FOUND), asked=1) == reply_to(query, FOUND)
    assert read(answers(query, known(rcode=3), asked=1)).rcode() == dns.rcode.NXDOMAIN


def test_without_an_answer_that_is_said() -> None:
    message = read(answers(ask(SITE, size=1232), asked=1))
    assert message.rcode() == dns.rcode.SERVFAIL
    assert message.question
    assert message.edns == 0
    assert not message.flags & dns.flags.AA


def test_an_alias_is_followed_within() -> None:
    assert lines(read(answers(ask("in"), asked=0)).answer)[0] == "in 5 CNAME nginx."


def test_an_alias_is_followed_to_others() -> None:
    chain = (f"{SITE} 30 CNAME a.example.net.", "a.example.net 30 A 192.0.2.1")
    message = read(answers(ask("OUT", size=1232), known(*chain), asked=1))
    assert lines(message.answer) == [f"OUT 5 CNAME {SITE}.", *chain]
    assert message.id == 4711
    assert lines(read(answers(ask("out", "CNAME"), asked=0)).answer) == [f"out 5 CNAME {SITE}."]


def test_an_alias_to_nothing() -> None:
    soa = "example.com 60 SOA ns.example.com. host.example.com. 1 2 3 4 5"
    message = read(answers(ask("out"), lambda query: [reply_to(query, rcode=3, authority=(soa,))]))
    assert message.rcode() == dns.rcode.NXDOMAIN
    assert lines(message.answer) == [f"out 5 CNAME {SITE}."]
    assert lines(message.authority) == [soa]


@pytest.mark.parametrize("wrong", [nothing, lambda query: [query[:2] + b"\x81\x80" + query[4:7] + b"\x09" + query[8:]]])
def test_an_alias_whose_end_nobody_tells(wrong: Answer) -> None:
    message = read(answers(ask("out"), wrong))
    assert message.rcode() == dns.rcode.SERVFAIL
    assert not message.answer


def test_an_alias_whose_end_was_cut() -> None:
    def cut(query: bytes) -> list[bytes]:
        return [reply_to(query, flags=int(dns.flags.TC))]

    assert read(answers(ask("out"), cut)).flags & dns.flags.TC
    whole = read(answers(ask("out"), cut, tcp=known(FOUND), limit=65535))
    assert lines(whole.answer)[1:] == [FOUND]


@pytest.mark.parametrize(("size", "limit", "most"), [
    (None, 4096, 512), (100, 4096, 512), (1232, 4096, 1232), (65535, 4096, 4096), (None, 65535, 65535),
])  # fmt: skip
def test_an_answer_is_as_long_as_may_be(size: int | None, limit: int, most: int) -> None:
    answer = answers(ask("many", size=size), limit=limit)
    assert answer is not None
    assert len(answer) <= most
    assert len(answer) > most - 32 or most == 65535
    assert bool(read(answer).flags & dns.flags.TC) == (most < 65535)
    assert len(lines(read(answer).answer)) == 1000 or most < 65535


def test_an_answer_of_others_that_is_too_long_is_cut() -> None:
    many = [f"{SITE} 30 A 192.0.2.{n}" for n in range(100)]
    message = read(answers(ask(SITE), known(*many)))
    assert message.flags & dns.flags.TC
    assert not message.answer
    assert len(lines(read(answers(ask(SITE, size=4096), known(*many))).answer)) == 100


@pytest.mark.parametrize(("name", "limit"), [(SITE, 4096), ("out", 4096), ("out", 65535)])
def test_an_answer_of_others_that_cannot_be_read_is_none(name: str, limit: int) -> None:
    def nonsense(query: bytes) -> list[bytes]:
        return [query[:2] + b"\x81\x81" + b"\0\0\0\1" + bytes(4) + b"\xc0\x0c" * 1000]

    message = read(answers(ask(name), nonsense, tcp=nonsense, limit=limit))
    assert message.rcode() == dns.rcode.SERVFAIL
    assert message.question


@pytest.mark.parametrize("kind", ["AXFR", "IXFR"])
def test_nobody_is_given_everything(kind: str) -> None:
    for name in "cluster.local", SITE:
        assert read(answers(ask(name, kind), asked=0)).rcode() == dns.rcode.REFUSED


def test_other_classes_are_not_ours() -> None:
    query = ask("nginx", "TXT", rdclass=dns.rdataclass.CH)
    assert answers(query, lambda query: [reply_to(query)], asked=1) == reply_to(query)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (lambda: b"", None),
        (lambda: ask()[:11], None),
        (lambda: reply_to(ask()), None),
        (lambda: ask()[:20], dns.rcode.FORMERR),
        (lambda: ask()[:2] + b"\x28" + ask()[3:], dns.rcode.NOTIMP),
    ],
)
def test_what_is_no_query(query: Callable[[], bytes], told: dns.rcode.Rcode | None) -> None:
    answer = answers(query(), asked=0)
    assert (answer is None) == (told is None)
    if answer is not None and told is not None:
        assert answer[3] & 15 == told
