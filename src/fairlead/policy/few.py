"""Lists that a reader takes in at a glance."""

from __future__ import annotations

from collections.abc import Sequence

MOST = 5
"""Words that are written out."""


def few(words: Sequence[str]) -> str:
    """``a, b and c``; of many the first, and how many more there are."""
    shown = list(words) if len(words) <= MOST else [*words[: MOST - 1], f"{len(words) - MOST + 1} more"]
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))
