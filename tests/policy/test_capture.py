"""Rules as texts; what the kernel makes of them is for the real tests."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.policy.capture import MARK, PORT, CaptureRules, ip_commands, nft_ports, nft_ruleset

FOUR, SIX = "192.0.2.7", "2001:db8::7"
BOTH = CaptureRules((FOUR, "198.51.100.3", SIX), (FOUR, SIX), ipv6=True)
PORTS = st.frozensets(st.integers(1, 65535), max_size=30)
COMMAND = re.compile(r"(add|delete) element inet fairlead ports \{ ([0-9]+(?:, [0-9]+)*) \}")


@pytest.mark.parametrize(
    ("rules", "lines"),
    [
        (CaptureRules(), ["link set lo up", "route add local 0.0.0.0/0 dev lo"]),
        (CaptureRules(ipv4=False), ["link set lo up"]),
        (
            CaptureRules((FOUR,), (FOUR,)),
            [
                "link set lo up",
                f"addr add {FOUR}/32 dev lo",
                f"route add local 0.0.0.0/0 dev lo src {FOUR}",
            ],
        ),
        (
            BOTH,
            [
                "link set lo up",
                f"addr add {FOUR}/32 dev lo",
                "addr add 198.51.100.3/32 dev lo",
                f"addr add {SIX}/128 dev lo nodad",
                f"route add local 0.0.0.0/0 dev lo src {FOUR}",
                f"route add local ::/0 dev lo src {SIX}",
            ],
        ),
        # An address of a family that is not captured stays an address.
        (
            CaptureRules((SIX,)),
            ["link set lo up", f"addr add {SIX}/128 dev lo nodad", "route add local 0.0.0.0/0 dev lo"],
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
                f"route add local 0.0.0.0/0 dev lo src {FOUR}",
                f"route add 0.0.0.0/0 dev wlan0 src {FOUR}",
                "route add local ::/0 dev lo",
            ],
        ),
    ],
)
def test_every_address_is_made_local(rules: CaptureRules, lines: list[str]) -> None:
    text = ip_commands(rules)
    assert text.splitlines() == lines
    assert text.endswith("\n")


def test_the_rules_lead_to_our_sockets() -> None:
    lines = [line.strip() for line in nft_ruleset(BOTH._replace(ports=frozenset({443, 22}))).splitlines()]
    assert "set own4 { type ipv4_addr; flags interval; elements = { 127.0.0.0/8, 192.0.2.7, 198.51.100.3 } }" in lines
    assert "set own6 { type ipv6_addr; elements = { ::1, 2001:db8::7 } }" in lines
    assert "set ports { type inet_service; elements = { 22, 443 } }" in lines
    assert all(line.endswith(f"to :{PORT} accept") for line in lines if "tproxy" in line)
    assert sum("tproxy" in line for line in lines) == 6
    capture = lines[lines.index("chain capture {") :]
    assert capture[2] == f"meta mark {MARK} accept", "what is ours is not captured again, whatever follows"
    own = lines[lines.index("chain own {") : lines.index("chain refuse {")]
    sockets = [at for at, line in enumerate(own) if line.startswith("socket")]
    assert max(sockets) < min(at for at, line in enumerate(own) if "tproxy" in line), "a program's own socket is first"
    assert own[-2] == "accept", "and other ports are the kernel's to refuse"


def test_without_ports_the_set_is_empty() -> None:
    assert "set ports { type inet_service; }" in nft_ruleset(CaptureRules())


@pytest.mark.parametrize("rules", [CaptureRules(), BOTH, BOTH._replace(ports=frozenset({80}))])
def test_each_brace_is_closed_and_a_kernel_without_ipv6_reads_nothing_of_it(rules: CaptureRules) -> None:
    for six in True, False:
        text = nft_ruleset(rules, ipv6=six)
        assert text.count("{") == text.count("}")
        assert ("ip6" in text) == ("ipv6" in text) == ("own6" in text) == ("::" in text) == six
        assert "@own4" in text
        assert "reject" in text
        named = set(re.findall(r"@(\w+)", text))
        assert named == set(re.findall(r"set (\w+)", text)), "each set is used, and there"


@given(PORTS, PORTS)
def test_the_commands_make_one_set_the_other(before: frozenset[int], now: frozenset[int]) -> None:
    held = set(before)
    for line in nft_ports(before, now).splitlines():
        found = COMMAND.fullmatch(line)
        assert found is not None
        ports = [int(port) for port in found[2].split(", ")]
        assert len(set(ports)) == len(ports)
        if found[1] == "add":
            assert not held & set(ports), "nft takes one that is there already for a mistake in some versions"
            held |= set(ports)
        else:
            assert held >= set(ports), "and so it is with one that is not there"
            held -= set(ports)
    assert held == now


def test_nothing_to_do_is_nothing_said() -> None:
    assert nft_ports((), ()) == nft_ports([80, 22], [22, 80]) == ""


def test_our_port_is_nobodys_by_chance() -> None:
    assert 60999 < PORT < 65536
