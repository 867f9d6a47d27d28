"""Addresses that were somebody's."""

from __future__ import annotations

import pytest

from fairlead.policy import gone
from fairlead.policy.gone import Gone


def test_what_left_is_gone_until_it_comes_again() -> None:
    left = Gone()
    assert "10.0.0.1" not in left
    left.leaves("10.0.0.1")
    left.leaves("10.0.0.1")
    assert "10.0.0.1" in left
    left.comes("10.0.0.1")
    left.comes("10.0.0.2")
    assert "10.0.0.1" not in left


def test_only_the_last_ones_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gone, "MOST", 3)
    left = Gone()
    for number in (1, 2, 3, 1, 4):
        left.leaves(f"10.0.0.{number}")
    assert [number for number in range(6) if f"10.0.0.{number}" in left] == [1, 3, 4]
