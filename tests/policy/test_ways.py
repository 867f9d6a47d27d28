"""What is known of a name, from what is known of its ports."""

from __future__ import annotations

import pytest

from fairlead.policy.ways import State, Way, state_of


@pytest.mark.parametrize(
    ("ways", "state"),
    [
        ([], State("waiting")),
        ([Way(False), Way(False)], State("waiting")),
        ([Way(False), Way(True)], State("ready")),
        ([Way(True, 7.0), Way(True)], State("proved", proved=7.0)),
        ([Way(True, 7.0), Way(True, 9.0)], State("proved", proved=9.0)),
        ([Way(True, 7.0), Way(True, failure="refused")], State("failing", "refused")),
        ([Way(True, failure="a"), Way(True, failure="b")], State("failing", "a")),
    ],
)
def test_state_of(ways: list[Way], state: State) -> None:
    assert state_of(ways) == state
