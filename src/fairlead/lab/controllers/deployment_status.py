"""What a Deployment says of itself: its counts, and whether it is available and makes progress."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from fairlead.lab.controllers.meta import (
    Condition,
    condition,
    find_condition,
    with_condition,
    without_condition,
)
from fairlead.lab.registry.store import Object
from fairlead.lab.registry.times import read, stamp

NO_DEADLINE = 2**31 - 1
"""A progressDeadlineSeconds that means none."""
AVAILABLE, TIMED_OUT = "NewReplicaSetAvailable", "ProgressDeadlineExceeded"


class Progress(NamedTuple):
    """What this turn does."""

    rolls: bool = False
    """The template is being rolled out: neither paused nor only scaled."""
    made: str = ""
    """The ReplicaSet that was made now."""
    collided: bool = False
    """The name of the ReplicaSet to be made is taken."""


def status(
    found: Object, new: Object | None, every: list[Object], least: int, progress: Progress, now: datetime
) -> tuple[Object, datetime | None]:
    """Its status, and when its deadline passes; ``least`` is how many pods have to be available."""
    before = found.get("status", {})
    counts = _counts(new, every)
    wanted: Object = {"observedGeneration": found["metadata"].get("generation", 0), **counts}
    collisions = before.get("collisionCount", 0) + progress.collided
    if collisions:
        wanted["collisionCount"] = collisions
    conditions = with_paused(found, list(before.get("conditions", ())), now)
    conditions = _set(conditions, _availability(counts["availableReplicas"] >= least), now)
    has_deadline = found["spec"].get("progressDeadlineSeconds", NO_DEADLINE) != NO_DEADLINE
    if progress.rolls:
        if not has_deadline:
            conditions = without_condition(conditions, "Progressing")
        else:
            conditions = _progress(found, new, wanted, conditions, progress, now)
        failure = _failure(new, every)
        conditions = without_condition(conditions, "ReplicaFailure")
        if failure is not None:
            conditions.append({**failure, "lastUpdateTime": failure["lastTransitionTime"]})
    wanted["conditions"] = conditions
    when = _deadline(found, wanted) if has_deadline and progress.rolls else None
    kept = ("conditions", "terminatingReplicas")
    wanted = {name: value for name, value in wanted.items() if value or name in kept}
    return wanted, when if when and when > now else None


def with_paused(found: Object, conditions: list[Condition], now: datetime) -> list[Condition]:
    """Say that it is paused, or is so no more, so that the time does not count as one without progress."""
    spec, current = found["spec"], find_condition(conditions, "Progressing")
    reason = current["reason"] if current else ""
    if spec.get("progressDeadlineSeconds", NO_DEADLINE) == NO_DEADLINE or reason == TIMED_OUT:
        return conditions
    if spec.get("paused") and reason != "DeploymentPaused":
        return _set(conditions, ("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused"), now)
    if not spec.get("paused") and reason == "DeploymentPaused":
        return _set(conditions, ("Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed"), now)
    return conditions


def _counts(new: Object | None, every: list[Object]) -> dict[str, int]:
    def total(name: str) -> int:
        return sum(each.get("status", {}).get(name, 0) for each in every)

    return {
        "replicas": total("replicas"),
        "updatedReplicas": (new or {}).get("status", {}).get("replicas", 0),
        "readyReplicas": total("readyReplicas"),
        "availableReplicas": total("availableReplicas"),
        "unavailableReplicas": max(0, total("replicas") - total("availableReplicas")),
        "terminatingReplicas": total("terminatingReplicas"),
    }


def _availability(enough: bool) -> tuple[str, str, str, str]:
    if enough:
        return "Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability."
    return "Available", "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability."


def _progress(
    found: Object, new: Object | None, wanted: Object, conditions: list[Condition], progress: Progress, now: datetime
) -> list[Condition]:
    current, replicas = find_condition(conditions, "Progressing"), found["spec"].get("replicas", 1)
    name = new["metadata"]["name"] if new else ""
    what = f'ReplicaSet "{name}"' if new else f'Deployment "{found["metadata"]["name"]}"'
    if progress.made:
        text = f'Created new replica set "{progress.made}"'
        return _set(conditions, ("Progressing", "True", "NewReplicaSetCreated", text), now)
    if new and current is None:
        text = f'Found new replica set "{name}"'
        conditions = _set(conditions, ("Progressing", "True", "FoundNewReplicaSet", text), now)
        current = find_condition(conditions, "Progressing")
    reason = current["reason"] if current else ""
    if wanted["replicas"] == wanted["updatedReplicas"] and reason == AVAILABLE:
        return conditions  # scaled since: no rollout
    if wanted["updatedReplicas"] == wanted["replicas"] == wanted["availableReplicas"] == replicas:
        text = f"{what} has successfully progressed."
        return _set(conditions, ("Progressing", "True", AVAILABLE, text), now)
    if _moved(found.get("status", {}), wanted):
        text = f"{what} is progressing."
        return _set(conditions, ("Progressing", "True", "ReplicaSetUpdated", text), now, touch=True)
    until = _deadline(found, {**wanted, "conditions": conditions})
    if until is not None and until <= now:
        return _set(conditions, ("Progressing", "False", TIMED_OUT, f"{what} has timed out progressing."), now)
    return conditions


def _moved(before: Object, wanted: Object) -> bool:
    def old(counts: Object) -> int:
        return int(counts.get("replicas", 0) - counts.get("updatedReplicas", 0))

    more = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return old(wanted) < old(before) or any(wanted.get(name, 0) > before.get(name, 0) for name in more)


def _deadline(found: Object, wanted: Object) -> datetime | None:
    """When there was no progress for too long; None if nothing is waited for."""
    current = condition({"status": wanted}, "Progressing")
    if current is None or current["reason"] in (AVAILABLE, TIMED_OUT, "DeploymentPaused"):
        return None
    return read(current["lastUpdateTime"]) + timedelta(seconds=found["spec"]["progressDeadlineSeconds"])


def _failure(new: Object | None, every: list[Object]) -> dict[str, Any] | None:
    ordered = [new, *every] if new else every
    return next((found for each in ordered if (found := condition(each, "ReplicaFailure"))), None)


def _set(
    conditions: list[Condition], new: tuple[str, str, str, str], now: datetime, *, touch: bool = False
) -> list[Condition]:
    """Leave it where its status and reason are the same, unless ``touch`` asks for the time of the update at least."""
    kind, value, reason, message = new
    before = find_condition(conditions, kind)
    if before is not None and (before["status"], before["reason"]) == (value, reason) and not touch:
        return conditions
    made = {"type": kind, "status": value, "lastUpdateTime": stamp(now), "reason": reason, "message": message}
    return with_condition(conditions, made, now)
