"""resolv.conf: as resolver(5) reads it, and ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.policy.resolv import ResolvConf, parse, render


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ResolvConf()),
        ("nameserver 192.0.2.1\n", ResolvConf(("192.0.2.1",))),
        ("nameserver\t192.0.2.1 # office\nnameserver fd00::1", ResolvConf(("192.0.2.1", "fd00::1"))),
        ("nameserver fe80::1%eth0\n", ResolvConf(("fe80::1%eth0",))),
        ("#nameserver 192.0.2.1\n;nameserver 192.0.2.2\n nameserver 192.0.2.3\n", ResolvConf()),
        ("nameserver nonsense\nnameserver\nnameserver 192.0.2.1\r\n", ResolvConf(("192.0.2.1",))),
        ("".join(f"nameserver 192.0.2.{n}\n" for n in range(5)), ResolvConf(("192.0.2.0", "192.0.2.1", "192.0.2.2"))),
        ("search a.test b.test.\n", ResolvConf(search=("a.test", "b.test"))),
        ("domain a.test b.test\n", ResolvConf(search=("a.test",))),
        ("search a.test\ndomain b.test\n", ResolvConf(search=("b.test",))),
        ("domain b.test\nsearch a.test c.test\n", ResolvConf(search=("a.test", "c.test"))),
        ("search .\n", ResolvConf(search=(".",))),
        ("options edns0 trust-ad\noptions ndots:2\n", ResolvConf(options=("edns0", "trust-ad", "ndots:2"))),
        ("sortlist 192.0.2.0\nlookup file bind\nnonsense\n", ResolvConf()),
    ],
)
def test_a_file_is_read(text: str, expected: ResolvConf) -> None:
    assert parse(text) == expected


def test_the_domain_of_the_host_is_searched_where_the_file_names_none() -> None:
    assert parse("", hostname="laptop.corp.test").search == ("corp.test",)
    assert parse("", hostname="laptop").search == ()
    assert parse("search a.test", hostname="laptop.corp.test").search == ("a.test",)


@pytest.mark.parametrize(
    ("options", "timeout", "attempts"),
    [
        ("", 5, 2),
        ("timeout:1 attempts:3", 1, 3),
        ("timeout:99 attempts:9", 30, 5),
        ("timeout:0 attempts:0", 1, 1),
        ("timeout: attempts:x timeout attempts:-1 timeout:٣", 5, 2),
        ("timeout:3 timeout:4", 4, 2),
        ("timeout:99999999999999999999", 30, 2),
    ],
)
def test_how_long_and_how_often(options: str, timeout: int, attempts: int) -> None:
    conf = parse(f"options {options}\n")
    assert (conf.timeout, conf.attempts) == (timeout, attempts)
    assert not conf.rotate
    assert not conf.tcp


def test_in_turn_and_by_tcp() -> None:
    conf = parse("options rotate use-vc")
    assert conf.rotate
    assert conf.tcp


def test_ours_has_the_clusters_first() -> None:
    laptop = parse("nameserver 192.0.2.1\nsearch corp.test cluster.local\noptions edns0 rotate trust-ad edns0 use-vc\n")
    domains = ("shop.svc.cluster.local", "svc.cluster.local", "cluster.local")
    assert render(laptop, "10.0.0.53", domains) == (
        "nameserver 10.0.0.53\n"
        "search shop.svc.cluster.local svc.cluster.local cluster.local corp.test\n"
        "options edns0 trust-ad use-vc\n"
    )
    assert render(ResolvConf(), "fd00::53", ()) == "nameserver fd00::53\n"


def test_as_many_domains_as_others_read() -> None:
    many = ResolvConf(search=tuple(f"d{n}.test" for n in range(50)))
    assert len(parse(render(many, "10.0.0.53", ["svc.cluster.local"])).search) == 32
    long = ResolvConf(search=(*(f"{n}{'x' * 200}" for n in range(20)), "short"))
    line = render(long, "10.0.0.53", ["svc.cluster.local"]).splitlines()[1]
    assert line.startswith("search svc.cluster.local 0")
    assert line.endswith(" short")
    assert len(line) < 2100


@given(st.text("nameserver search domain options #;:.%019 \n\t", max_size=200))
def test_what_we_write_is_read_as_it_was_meant(text: str) -> None:
    laptop = parse(text)
    inside = parse(render(laptop, "10.0.0.53", ["cluster.local"]))
    assert inside.nameservers == ("10.0.0.53",)
    assert inside.search[0] == "cluster.local"
    assert set(inside.search) == {"cluster.local", *laptop.search} or len(laptop.search) > 31
    assert (inside.timeout, inside.attempts, inside.tcp) == (laptop.timeout, laptop.attempts, laptop.tcp)
