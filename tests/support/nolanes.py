"""Lanes of a cluster that nobody connects to: what they are told."""

from __future__ import annotations

from fairlead.model.target import PodRef


class NoLanes:
    """Remembers which pods were forgotten, and whether as gone."""

    def __init__(self) -> None:
        self.forgotten: list[tuple[str, bool]] = []

    def forget(self, pod: PodRef, *, gone: bool = False) -> None:
        self.forgotten.append((pod.name, gone))
