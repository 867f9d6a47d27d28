"""What a client may set of an object when it makes one, or puts another in its place."""

from __future__ import annotations

from collections.abc import Callable

from fairlead.lab.registry import kinds
from fairlead.lab.registry.kinds import Kind
from fairlead.lab.registry.qos import qos_class
from fairlead.lab.registry.values import Object, at, same

_GENERATION = (
    kinds.POD, kinds.DEPLOYMENT, kinds.REPLICA_SET, kinds.STATEFUL_SET, kinds.INGRESS, kinds.ENDPOINT_SLICE,
)  # fmt: skip
"""Kinds whose changes are counted."""
_SYSTEM = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "generateName")
"""What only the API server sets."""
_FIRST_STATUS: dict[Kind, Callable[[Object], Object]] = {
    kinds.POD: lambda pod: {"phase": "Pending", "qosClass": qos_class(pod["spec"])},
    kinds.NAMESPACE: lambda _: {"phase": "Active"},
    kinds.SERVICE: lambda _: {"loadBalancer": {}},
    kinds.INGRESS: lambda _: {"loadBalancer": {}},
    kinds.DEPLOYMENT: lambda _: {},
    kinds.REPLICA_SET: lambda _: {"replicas": 0},
    kinds.STATEFUL_SET: lambda _: {"replicas": 0, "availableReplicas": 0},
}


def new(kind: Kind, value: Object) -> None:
    """Make ``value`` one that begins; it is changed."""
    meta = value["metadata"]
    for name in _SYSTEM:
        if name != "generateName":
            meta.pop(name, None)
    if kind in _GENERATION:
        meta["generation"] = 1
    if kind in _FIRST_STATUS:
        value["status"] = _FIRST_STATUS[kind](value)
    if kind == kinds.NAMESPACE:
        finalizers = value["spec"].get("finalizers", [])
        value["spec"]["finalizers"] = [*finalizers, *({"kubernetes"} - set(finalizers))]


def replaced(kind: Kind, value: Object, old: Object, subresource: str) -> Object:
    """What is to be stored when a client puts ``value`` in the place of ``old``, or of a part of it."""
    found = _PARTS[subresource](kind, value, old)
    meta, before = found["metadata"], old["metadata"]
    found["metadata"] = {name: inner for name, inner in meta.items() if name not in (*_SYSTEM, "resourceVersion")}
    found["metadata"] |= {name: before[name] for name in _SYSTEM if name in before}
    if kind in _GENERATION and subresource != "status" and _is_another(kind, found, old):
        found["metadata"]["generation"] = before.get("generation", 0) + 1
    return found


def _whole(kind: Kind, value: Object, old: Object) -> Object:
    found = {**value}
    if "status" in kind.subresources:
        found.pop("status", None)
        if "status" in old:
            found["status"] = old["status"]
    if kind == kinds.NAMESPACE:
        found["spec"] = old["spec"]
    return found


def _status(kind: Kind, value: Object, old: Object) -> Object:
    found = {**old, "metadata": value["metadata"], "status": value.get("status", {})}
    kept = {kinds.POD: "ownerReferences", kinds.DEPLOYMENT: "labels"}.get(kind)
    if kept:
        found["metadata"] = {name: inner for name, inner in value["metadata"].items() if name != kept}
        if kept in old["metadata"]:
            found["metadata"][kept] = old["metadata"][kept]
    if kind == kinds.POD and at(old, "status", "qosClass"):
        found["status"] = {**found["status"], "qosClass": old["status"]["qosClass"]}
    return found


def _finalize(kind: Kind, value: Object, old: Object) -> Object:
    return {**old, "metadata": value["metadata"], "spec": value.get("spec", {})}


def _ephemeral(kind: Kind, value: Object, old: Object) -> Object:
    spec = {name: inner for name, inner in old["spec"].items() if name != "ephemeralContainers"}
    added = value["spec"].get("ephemeralContainers")
    return {
        **old,
        "metadata": {**old["metadata"]},
        "spec": {**spec, **({"ephemeralContainers": added} if added else {})},
    }


_PARTS: dict[str, Callable[[Kind, Object, Object], Object]] = {
    "": _whole, "status": _status, "finalize": _finalize, "ephemeralcontainers": _ephemeral,
}  # fmt: skip


def _is_another(kind: Kind, value: Object, old: Object) -> bool:
    if kind == kinds.ENDPOINT_SLICE:
        parts = ("endpoints", "ports", "addressType")
        return any(not same(value.get(name), old.get(name)) for name in parts) or not _same_meta("labels", value, old)
    if kind == kinds.DEPLOYMENT and not _same_meta("annotations", value, old):
        return True
    return not same(value.get("spec"), old.get("spec"))


def _same_meta(name: str, value: Object, old: Object) -> bool:
    return same(value["metadata"].get(name), old["metadata"].get(name))
