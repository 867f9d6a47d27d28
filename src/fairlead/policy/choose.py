"""Which of the ready pods takes the next connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fairlead.model.target import Backend, PodRef

MAX_CLIENTS = 4096
"""Clients remembered for session affinity; the one that was silent longest is forgotten."""


def least_used(candidates: Sequence[Backend], in_use: Mapping[PodRef, int], turn: int) -> Backend:
    """Take a pod with the fewest connections open; among equals they take turns by ``turn``, any counter."""
    fewest = min(in_use.get(backend.pod, 0) for backend in candidates)
    equals = [backend for backend in candidates if in_use.get(backend.pod, 0) == fewest]
    return equals[turn % len(equals)]


class Choice:
    """Chooses for one target; with ``affinity`` a client keeps its pod while that is a candidate.

    ``affinity`` is how many seconds after its last connection a client is remembered: None for a new choice each time,
    infinity for --sticky, a Service's sessionAffinity otherwise.
    """

    def __init__(self, affinity: float | None = None) -> None:
        self._affinity = affinity
        self._turn = 0
        self._held: dict[str, tuple[PodRef, float]] = {}

    def pick(
        self, candidates: Sequence[Backend], in_use: Mapping[PodRef, int], *, client: str = "", now: float = 0.0
    ) -> Backend | None:
        """Choose for a connection from ``client`` (its address) at ``now`` (monotonic seconds); None if there is none.

        ``in_use`` counts the open connections to each pod; a pod that is missing there has none.
        """
        if not candidates:
            return None
        held = self._held.pop(client, None)
        chosen = None
        if held is not None and self._affinity is not None and now - held[1] <= self._affinity:
            chosen = next((backend for backend in candidates if backend.pod == held[0]), None)
        if chosen is None:
            chosen = least_used(candidates, in_use, self._turn)
            self._turn += 1
        if self._affinity is not None:
            self._held[client] = (chosen.pod, now)
            if len(self._held) > MAX_CLIENTS:
                del self._held[next(iter(self._held))]
        return chosen
