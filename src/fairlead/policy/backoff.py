"""How long to wait before asking a server again that did not answer."""

from __future__ import annotations

FIRST = 1.0
CAP = 24.0
"""Seconds; with the spread on top the longest pause is 30 s."""
SPREAD = 0.25
"""So that many laptops behind one lost server do not come back in step."""
CALM = 10.0
"""Seconds without a failure after which it starts from the beginning."""


class Backoff:
    """Pauses of 1, 2, 4 ... 24 s, each up to a quarter longer by chance."""

    def __init__(self) -> None:
        self._failures = 0
        self._again_at = 0.0

    def failed(self, now: float, chance: float) -> float:
        """Return the pause in seconds after a failure at ``now``; ``chance`` is in [0, 1)."""
        if now - self._again_at > CALM:
            self._failures = 0
        pause: float = min(CAP, FIRST * 2.0 ** min(self._failures, 10)) * (1 + SPREAD * chance)
        self._failures += 1
        self._again_at = now + pause
        return pause

    def reset(self) -> None:
        """Start from the beginning: there is news that it may work now."""
        self._failures = 0
