"""The seam of the hot path: what one side of a joined connection may ask of the other.

A connection is two ends that point at each other: a local socket and a stream to a pod, say. Bytes are pushed: whoever
has read something calls ``write`` on the opposite end at once. Each end has two halves that finish independently.
"""

from __future__ import annotations

from typing import Protocol


class End(Protocol):
    """One side of a joined connection, as its opposite side sees it."""

    def write(self, data: memoryview) -> None:
        """Take bytes that are valid only during this call: send them now or copy them."""

    def write_eof(self) -> None:
        """No more bytes will come; what was written before is delivered first. The other direction goes on."""

    def abort(self, reason: str) -> None:
        """Reset: drop what is unsent and let the far side see a reset. ``reason`` is for people, "" if told already."""

    def pause_reading(self) -> None:
        """Stop calling ``write`` of the opposite end until ``resume_reading``; what was read already may still come."""

    def resume_reading(self) -> None:
        """Undo ``pause_reading``."""
