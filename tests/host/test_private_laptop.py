"""What of a machine is rebuilt in a private network, for machines of all kinds."""

from __future__ import annotations

import pytest

from fairlead.host.private import laptop
from fairlead.host.private.laptop import NOBODYS, capture_rules
from fairlead.policy.capture import CaptureRules

FOURS = "".join(f"     |-- {ip}\n        /32 host LOCAL\n" for ip in ("127.0.0.1", "10.8.0.6", "192.168.1.42"))
SIXES = "20010db8000000000000000000000042 02 40 00 80 wlan0\n00000000000000000000000000000001 01 80 10 80 lo\n"
ROUTES = (
    "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"
    "wlan0 00000000 0101A8C0 3 0 0 600 00000000 0 0 0\n"
)
FOUR, SIX = "192.168.1.42", "2001:db8::42"


@pytest.mark.parametrize(
    ("files", "sources", "rules"),
    [
        (
            (FOURS, SIXES, ROUTES), (FOUR, SIX),
            CaptureRules(("10.8.0.6", FOUR, SIX), (FOUR, SIX), ipv6=True, interface="wlan0"),
        ),
        ((FOURS, SIXES, ROUTES), (FOUR, None), CaptureRules(("10.8.0.6", FOUR, SIX), (FOUR,), interface="wlan0")),
        ((FOURS, "", ""), (FOUR, None), CaptureRules(("10.8.0.6", FOUR), (FOUR,))),
        # Off line: there are addresses, and no way anywhere.
        ((FOURS, SIXES, ""), (None, None), CaptureRules(("10.8.0.6", FOUR, SIX), ("10.8.0.6",))),
        (("", "", ""), (None, None), CaptureRules((NOBODYS,), (NOBODYS,))),
        # Nothing may be read, and yet there is a way.
        (("", "", ""), (FOUR, SIX), CaptureRules((NOBODYS,), (NOBODYS,))),
        # IPv6 alone.
        (("", SIXES, ""), (None, SIX), CaptureRules((SIX, NOBODYS), (NOBODYS, SIX), ipv6=True)),
    ],
)  # fmt: skip
def test_the_rules_for_a_machine(
    monkeypatch: pytest.MonkeyPatch,
    files: tuple[str, str, str],
    sources: tuple[str | None, str | None],
    rules: CaptureRules,
) -> None:
    read = dict(zip(("/proc/net/fib_trie", "/proc/net/if_inet6", "/proc/net/route"), files, strict=True))
    asked: list[tuple[str, ...]] = []

    def listening(own: tuple[str, ...]) -> frozenset[tuple[str, int]]:
        asked.append(own)
        return frozenset({("0.0.0.0", 22)})

    left = list(sources)
    monkeypatch.setattr(laptop, "_read", read.__getitem__)
    monkeypatch.setattr(laptop, "_source", lambda family: left.pop(0))
    assert capture_rules(listening) == rules._replace(listeners=frozenset({("0.0.0.0", 22)}))
    assert asked == [rules.own]


def test_this_machine_too() -> None:
    rules = capture_rules(lambda own: frozenset())
    assert rules.own
    assert set(rules.sources) <= set(rules.own)
    assert laptop._read("/no/such/file") == ""
