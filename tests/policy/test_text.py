from __future__ import annotations

import pytest

from fairlead.policy.text import LIMIT, one_line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("two\r\nlines\tand a tab", "two lines and a tab"),
        ("\x1b]0;title\x07\x1b[31mred", "]0;title [31mred"),
        ("\u202eevil", "evil"),
        ("x" * (LIMIT + 1), "x" * (LIMIT - 3) + "..."),
    ],
)
def test_text_from_elsewhere_is_made_safe(text: str, expected: str) -> None:
    assert one_line(text) == expected
