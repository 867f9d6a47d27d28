"""What nobody owns any more, and what waits for what it owns: the end of owners, in the three ways that there are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import Enum

from fairlead.lab.controllers.meta import disowned, is_leaving, key_of, present, with_meta
from fairlead.lab.controllers.steps import Controller, Delete, Key, Replace, Step
from fairlead.lab.registry.kinds import EVENT, KINDS, OF_KIND, Kind
from fairlead.lab.registry.store import Change, Object, Store

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
"""Finalizers: it goes when all that it owns is gone, or when nothing calls it its owner."""
_COLLECTED = {kind for kind in KINDS if kind != EVENT}
_BY_PLURAL = {kind.resource: kind for kind in KINDS}


class _State(Enum):
    """How an owner is."""

    THERE = 0
    GONE = 1
    WAITING = 2
    """For what it owns to be gone."""


def decide(store: Store, key: Key, _now: datetime) -> list[Step]:
    """``key`` is (resource, namespace, name)."""
    kind = _BY_PLURAL[key[0]]
    found = store.get(kind, key[1], key[2])
    if found is None:
        return []
    finalizers = found["metadata"].get("finalizers", ())
    if is_leaving(found) and ORPHAN in finalizers:
        uid = found["metadata"]["uid"]
        freed: list[Step] = [Replace(each, disowned(value, uid)) for each, value in dependents(store, found)]
        return freed or [_without(kind, found, ORPHAN)]
    if is_leaving(found) and FOREGROUND in finalizers:
        return _foreground(store, kind, found)
    return [] if is_leaving(found) else _judge(store, kind, found)


def dependents(store: Store, owner: Object) -> Iterator[tuple[Kind, Object]]:
    """All that name it as an owner."""
    uid, namespace = owner["metadata"]["uid"], owner["metadata"].get("namespace", "")
    for kind in _COLLECTED:
        if kind.namespaced or not namespace:
            for value in store.all(kind, namespace):
                if any(each.get("uid") == uid for each in value["metadata"].get("ownerReferences", ())):
                    yield kind, value


def _foreground(store: Store, kind: Kind, found: Object) -> list[Step]:
    """Delete what it owns; it follows when all is gone of which it may not go before."""
    uid, steps, blocked = found["metadata"]["uid"], list[Step](), False
    for each, value in dependents(store, found):
        references = value["metadata"]["ownerReferences"]
        blocked = blocked or any(ref.get("uid") == uid and ref.get("blockOwnerDeletion") for ref in references)
        steps += [] if is_leaving(value) else _judge(store, each, value)
    return steps if blocked else [*steps, _without(kind, found, FOREGROUND)]


def _without(kind: Kind, found: Object, finalizer: str) -> Replace:
    left = [each for each in found["metadata"]["finalizers"] if each != finalizer]
    return Replace(kind, with_meta(found, finalizers=left))


def _judge(store: Store, kind: Kind, found: Object) -> list[Step]:
    """Delete it if no owner is left; forget the owners that are gone if another is there."""
    references = found["metadata"].get("ownerReferences", ())
    states = [(each, _state(store, found, each)) for each in references]
    if not states:
        return []
    if any(state is _State.THERE for _, state in states):
        left = [each for each, state in states if state is _State.THERE]
        return [] if len(left) == len(states) else [Replace(kind, with_meta(found, ownerReferences=left))]
    waiting = any(state is _State.WAITING for _, state in states)
    if waiting and next(dependents(store, found), None) is not None:
        return [Delete(kind, found, "Foreground")]
    finalizers = found["metadata"].get("finalizers", ())
    kept = "Orphan" if ORPHAN in finalizers else "Foreground" if FOREGROUND in finalizers else "Background"
    return [Delete(kind, found, kept)]


def _state(store: Store, found: Object, reference: Object) -> _State:
    kind = OF_KIND.get((reference["apiVersion"], reference["kind"]))
    if kind is None:
        return _State.THERE  # who knows: of a kind that the lab does not have
    namespace = found["metadata"].get("namespace", "") if kind.namespaced else ""
    owner = store.get(kind, namespace, reference["name"])
    if owner is None or owner["metadata"]["uid"] != reference["uid"]:
        return _State.GONE
    waits = is_leaving(owner) and FOREGROUND in owner["metadata"].get("finalizers", ())
    return _State.WAITING if waits else _State.THERE


def _concerned(store: Store, change: Change) -> Iterator[Key]:
    """Itself, while it is there; what it owned, when it is gone; and owners that may have waited for this."""
    value = present(change)
    if change.after is None:
        for kind, dependent in dependents(store, value):
            yield _key(kind, dependent)
    elif is_leaving(value) or "ownerReferences" in value["metadata"]:
        yield _key(change.kind, value)
    left = [] if change.after is None else change.after["metadata"].get("ownerReferences", ())
    for reference in (change.before or {"metadata": {}})["metadata"].get("ownerReferences", ()):
        owner = OF_KIND.get((reference["apiVersion"], reference["kind"]))
        if owner is not None and (reference not in left or is_leaving(value)):
            yield owner.resource, value["metadata"].get("namespace", "") if owner.namespaced else "", reference["name"]


def _key(kind: Kind, value: Object) -> Key:
    return (kind.resource, *key_of(value))


CONTROLLER = Controller("garbage-collector-controller", decide, dict.fromkeys(_COLLECTED, _concerned))
