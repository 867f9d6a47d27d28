"""Whether a pod that is gone can come back under its own name."""

from __future__ import annotations

from enum import Enum

from fairlead.model.objects import Pod
from fairlead.policy.candidates import state


class Comeback(Enum):
    """Who could make the name again."""

    OWNER = "owner"
    """Its controller does, soon: a StatefulSet, the node of a static pod, or a controller that we do not know."""
    HAND = "hand"
    """Nobody but a person or a tool: it has no controller."""
    NEVER = "never"
    """Its controller makes other names, with a random end."""


_RANDOM = frozenset({"ReplicaSet", "ReplicationController", "DaemonSet", "Job"})
"""Kinds that make pods by generateName, even an indexed Job."""


def comeback(pod: Pod) -> Comeback:
    """Judge by the pod's controller."""
    if pod.owner is None:
        return Comeback.HAND
    return Comeback.NEVER if pod.owner.kind in _RANDOM else Comeback.OWNER


def what_now(pod: Pod, owner: str, *, there: bool) -> str:
    """Say what became of a pod that ended, and who makes its name again.

    ``owner`` is its controller as one would forward to it; ``there``: it ended and was not deleted yet.
    """
    ended = f"is {state(pod)}" if there and pod.deleted_at is None else "was deleted"
    match comeback(pod):
        case Comeback.OWNER:
            return f"pod {pod.name} {ended}; {owner} makes it again"
        case Comeback.HAND:
            return f"pod {pod.name} {ended}; it has no owner that makes it again"
    return f"pod {pod.name} {ended}; {owner} never makes that name again"
