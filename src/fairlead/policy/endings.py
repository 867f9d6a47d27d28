"""Which pods are known to end, whoever said so first.

Pods and EndpointSlices come on streams of their own, and either may lag behind the other by seconds. A deletion is
never taken back, so what calls such a pod ready later is older news.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from fairlead.model.objects import EndpointSlice, Pod

MAX_REMEMBERED = 10_000
"""Pods, the longest known forgotten first; a slice lags by seconds, in which no cluster ends so many of one target."""


class Endings:
    """What is remembered of the pods of one target, by uid."""

    def __init__(self) -> None:
        self.gone: dict[str, str] = {}
        """Pods that were there and are no more, each with the reason."""
        self._ending: dict[str, None] = {}
        self._present: frozenset[str] = frozenset()

    def __contains__(self, uid: object) -> bool:
        return uid in self.gone or uid in self._ending

    def look(self, pods: Iterable[Pod], slices: Iterable[EndpointSlice], *, why: str) -> None:
        """Learn from the present state; ``why`` is the reason of pods that vanished without a word before."""
        present = {pod.uid: pod for pod in pods}
        for uid in self._present - present.keys():
            self.gone[uid] = "deleted" if uid in self._ending else why
        for uid, pod in present.items():
            # It may be back: its labels, or those that are selected, changed there and back.
            self.gone.pop(uid, None)
            if pod.finished or pod.deleted_at is not None:
                self._ending[uid] = None
        for piece in slices:
            for endpoint in piece.endpoints:
                if endpoint.terminating and endpoint.pod is not None and endpoint.pod.uid:
                    self._ending[endpoint.pod.uid] = None
        self._present = frozenset(present)
        for known in (self.gone, self._ending):
            while len(known) > MAX_REMEMBERED:
                known.pop(next(iter(known)))

    def applied(self, pods: Collection[Pod]) -> list[Pod]:
        """The pods, with those that others call terminating as terminating."""
        return [
            pod._replace(deleted_at=0.0) if pod.deleted_at is None and not pod.finished and pod.uid in self else pod
            for pod in pods
        ]
