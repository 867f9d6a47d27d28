"""Of what is listened on, what the machine itself reaches."""

from __future__ import annotations

import pytest

from fairlead.policy.listeners import of_this_machine, reached

OWN = frozenset({"192.168.1.5", "fd00::5"})


@pytest.mark.parametrize(
    ("listening", "expected"),
    [
        ([], {}),
        ([("0.0.0.0", 80)], {80: "127.0.0.1"}),
        ([("::", 80)], {80: "::1"}),
        ([("::", 80), ("0.0.0.0", 80)], {80: "127.0.0.1"}),
        ([("127.0.0.1", 80), ("::1", 81)], {80: "127.0.0.1", 81: "::1"}),
        ([("127.0.0.53", 53)], {53: "127.0.0.53"}),
        ([("127.0.0.53", 53), ("127.0.0.1", 53)], {53: "127.0.0.1"}),
        ([("192.168.1.5", 80), ("fd00::5", 81)], {80: "192.168.1.5", 81: "fd00::5"}),
        ([("192.168.1.5", 80), ("::1", 80)], {80: "192.168.1.5"}),
        ([("10.0.0.1", 80), ("fe80::1", 81)], {}),
    ],
)
def test_where_a_port_is_reached(listening: list[tuple[str, int]], expected: dict[int, str]) -> None:
    assert dict(reached(frozenset(listening), OWN)) == expected


def test_who_listens_where_this_machine_reaches_itself() -> None:
    everywhere = {("127.0.0.1", 80), ("127.0.0.9", 80), ("::1", 80), ("0.0.0.0", 80), ("::", 80)}
    own = {(address, 80) for address in OWN}
    listening = frozenset({*everywhere, *own, ("198.51.100.9", 80), ("fe80::1", 80)})
    assert of_this_machine(listening, OWN) == everywhere | own
    assert of_this_machine(listening, frozenset()) == everywhere
