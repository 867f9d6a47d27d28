"""What is said over and over: once, and then how often."""

from __future__ import annotations

from collections.abc import Hashable

QUIET = 5.0
"""Seconds for which the same thing is counted instead of said."""
MOST = 1000
"""Things that are remembered."""


class Repeats:
    """Counts; the time is seconds of any steady clock."""

    def __init__(self) -> None:
        self._said: dict[Hashable, tuple[float, int]] = {}

    def again(self, what: Hashable, now: float) -> int | None:
        """How often ``what`` was left unsaid before this time, which is to be said; None if this one is not."""
        since, unsaid = self._said.get(what, (now - QUIET, 0))
        if now - since < QUIET:
            self._said[what] = since, unsaid + 1
            return None
        self._said.pop(what, None)
        if len(self._said) >= MOST:
            del self._said[next(iter(self._said))]
        self._said[what] = now, 0
        return unsaid
