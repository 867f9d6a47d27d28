"""The names of the clusters, as their own DNS answers them."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.model.dns import Answer, Code, Record, Soa, Srv, Type
from fairlead.model.named import GroupKey
from fairlead.policy.zone import Zone, ZoneEndpoint, ZoneEntry, ZonePort
from fairlead.protocol.dns import decode_query, encode_answer
from tests.support.dnsmessages import ask, lines, read

DOMAIN = "cluster.local"
HTTP, DNS, DNS_TCP = ZonePort("http", "TCP", 80), ZonePort("dns", "UDP", 53), ZonePort("dns", "TCP", 53)
FORMS = ("nginx", "nginx.default.svc.cluster.local", "nginx.default", "nginx.default.svc")
FULL = FORMS[1]


def key(service: str, namespace: str = "default", pod: str = "") -> GroupKey:
    return GroupKey("c", namespace, service, pod)


def forms(service: str, namespace: str = "default") -> tuple[str, ...]:
    return service, f"{service}.{namespace}.svc.{DOMAIN}", f"{service}.{namespace}", f"{service}.{namespace}.svc"


@pytest.fixture
def zone() -> Zone:
    made = Zone([DOMAIN])
    made.set(
        key("nginx"),
        ZoneEntry(FORMS, FULL, ("10.96.0.10",), (HTTP, ZonePort("", "TCP", 81), DNS, DNS_TCP)),
    )
    made.set(key("six"), ZoneEntry(forms("six"), forms("six")[1], ("10.96.0.6", "fd00::6"), (HTTP,)))
    made.set(
        key("db"),
        ZoneEntry(
            forms("db"), forms("db")[1], (), (ZonePort("pg", "TCP", 5432),),
            (
                ZoneEndpoint("db-0", ("10.0.0.5",), (ZonePort("pg", "TCP", 5432),)),
                ZoneEndpoint("", ("10.0.0.6",), (ZonePort("pg", "TCP", 5433),)),
                ZoneEndpoint("", ("fd00::a",), (ZonePort("pg", "TCP", 5432),)),
            ),
        ),
    )  # fmt: skip
    made.set(key("out"), ZoneEntry(forms("out"), forms("out")[1], cname="WWW.Example.com."))
    made.set(key("in"), ZoneEntry(forms("in"), forms("in")[1], cname=FULL))
    made.set(key("empty"), ZoneEntry(forms("empty"), forms("empty")[1], ports=(HTTP,)))
    return made


def said(answer: Answer | None) -> list[str] | None:
    """As text; None for a name that is not ours."""
    return None if answer is None else [text(record) for record in answer.records]


def text(record: Record) -> str:
    data = record.data
    if isinstance(data, bytes):
        shown = ".".join(map(str, data)) if len(data) == 4 else data.hex(":", 2)
    elif isinstance(data, Srv):
        shown = f"{data.weight} {data.port} {data.target}"
    else:
        shown = str(data)
    return f"{record.name} {Type(record.type).name} {shown}"


def is_nothing(answer: Answer | None, code: Code = Code.NOERROR, zone: str = DOMAIN) -> bool:
    """A negative answer, with what lets it be kept for a moment."""
    assert answer is not None
    assert not answer.records
    (soa,) = answer.authority
    assert isinstance(soa.data, Soa)
    assert (soa.name, soa.type, soa.ttl, soa.data.minimum) == (zone, Type.SOA, 5, 5)
    assert soa.data.server == f"ns.dns.{DOMAIN}"
    return answer.code == code


@pytest.mark.parametrize("name", FORMS)
def test_a_service_has_its_address_under_every_name(zone: Zone, name: str) -> None:
    answer = zone.answer(name, Type.A)
    assert answer == Answer(records=(Record(name, Type.A, 5, bytes((10, 96, 0, 10))),))


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("kind", [Type.AAAA, Type.TXT, Type.MX, Type.NS, 65])
def test_what_a_name_has_not_is_asked_of_nobody(zone: Zone, name: str, kind: int) -> None:
    assert is_nothing(zone.answer(name, kind), zone=DOMAIN if name.endswith(DOMAIN) else name)


def test_both_families(zone: Zone) -> None:
    name = forms("six")[1]
    assert said(zone.answer(name, Type.A)) == [f"{name} A 10.96.0.6"]
    assert said(zone.answer(name, Type.AAAA)) == [f"{name} AAAA fd00:0000:0000:0000:0000:0000:0000:0006"]
    assert len(said(zone.answer(name, Type.ANY)) or ()) == 2


@pytest.mark.parametrize("name", FORMS)
def test_a_named_port_is_found_under_every_name(zone: Zone, name: str) -> None:
    answer = zone.answer(f"_http._tcp.{name}", Type.SRV)
    assert said(answer) == [f"_http._tcp.{name} SRV 100 80 {FULL}"]
    assert answer is not None
    assert [text(record) for record in answer.additional] == [f"{FULL} A 10.96.0.10"]
    assert said(zone.answer(f"_dns._udp.{name}", Type.SRV)) == [f"_dns._udp.{name} SRV 100 53 {FULL}"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("_http._udp", Code.NXDOMAIN),
        ("_https._tcp", Code.NXDOMAIN),
        ("_._tcp", Code.NXDOMAIN),
        ("_sctp", Code.NXDOMAIN),
        ("_a._http._tcp", Code.NXDOMAIN),
        ("_tcp", Code.NOERROR),
    ],
)
def test_a_port_that_is_not_there(zone: Zone, name: str, code: Code) -> None:
    assert is_nothing(zone.answer(f"{name}.{FULL}", Type.SRV), code)
    assert is_nothing(zone.answer(f"_http._tcp.{FULL}", Type.A))


def test_all_ports_of_a_service(zone: Zone) -> None:
    assert said(zone.answer(FULL, Type.SRV)) == [f"{FULL} SRV 25 {port} {FULL}" for port in (80, 81, 53, 53)]


def test_a_headless_service_has_the_addresses_of_its_endpoints(zone: Zone) -> None:
    name = forms("db")[1]
    assert said(zone.answer("db", Type.A)) == ["db A 10.0.0.5", "db A 10.0.0.6"]
    assert said(zone.answer("db", Type.A, turn=1)) == ["db A 10.0.0.6", "db A 10.0.0.5"]
    assert said(zone.answer("db", Type.A, turn=2)) == said(zone.answer("db", Type.A))
    assert len(said(zone.answer(name, Type.AAAA)) or ()) == 1


def test_each_endpoint_has_a_name(zone: Zone) -> None:
    name = forms("db")[1]
    assert said(zone.answer(f"db-0.{name}", Type.A)) == [f"db-0.{name} A 10.0.0.5"]
    assert said(zone.answer(f"10-0-0-6.{name}", Type.A)) == [f"10-0-0-6.{name} A 10.0.0.6"]
    assert len(said(zone.answer(f"fd00--a.{name}", Type.AAAA)) or ()) == 1
    assert is_nothing(zone.answer(f"db-0.{name}", Type.AAAA))
    assert is_nothing(zone.answer(f"10-0-0-5.{name}", Type.A), Code.NXDOMAIN), "it has a hostname"
    assert is_nothing(zone.answer(f"db-1.{name}", Type.A), Code.NXDOMAIN)
    assert zone.answer("db-0.db", Type.A) is None, "below a bare name there may be a site"


def test_a_headless_service_names_an_endpoint_for_each_port(zone: Zone) -> None:
    name = forms("db")[1]
    answer = zone.answer("_pg._tcp.db.default", Type.SRV)
    assert said(answer) == [
        f"_pg._tcp.db.default SRV 33 5432 db-0.{name}",
        f"_pg._tcp.db.default SRV 33 5433 10-0-0-6.{name}",
        f"_pg._tcp.db.default SRV 33 5432 fd00--a.{name}",
    ]
    assert answer is not None
    assert [text(record) for record in answer.additional] == [
        f"db-0.{name} A 10.0.0.5",
        f"10-0-0-6.{name} A 10.0.0.6",
        f"fd00--a.{name} AAAA fd00:0000:0000:0000:0000:0000:0000:000a",
    ]
    assert said(zone.answer("_pg._tcp.db.default", Type.SRV, turn=1)) != said(answer)


def test_endpoints_of_one_hostname_are_one_name() -> None:
    zone, name = Zone([DOMAIN]), forms("db")[1]
    endpoints = tuple(ZoneEndpoint("Same", (f"10.0.0.{n}",), (HTTP,)) for n in (1, 2))
    zone.set(key("db"), ZoneEntry(forms("db"), name, endpoints=endpoints))
    assert said(zone.answer(f"_http._tcp.{name}", Type.SRV)) == [f"_http._tcp.{name} SRV 100 80 same.{name}"]
    assert len(said(zone.answer(f"same.{name}", Type.A)) or ()) == 2


def test_an_external_name_leads_on(zone: Zone) -> None:
    for kind in Type.A, Type.AAAA, Type.TXT:
        answer = zone.answer("out", kind)
        assert answer == Answer(records=(Record("out", Type.CNAME, 5, "www.example.com"),), chase="www.example.com")
    assert zone.answer("out", Type.CNAME) == Answer(records=(Record("out", Type.CNAME, 5, "www.example.com"),))
    assert said(zone.answer("in.default", Type.A)) == [f"in.default CNAME {FULL}", f"{FULL} A 10.96.0.10"]
    missing = zone.answer("in.default", Type.AAAA)
    assert missing is not None
    assert said(missing) == [f"in.default CNAME {FULL}"]
    assert missing.authority


def test_aliases_that_go_in_a_circle_end() -> None:
    zone = Zone([DOMAIN])
    zone.set(key("a"), ZoneEntry(("a",), "a", cname="b"))
    zone.set(key("b"), ZoneEntry(("b",), "b", cname="a"))
    assert zone.answer("a", Type.A) == Answer(Code.SERVFAIL)


def test_an_alias_to_what_is_missing_in_the_domain(zone: Zone) -> None:
    zone.set(key("gone"), ZoneEntry(("gone",), "gone", cname=f"x.default.svc.{DOMAIN}"))
    answer = zone.answer("gone", Type.A)
    assert answer is not None
    assert (answer.code, len(answer.records), answer.chase) == (Code.NXDOMAIN, 1, "")


def test_an_alias_that_no_message_can_carry_is_none(zone: Zone) -> None:
    for number, bad in enumerate(("x" * 64, "a..b", "é.com", ".".join(["x" * 60] * 5))):
        zone.set(key(f"bad{number}"), ZoneEntry((f"bad{number}",), f"bad{number}", cname=bad))
        assert is_nothing(zone.answer(f"bad{number}", Type.A), Code.NXDOMAIN, f"bad{number}")


def test_a_headless_service_without_endpoints_is_not_there(zone: Zone) -> None:
    assert is_nothing(zone.answer("empty", Type.A), Code.NXDOMAIN, "empty")
    assert is_nothing(zone.answer(forms("empty")[1], Type.A), Code.NXDOMAIN)
    assert is_nothing(zone.answer(f"_http._tcp.{forms('empty')[1]}", Type.SRV), Code.NXDOMAIN)


@pytest.mark.parametrize(
    ("address", "pointed"),
    [
        ("10.0.96.10.in-addr.arpa", [FULL]),
        ("5.0.0.10.in-addr.arpa", ["db-0." + forms("db")[1]]),
        ("6.0.0.10.in-addr.arpa", ["10-0-0-6." + forms("db")[1]]),
        ("6." + "0." * 28 + "0.d.f.ip6.arpa", [forms("six")[1]]),
    ],
)
def test_an_address_has_a_name(zone: Zone, address: str, pointed: list[str]) -> None:
    assert said(zone.answer(address, Type.PTR)) == [f"{address} PTR {name}" for name in pointed]
    assert is_nothing(zone.answer(address, Type.A), zone=address)


def test_an_address_in_two_services_has_two_names_each_once(zone: Zone) -> None:
    full = f"db-0.{forms('db')[1]}"
    zone.set(key("db", pod="db-0"), ZoneEntry((full, "db-0.db"), full, ("10.0.0.5",)))
    zone.set(key("eb"), ZoneEntry(forms("eb"), forms("eb")[1], endpoints=(ZoneEndpoint("db-0", ("10.0.0.5",)),)))
    answer = zone.answer("5.0.0.10.in-addr.arpa", Type.PTR)
    assert answer is not None
    assert [record.data for record in answer.records] == [full, f"db-0.{forms('eb')[1]}"]
    assert said(zone.answer("db-0.db", Type.A)) == ["db-0.db A 10.0.0.5"]


@pytest.mark.parametrize(
    "name",
    [
        *("example.com", "com", "local", "default", "svc", "default.svc", "x.nginx", "x.default.svc", "in-addr.arpa"),
        *("1.0.0.10.in-addr.arpa", "", "cluster.localhost", "notcluster.local", "_http._tcp.example.com"),
    ],
)
def test_what_is_not_ours_is_left_to_others(zone: Zone, name: str) -> None:
    assert zone.answer(name, Type.A) is None


@pytest.mark.parametrize("name", ["", "svc.", "default.svc.", "pod.", "any.pod."])
@pytest.mark.parametrize("kind", [Type.A, Type.NS, Type.SRV])
def test_names_with_names_below_them_are_there(zone: Zone, name: str, kind: int) -> None:
    assert is_nothing(zone.answer(name + DOMAIN, kind))


@pytest.mark.parametrize("name", ["x", "x.svc", "x.default.svc", "x.y.z.svc", "x.nginx.default.svc", "a.b.c.pod"])
def test_what_is_not_in_the_domain_does_not_exist(zone: Zone, name: str) -> None:
    assert is_nothing(zone.answer(f"{name}.{DOMAIN}", Type.A), Code.NXDOMAIN)


def test_the_domain_has_a_head(zone: Zone) -> None:
    assert [record.name for record in (zone.answer(DOMAIN, Type.SOA) or Answer()).records] == [DOMAIN]


@pytest.mark.parametrize(
    ("label", "kind", "shown"),
    [
        ("10-0-0-5", Type.A, "10.0.0.5"),
        ("192-0-2-255", Type.A, "192.0.2.255"),
        ("fd00--7", Type.AAAA, "fd00:0000:0000:0000:0000:0000:0000:0007"),
        ("1-2-3-4-5-6-7-8", Type.AAAA, "0001:0002:0003:0004:0005:0006:0007:0008"),
    ],
)
def test_a_pod_has_a_name_by_its_address(zone: Zone, label: str, kind: Type, shown: str) -> None:
    name = f"{label}.any.pod.{DOMAIN}"
    assert said(zone.answer(name, kind)) == [f"{name} {kind.name} {shown}"]
    assert is_nothing(zone.answer(name, Type.TXT))


@pytest.mark.parametrize("label", ["x", "10-0-0", "10-0-0-256", "10-0-0-5-6", "010-0-0-1"])
def test_what_is_no_address_is_no_pod(zone: Zone, label: str) -> None:
    assert is_nothing(zone.answer(f"{label}.any.pod.{DOMAIN}", Type.A), Code.NXDOMAIN)


def test_a_domain_may_come_later() -> None:
    zone = Zone(["a.test"])
    zone.set(key("x"), ZoneEntry(("x.default.svc.b.test",), "x.default.svc.b.test", ("10.0.0.1",)))
    assert zone.answer("y.default.svc.b.test", Type.A) is None
    zone.serve("b.test")
    zone.serve("b.test")
    assert zone.domains == ("a.test", "b.test")
    assert (zone.answer("y.default.svc.b.test", Type.A) or Answer()).code == Code.NXDOMAIN
    assert (zone.answer("default.svc.b.test", Type.A) or Answer(9)).code == Code.NOERROR
    assert (zone.answer("y.default.svc.a.test", Type.A) or Answer()).code == Code.NXDOMAIN


def test_a_name_that_two_have_is_the_later_ones(zone: Zone) -> None:
    zone.set(key("other"), ZoneEntry(("nginx",), "other", ("10.96.0.99",)))
    assert said(zone.answer("nginx", Type.A)) == ["nginx A 10.96.0.99"]
    zone.set(key("other"), None)
    assert said(zone.answer("nginx", Type.A)) == ["nginx A 10.96.0.10"]


def test_what_is_no_address_is_left_out() -> None:
    zone = Zone([DOMAIN])
    zone.set(key("x"), ZoneEntry(("x",), "x", ("nonsense", "10.0.0.1", "10.0.0.1")))
    assert said(zone.answer("x", Type.A)) == ["x A 10.0.0.1"]
    zone.set(key("x"), None)


TEXTS = st.one_of(
    st.sampled_from(["", ".", "a", "b.a", "10.0.0.5", "fd00::1", "x" * 64, ".".join(["x" * 60] * 4), "\\.", "é"]),
    st.text("ab.-_é\\\u20ac", max_size=8),
)
PORTS = st.lists(st.builds(ZonePort, TEXTS, TEXTS, st.integers(0, 65535)), max_size=2).map(tuple)
SOME = st.lists(TEXTS, max_size=3).map(tuple)
ENDPOINTS = st.lists(st.builds(ZoneEndpoint, TEXTS, SOME, PORTS), max_size=3).map(tuple)


@settings(deadline=None)
@given(st.builds(ZoneEntry, st.just(("a", "b.a")), TEXTS, SOME, PORTS, ENDPOINTS, TEXTS))
def test_whatever_a_cluster_says_an_answer_can_be_written(entry: ZoneEntry) -> None:
    for domains in [], ["a"]:
        zone = Zone(domains)
        zone.set(key("x"), entry)
        for name in "a", "b.a", "_a._a.a", "5.0.0.10.in-addr.arpa", "10-0-0-5.a", "a.a":
            for kind in Type.A, Type.SRV, Type.PTR, Type.ANY:
                answer = zone.answer(name, kind)
                if answer is not None:
                    written = encode_answer(decode_query(ask(name, kind.name)), answer, limit=65535)
                    assert len(lines(read(written).answer)) == len(set(answer.records))


@pytest.mark.parametrize("seed", range(20))
def test_it_does_not_matter_what_was_there_before(seed: int) -> None:
    """And nothing of it is kept."""
    chance = random.Random(seed)
    zone, now = Zone([DOMAIN]), dict[GroupKey, ZoneEntry]()
    for _ in range(60):
        where = key(chance.choice("abc"), chance.choice("mn"), chance.choice(("", "p")))
        short = ".".join(filter(None, (where.pod, where.service, where.namespace)))
        name = f"{short}.svc.{DOMAIN}"
        address = f"10.0.0.{chance.randrange(3)}"
        endpoints = (ZoneEndpoint(chance.choice(("", "h")), (address,), (HTTP,)),) if chance.random() < 0.5 else ()
        entry = ZoneEntry((short, name), name, () if endpoints else (address,), (HTTP,), endpoints)
        if chance.random() < 0.3:
            now.pop(where, None)
            zone.set(where, None)
        else:
            now[where] = entry
            zone.set(where, entry)
    anew = Zone([DOMAIN])
    for where, entry in now.items():
        anew.set(where, entry)
    for attribute in "_names", "_reverse", "_below":
        assert getattr(anew, attribute).keys() == getattr(zone, attribute).keys()
    for name in [*anew._names, *anew._below, *(f"h.{name}" for name in anew._names)]:
        for kind in Type.A, Type.SRV:
            assert zone.answer(name, kind) == anew.answer(name, kind)
