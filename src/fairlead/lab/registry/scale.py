"""The subresource ``scale``: how many pods a workload has, and which (autoscaling/v1)."""

from __future__ import annotations

from fairlead.lab.registry import selectors, status
from fairlead.lab.registry.values import Object, at

TYPE = "Scale"
API_VERSION = "autoscaling/v1"
_META = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def of(workload: Object) -> Object:
    """As clients read it."""
    meta = workload["metadata"]
    selector = selectors.of_object(at(workload, "spec", "selector"))
    told: Object = {"replicas": at(workload, "status", "replicas") or 0}
    if selector:
        told["selector"] = str(selector)
    return {
        "kind": TYPE, "apiVersion": API_VERSION, "metadata": {name: meta[name] for name in _META if name in meta},
        "spec": {"replicas": at(workload, "spec", "replicas") or 0}, "status": told,
    }  # fmt: skip


def applied(workload: Object, wanted: Object) -> Object:
    """The workload with as many pods as ``wanted``, a Scale, says. Raises ApiStatusError."""
    replicas = at(wanted, "spec", "replicas") or 0
    meta = wanted.get("metadata", {})
    if replicas < 0:
        why = status.invalid("spec.replicas", replicas, "must be greater than or equal to 0")
        raise status.refused("autoscaling", TYPE, meta.get("name", ""), [why])
    more = {name: meta[name] for name in ("resourceVersion", "uid") if meta.get(name)}
    kept = {name: inner for name, inner in workload["metadata"].items() if name != "resourceVersion"}
    return {**workload, "metadata": {**kept, **more}, "spec": {**workload["spec"], "replicas": replicas}}
