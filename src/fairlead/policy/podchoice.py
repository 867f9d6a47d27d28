"""Which of several pods kubectl would take."""

from __future__ import annotations

from collections.abc import Iterable

from fairlead.model.objects import Pod

_PHASES = {"Running": 0, "Unknown": 1}
"""Every other phase, Succeeded and Failed among them, is equally bad."""


def order(pods: Iterable[Pod]) -> list[Pod]:
    """Sort pods best first, as kubectl does for attach and port-forward (from 1.32); ties keep the server's order.

    Nothing is filtered: a list of failed pods still has a first one.
    """
    return sorted(pods, key=_rank)


def _rank(pod: Pod) -> tuple[object, ...]:
    deleting = pod.deleted_at is not None
    return (
        not pod.node,
        _PHASES.get(pod.phase, 2),
        not pod.ready,
        deleting,
        # Among those that go, the one whose end is later.
        -pod.deleted_at if pod.deleted_at is not None else 0.0,
        # Ready for longer; a ready pod that does not say since when comes last.
        pod.ready and pod.ready_since is None,
        (pod.ready_since or 0.0) if pod.ready else 0.0,
        pod.restarts,
        pod.sidecar_restarts,
        pod.created_at is None,
        pod.created_at or 0.0,
    )
