"""What a deletion makes of an object: nothing, or one that waits for its end (Kubernetes, Finalizers)."""

from __future__ import annotations

from datetime import datetime, timedelta

from fairlead.lab.registry import kinds, status
from fairlead.lab.registry.kinds import Kind
from fairlead.lab.registry.schema.decode import TypeMismatchError, decode
from fairlead.lab.registry.status import Cause
from fairlead.lab.registry.times import read, stamp
from fairlead.lab.registry.values import Object, at

ORPHAN, FOREGROUND = "orphan", "foregroundDeletion"
"""Finalizers that the garbage collector removes, when dependents are let go or are gone."""
_POLICIES = ("Foreground", "Background", "Orphan")
_IMMORTAL = ("default", "kube-system", "kube-public")


def read_options(value: object) -> Object:
    """A v1 DeleteOptions; none at all is an empty one. Raises ApiStatusError."""
    try:
        options, _ = decode("DeleteOptions", {} if value is None else value)
    except TypeMismatchError as error:
        raise status.bad_request(f"DeleteOptions cannot be read: {error}") from None
    causes: list[Cause] = []
    policy = options.get("propagationPolicy")
    if policy is not None and "orphanDependents" in options:
        why = "orphanDependents and deletionPropagation cannot be both set"
        causes.append(status.invalid("propagationPolicy", policy, why))
    if policy is not None and policy not in _POLICIES:
        causes.append(status.not_supported("propagationPolicy", policy, (*_POLICIES, "nil")))
    if causes:
        raise status.refused("meta.k8s.io", "DeleteOptions", "", causes)
    return options


def check(kind: Kind, old: Object, options: Object) -> None:
    """Whether it may be deleted, and is the one that is meant. Raises ApiStatusError."""
    meta = old["metadata"]
    if kind == kinds.NAMESPACE and meta["name"] in _IMMORTAL:
        raise status.forbidden(kind, meta["name"], "this namespace may not be deleted")
    for name, word, why in (
        ("uid", "UID", "deleted and then recreated"),
        ("resourceVersion", "ResourceVersion", "modified"),
    ):
        wanted = at(options, "preconditions", name)
        if wanted is not None and wanted != meta[name]:
            told = f"the {word} in the precondition ({wanted}) does not match the {word} in record ({meta[name]})"
            # The kind stands for the resource here, as in the API server's own words.
            raise status.conflict(
                kind._replace(plural=kind.kind), meta["name"], f"{told}. The object might have been {why}"
            )


def marked(kind: Kind, old: Object, options: Object, now: datetime) -> Object | None:
    """The object as it waits for its end; ``old`` itself if it does so already; None if it is to go at once."""
    finalizers = _finalizers(kind, old, options)
    if kind == kinds.NAMESPACE:
        return _marked_namespace(old, finalizers, now)
    if kind == kinds.POD:
        ends = _pod_ends(old, options, now)
        if ends is not None:
            return old if ends is old else _with_finalizers(ends, finalizers)
    if not finalizers:
        return None
    return _with_finalizers(_ended(old, now, 0), finalizers)


def _with_finalizers(value: Object, finalizers: list[str]) -> Object:
    meta = {name: inner for name, inner in value["metadata"].items() if name != "finalizers"}
    return {**value, "metadata": {**meta, "finalizers": finalizers} if finalizers else meta}


def is_over(kind: Kind, value: Object) -> bool:
    """Whether nobody is waited for any more."""
    meta = value["metadata"]
    waited = meta.get("finalizers") or (kind == kinds.NAMESPACE and at(value, "spec", "finalizers"))
    return bool(meta.get("deletionTimestamp")) and not meta.get("deletionGracePeriodSeconds") and not waited


def _finalizers(kind: Kind, old: Object, options: Object) -> list[str]:
    """Those of the object, and what the garbage collector has to do first."""
    found: list[str] = list(old["metadata"].get("finalizers", ()))
    policy = options.get("propagationPolicy")
    if options.get("orphanDependents") is not None:
        policy = "Orphan" if options["orphanDependents"] else "Background"
    if policy is None or kind == kinds.EVENT:
        return found
    kept = [name for name in found if name not in (ORPHAN, FOREGROUND)]
    return kept + {"Orphan": [ORPHAN], "Foreground": [FOREGROUND]}.get(policy, [])


def _ended(old: Object, at_: datetime, grace: int) -> Object:
    """With the time of its end, ``at_``, which nothing but an earlier one changes."""
    meta = old["metadata"]
    more: Object = {"deletionTimestamp": stamp(at_), "deletionGracePeriodSeconds": grace}
    if meta.get("deletionTimestamp"):
        more["deletionTimestamp"] = min(meta["deletionTimestamp"], more["deletionTimestamp"])
    elif meta.get("generation"):
        more["generation"] = meta["generation"] + 1
    return {**old, "metadata": {**meta, **more}}


def _marked_namespace(old: Object, finalizers: list[str], now: datetime) -> Object | None:
    meta = old["metadata"]
    if meta.get("deletionTimestamp"):
        return None if is_over(kinds.NAMESPACE, old) else old
    value = {**old, "metadata": {**meta, "deletionTimestamp": stamp(now)}}
    value["status"] = {**old.get("status", {}), "phase": "Terminating"}
    return _with_finalizers(value, finalizers)


def _pod_ends(old: Object, options: Object, now: datetime) -> Object | None:
    """The pod with the time that its containers have; ``old`` if they have no less of it; None if they need none."""
    meta = old["metadata"]
    grace = options.get("gracePeriodSeconds")
    if meta.get("deletionTimestamp"):
        known = meta.get("deletionGracePeriodSeconds", 0)
        if not known:
            return None
        if grace is None or _seconds(grace) >= known:
            return old
        seconds = _seconds(grace)
        ends = read(meta["deletionTimestamp"]) - timedelta(seconds=known - seconds)
        if ends < now:
            ends, seconds = now, min(seconds, 1)
        return _ended(old, ends, seconds) if seconds else None
    if grace is None:
        grace = old["spec"].get("terminationGracePeriodSeconds", 30)
    seconds = _seconds(grace)
    if not old["spec"].get("nodeName") or at(old, "status", "phase") in ("Failed", "Succeeded"):
        seconds = 0
    return _ended(old, now + timedelta(seconds=seconds), seconds) if seconds else None


def _seconds(grace: int) -> int:
    """No time below zero; it means one second."""
    return min(grace, 2**31) if grace >= 0 else 1
