"""What the API server fills in where an object says nothing. All change the object that they are given."""

from __future__ import annotations

from collections.abc import Callable

from fairlead.lab.registry import kinds
from fairlead.lab.registry.defaults import others, pods, services, workloads
from fairlead.lab.registry.kinds import Kind
from fairlead.lab.registry.values import Object

_FILL: dict[Kind, Callable[[Object], None]] = {
    kinds.POD: pods.fill_pod,
    kinds.DEPLOYMENT: workloads.fill_deployment,
    kinds.REPLICA_SET: workloads.fill_replica_set,
    kinds.STATEFUL_SET: workloads.fill_stateful_set,
    kinds.SERVICE: services.fill,
    kinds.SECRET: others.fill_secret,
    kinds.NAMESPACE: others.fill_namespace,
    kinds.NODE: others.fill_node,
    kinds.ENDPOINTS: others.fill_endpoints,
    kinds.ENDPOINT_SLICE: others.fill_endpoint_slice,
    kinds.LEASE: others.fill_lease,
    kinds.EVENT: others.fill_event,
}


def fill(kind: Kind, value: Object) -> None:
    """Each time that an object is read from a client."""
    value["apiVersion"], value["kind"] = kind.api_version, kind.kind
    value.setdefault("metadata", {})
    found = _FILL.get(kind)
    if found:
        found(value)
