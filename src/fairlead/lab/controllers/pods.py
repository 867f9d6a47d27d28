"""What controllers read of pods: whether they count, since when they are ready, which go first."""

from __future__ import annotations

from datetime import datetime, timedelta

from fairlead.lab.controllers.meta import condition, is_leaving
from fairlead.lab.registry.store import Object
from fairlead.lab.registry.times import read

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def phase(pod: Object) -> str:
    """The pod's; "" before anybody said."""
    return str(pod.get("status", {}).get("phase", ""))


def is_over(pod: Object) -> bool:
    """Whether it came to its end: nothing runs in it again."""
    return phase(pod) in ("Succeeded", "Failed")


def is_active(pod: Object) -> bool:
    """Whether it counts as one of those that were asked for."""
    return not is_over(pod) and not is_leaving(pod)


def is_ready(pod: Object) -> bool:
    """Whether it says so."""
    return ready_since(pod) is not None


def ready_since(pod: Object) -> datetime | None:
    """None if it is not ready."""
    found = condition(pod, "Ready")
    if found is None or found["status"] != "True":
        return None
    return read(found["lastTransitionTime"])


def available_from(pod: Object, min_ready: int) -> datetime | None:
    """When it has been ready for ``min_ready`` seconds, be that to come; None if it is not ready."""
    since = ready_since(pod)
    return None if since is None else since + timedelta(seconds=min_ready)


def is_available(pod: Object, min_ready: int, now: datetime) -> bool:
    """Whether it has been ready for ``min_ready`` seconds."""
    when = available_from(pod, min_ready)
    return when is not None and when <= now


def next_available(pods: list[Object], min_ready: int, now: datetime) -> datetime | None:
    """When the next of those that are ready becomes available."""
    coming = (available_from(pod, min_ready) for pod in pods)
    return min((when for when in coming if when is not None and when > now), default=None)


def least_worth(pod: Object) -> tuple[object, ...]:
    """Sorts the pods of a ReplicaSet so that those to delete are first.

    Not yet on a node, pending, not ready, cheap, ready for less time, restarted more, younger.
    """
    since = ready_since(pod)
    return (
        bool(pod["spec"].get("nodeName")),
        _PHASES.get(phase(pod), 0),
        since is not None,
        _cost(pod),
        0.0 if since is None else -since.timestamp(),
        -max((each["restartCount"] for each in pod.get("status", {}).get("containerStatuses") or ()), default=0),
        -read(pod["metadata"]["creationTimestamp"]).timestamp(),
        pod["metadata"]["name"],
    )


def _cost(pod: Object) -> int:
    try:
        return int(pod["metadata"].get("annotations", {}).get(DELETION_COST, "0"))
    except ValueError:
        return 0
