"""Which of the ready pods takes the next connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fairlead.model.target import Backend, PodRef

MAX_CLIENTS = 4096
"""Clients remembered for session affinity; the one that was silent longest is forgotten."""


def least_used(candidates: Sequence[Backend], in_use: Mapping[PodRef, int], start: int) -> int:
    """Return the index of a pod with the fewest connections open; among equals the first from ``start`` on, around."""
    best, fewest = 0, -1
    for step in range(len(candidates)):
        index = (start + step) % len(candidates)
        used = in_use.get(candidates[index].pod, 0)
        if used < fewest or fewest < 0:
            best, fewest = index, used
        if not used:
            break
    return best


class Choice:
    """Chooses for one target; with ``affinity`` a client keeps its pod while that is a candidate.

    ``affinity`` is how many seconds after its last connection a client is remembered: None for a new choice each time,
    infinity for --sticky, a Service's sessionAffinity otherwise.
    """

    def __init__(self, affinity: float | None = None) -> None:
        self.affinity = affinity
        self._next = 0
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
        if held is not None and self.affinity is not None and now - held[1] <= self.affinity:
            chosen = next((backend for backend in candidates if backend.pod == held[0]), None)
        if chosen is None:
            index = least_used(candidates, in_use, self._next)
            chosen, self._next = candidates[index], index + 1
        if self.affinity is not None:
            self._held[client] = (chosen.pod, now)
            if len(self._held) > MAX_CLIENTS:
                del self._held[next(iter(self._held))]
        return chosen
