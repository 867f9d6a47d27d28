"""Lanes of a cluster that nobody connects to: what they are told."""

from __future__ import annotations

from fairlead.model.target import PodRef


class NoLanes:
    """Remembers which pods were forgotten and met."""

    def __init__(self) -> None:
        self.forgotten: list[PodRef] = []
        self.met: list[PodRef] = []

    def forget(self, pod: PodRef) -> None:
        self.forgotten.append(pod)

    def meet(self, pod: PodRef) -> None:
        self.met.append(pod)
