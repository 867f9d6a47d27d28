"""How sure a pod may be of what it asked for (Kubernetes, Pod Quality of Service Classes)."""

from __future__ import annotations

from fairlead.lab.registry.quantity import value
from fairlead.lab.registry.values import Object

_COUNTED = ("cpu", "memory")


def qos_class(spec: Object) -> str:
    """Of a pod with its defaults; any amount in it can be read."""
    found = []
    for container in (*spec.get("containers", ()), *spec.get("initContainers", ())):
        resources = container.get("resources", {})
        found.append(tuple(_amounts(resources.get(name, {})) for name in ("requests", "limits")))
    if not any(requests or limits for requests, limits in found):
        return "BestEffort"
    guaranteed = all(len(limits) == len(_COUNTED) and requests == limits for requests, limits in found)
    return "Guaranteed" if guaranteed else "Burstable"


def _amounts(given: dict[str, str]) -> dict[str, object]:
    return {name: value(given[name]) for name in _COUNTED if name in given and value(given[name]) > 0}
