"""few."""

from __future__ import annotations

import pytest

from fairlead.policy.few import few


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("", ""),
        ("a", "a"),
        ("ab", "a and b"),
        ("abcde", "a, b, c, d and e"),
        ("abcdef", "a, b, c, d and 2 more"),
    ],
)
def test_few(words: str, text: str) -> None:
    assert few(list(words)) == text
