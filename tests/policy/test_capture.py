"""Rules as texts; what the kernel makes of them is for the real tests."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.policy.capture import MARK, PORT, CaptureRules, ip_commands, nft_listeners, nft_ruleset

FOUR, SIX = "192.0.2.7", "2001:db8::7"
BOTH = CaptureRules((FOUR, "198.51.100.3", SIX), (FOUR, SIX), ipv6=True)
ADDRESSES = ["127.0.0.1", "127.0.0.9", "::1", "0.0.0.0", "::", FOUR, SIX]
LISTENERS = st.frozensets(st.tuples(st.sampled_from(ADDRESSES), st.integers(1, 65535)), max_size=30)
COMMAND = re.compile(r"(add|delete) element inet fairlead (all4|all6|at4|at6) \{ (.*) \}")


@pytest.mark.parametrize(
    ("rules", "lines"),
    [
        (CaptureRules(), ["link set lo up", "route replace local 0.0.0.0/0 dev lo"]),
        (CaptureRules(ipv4=False), ["link set lo up"]),
        (
            CaptureRules((FOUR,), (FOUR,)),
            [
                "link set lo up",
                f"addr add {FOUR}/32 dev lo",
                f"route replace local 0.0.0.0/0 dev lo src {FOUR}",
            ],
        ),
        (
            BOTH,
            [
                "link set lo up",
                f"addr add {FOUR}/32 dev lo",
                "addr add 198.51.100.3/32 dev lo",
                f"addr add {SIX}/128 dev lo nodad",
                f"route replace local 0.0.0.0/0 dev lo src {FOUR}",
                f"route replace local ::/0 dev lo src {SIX}",
            ],
        ),
        # An address of a family that is not captured stays an address.
        (
            CaptureRules((SIX,)),
            ["link set lo up", f"addr add {SIX}/128 dev lo nodad", "route replace local 0.0.0.0/0 dev lo"],
        ),
        (
            CaptureRules((FOUR,), (FOUR,), ipv6=True, interface="wlan0"),
            [
                "link set lo up",
                "link add wlan0 type veth peer name fairlead0",
                "link set fairlead0 addrgenmode none",
                "link set wlan0 addrgenmode none",
                "link set fairlead0 up",
                "link set wlan0 up",
                f"addr add {FOUR}/32 dev wlan0",
                f"route replace local 0.0.0.0/0 dev lo src {FOUR}",
                f"route replace 0.0.0.0/0 dev wlan0 src {FOUR}",
                "route replace local ::/0 dev lo",
            ],
        ),
    ],
)
def test_every_address_is_made_local(rules: CaptureRules, lines: list[str]) -> None:
    text = ip_commands(rules)
    assert text.splitlines() == lines
    assert text.endswith("\n")


def test_the_rules_lead_to_our_sockets() -> None:
    listeners = frozenset({("0.0.0.0", 443), ("0.0.0.0", 22), ("127.0.0.1", 80), ("127.0.0.1", 8), ("::1", 80)})
    lines = [line.strip() for line in nft_ruleset(BOTH._replace(listeners=listeners)).splitlines()]
    assert "set own4 { type ipv4_addr; flags interval; elements = { 127.0.0.0/8, 192.0.2.7, 198.51.100.3 } }" in lines
    assert "set own6 { type ipv6_addr; elements = { ::1, 2001:db8::7 } }" in lines
    assert "set all4 { type inet_service; elements = { 22, 443 } }" in lines
    assert "set at4 { type ipv4_addr . inet_service; elements = { 127.0.0.1 . 8, 127.0.0.1 . 80 } }" in lines
    assert "set at6 { type ipv6_addr . inet_service; elements = { ::1 . 80 } }" in lines
    assert all(line.endswith(f"to :{PORT} accept") for line in lines if "tproxy" in line)
    assert sum("tproxy" in line for line in lines) == 8
    capture = lines[lines.index("chain capture {") :]
    assert capture[2] == f"meta mark {MARK} accept", "what is ours is not captured again, whatever follows"
    own = lines[lines.index("chain own {") : lines.index("chain refuse {")]
    sockets = [at for at, line in enumerate(own) if line.startswith("socket")]
    assert max(sockets) < min(at for at, line in enumerate(own) if "tproxy" in line), "a program's own socket is first"
    assert own[-2] == "accept", "and other ports are the kernel's to refuse"


def test_without_listeners_the_sets_are_empty() -> None:
    assert "set all4 { type inet_service; }" in nft_ruleset(CaptureRules())
    assert "set at6 { type ipv6_addr . inet_service; }" in nft_ruleset(CaptureRules())


@pytest.mark.parametrize(
    "rules", [CaptureRules(), BOTH, BOTH._replace(listeners=frozenset({("0.0.0.0", 80), (FOUR, 80)}))]
)
def test_each_brace_is_closed_and_a_kernel_without_ipv6_reads_nothing_of_it(rules: CaptureRules) -> None:
    for six in True, False:
        text = nft_ruleset(rules, ipv6=six)
        assert text.count("{") == text.count("}")
        assert ("ip6" in text) == ("ipv6" in text) == ("6 {" in text) == ("::" in text) == six
        assert "@own4" in text
        assert "reject" in text
        named = set(re.findall(r"@(\w+)", text))
        assert named == set(re.findall(r"set (\w+)", text)), "each set is used, and there"


@settings(deadline=None)
@given(LISTENERS, LISTENERS)
def test_the_commands_make_one_set_the_other(
    before: frozenset[tuple[str, int]], now: frozenset[tuple[str, int]]
) -> None:
    held = set(before)
    for line in nft_listeners(before, now).splitlines():
        found = COMMAND.fullmatch(line)
        assert found is not None
        listed = [element(found[2], each) for each in found[3].split(", ")]
        assert len(set(listed)) == len(listed)
        if found[1] == "add":
            assert not held & set(listed), "nft takes one that is there already for a mistake in some versions"
            held |= set(listed)
        else:
            assert held >= set(listed), "and so it is with one that is not there"
            held -= set(listed)
    assert held == now


def element(name: str, text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(" . ")
    assert bool(address) == name.startswith("at")
    address = address or {"all4": "0.0.0.0", "all6": "::"}[name]
    assert (":" in address) == name.endswith("6")
    return address, int(port)


def test_nothing_to_do_is_nothing_said() -> None:
    some = frozenset({("::1", 80), ("0.0.0.0", 22)})
    assert nft_listeners(frozenset(), frozenset()) == nft_listeners(some, some) == ""


def test_our_port_is_nobodys_by_chance() -> None:
    assert 60999 < PORT < 65536
