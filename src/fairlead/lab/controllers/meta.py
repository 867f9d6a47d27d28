"""What all controllers read of objects: names, owners, selectors, conditions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from fairlead.lab.controllers.steps import Key
from fairlead.lab.registry.kinds import Kind
from fairlead.lab.registry.selectors import matches, of_object
from fairlead.lab.registry.store import Change, Object, Store
from fairlead.lab.registry.times import stamp

Condition = dict[str, Any]


def key_of(value: Object) -> Key:
    """(namespace, name); the namespace is "" for kinds that have none."""
    meta = value["metadata"]
    return meta.get("namespace", ""), meta["name"]


def own_key(_store: Store, change: Change) -> Iterator[Key]:
    """The key of what changed."""
    yield key_of(present(change))


def present(change: Change) -> Object:
    """What changed, as it is or as it was at its end."""
    value = change.after or change.before
    assert value is not None
    return value


def is_leaving(value: Object) -> bool:
    """Whether its deletion was asked for."""
    return "deletionTimestamp" in value["metadata"]


def with_meta(value: Object, **fields: Any) -> Object:
    """A copy with other fields of its metadata; None removes one."""
    meta = {**value["metadata"], **fields}
    return {**value, "metadata": {name: field for name, field in meta.items() if field is not None}}


def age(value: Object) -> tuple[str, str]:
    """Sorts the oldest first."""
    return value["metadata"].get("creationTimestamp", ""), value["metadata"]["name"]


# Owners


def controller_of(value: Object) -> Mapping[str, Any] | None:
    """The owner that manages it."""
    return next((owner for owner in value["metadata"].get("ownerReferences", ()) if owner.get("controller")), None)


def is_controlled_by(value: Object, owner: Object) -> bool:
    """Whether ``owner`` itself, not one of the same name, manages it."""
    found = controller_of(value)
    return found is not None and found.get("uid") == owner["metadata"]["uid"]


def owned(value: Object, owner: Object, kind: Kind) -> Object:
    """A copy that ``owner`` manages."""
    reference = {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return with_meta(value, ownerReferences=[*value["metadata"].get("ownerReferences", ()), reference])


def disowned(value: Object, uid: str) -> Object:
    """A copy without that owner."""
    left = [owner for owner in value["metadata"].get("ownerReferences", ()) if owner.get("uid") != uid]
    return with_meta(value, ownerReferences=left or None)


def owner_key(value: Object, kind: Kind) -> Iterator[Key]:
    """The key of its controller if that is of ``kind``."""
    owner = controller_of(value)
    if owner is not None and (owner.get("apiVersion"), owner.get("kind")) == (kind.api_version, kind.kind):
        yield value["metadata"].get("namespace", ""), owner["name"]


# Selectors


def selects(selector: Any, labels: Mapping[str, str]) -> bool:
    """Whether a meta/v1 LabelSelector takes an object with these labels; None takes nothing."""
    found = of_object(selector)
    return found is not None and matches(found, labels)


def has_labels(wanted: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether all of ``wanted`` are among ``labels``."""
    return all(labels.get(name) == value for name, value in wanted.items())


def labels_of(value: Object) -> Mapping[str, str]:
    """Its labels."""
    found: Mapping[str, str] = value["metadata"].get("labels") or {}
    return found


# Conditions


def condition(value: Object, kind: str) -> Condition | None:
    """The condition of that type in its status."""
    return find_condition(value.get("status", {}).get("conditions") or (), kind)


def find_condition(conditions: Iterable[Condition], kind: str) -> Condition | None:
    """The condition of that type."""
    return next((each for each in conditions if each["type"] == kind), None)


def condition_is(value: Object, kind: str, status: str = "True") -> bool:
    """Whether its condition of that type has that status."""
    found = condition(value, kind)
    return found is not None and found.get("status") == status


def with_condition(conditions: Iterable[Condition], new: Condition, now: datetime) -> list[Condition]:
    """Set one: the time of its transition moves only with its status, and no place changes."""
    old = list(conditions)
    before = find_condition(old, new["type"])
    same = before is not None and before.get("status") == new["status"]
    when = before["lastTransitionTime"] if same and before is not None else stamp(now)
    new = {**new, "lastTransitionTime": when}
    if before is None:
        return [*old, new]
    return [new if each is before else each for each in old]


def without_condition(conditions: Iterable[Condition], kind: str) -> list[Condition]:
    """All but the one of that type."""
    return [each for each in conditions if each["type"] != kind]
