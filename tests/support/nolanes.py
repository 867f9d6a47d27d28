"""Lanes of a cluster that nobody connects to: what they are told."""

from __future__ import annotations

from collections.abc import Set

from fairlead.model.target import PodRef


class NoLanes:
    """Remembers which pods were forgotten and met."""

    def __init__(self) -> None:
        self.forgotten: list[PodRef] = []
        self.met: list[PodRef] = []

    def moved(self, before: Set[PodRef], now: Set[PodRef]) -> None:
        self.forgotten += before - now
        self.met += now - before
