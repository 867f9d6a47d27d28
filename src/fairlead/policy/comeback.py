"""Whether a pod that is gone can come back under its own name."""

from __future__ import annotations

from enum import Enum

from fairlead.model.objects import Pod


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
