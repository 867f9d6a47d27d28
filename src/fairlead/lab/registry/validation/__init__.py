"""What is wrong with an object, if anything: mistakes that people make, in the API server's words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from fairlead.lab.registry import kinds, status
from fairlead.lab.registry.kinds import Kind
from fairlead.lab.registry.status import Cause
from fairlead.lab.registry.validation import meta, others, pods, services, workloads
from fairlead.lab.registry.values import Object

_One: TypeAlias = Callable[[Object], Iterator[Cause]]
_Two: TypeAlias = Callable[[Object, Object], Iterator[Cause]]

_CHECK: dict[Kind, _One] = {
    kinds.POD: pods.check,
    kinds.DEPLOYMENT: workloads.check_deployment,
    kinds.REPLICA_SET: workloads.check_replica_set,
    kinds.STATEFUL_SET: workloads.check_stateful_set,
    kinds.CONTROLLER_REVISION: others.check_revision,
    kinds.SERVICE: services.check,
    kinds.SECRET: others.check_secret,
    kinds.CONFIG_MAP: others.check_config_map,
    kinds.ENDPOINTS: others.check_endpoints,
    kinds.ENDPOINT_SLICE: others.check_endpoint_slice,
    kinds.LEASE: others.check_lease,
    kinds.EVENT: others.check_event,
    kinds.INGRESS: others.check_ingress,
}
_CHECK_UPDATE: dict[Kind, _Two] = {
    kinds.POD: pods.check_update,
    kinds.DEPLOYMENT: workloads.check_same_selector,
    kinds.REPLICA_SET: workloads.check_same_selector,
    kinds.STATEFUL_SET: workloads.check_stateful_set_update,
    kinds.CONTROLLER_REVISION: others.check_revision_update,
    kinds.SERVICE: services.check_update,
    kinds.SECRET: others.check_secret_update,
    kinds.CONFIG_MAP: others.check_config_map_update,
    kinds.ENDPOINT_SLICE: others.check_endpoint_slice_update,
}
_TOLD_LAST = (
    kinds.DEPLOYMENT, kinds.REPLICA_SET, kinds.STATEFUL_SET, kinds.CONTROLLER_REVISION, kinds.ENDPOINT_SLICE,
)  # fmt: skip
"""Kinds whose forbidden changes are told after what else is wrong."""
_CHECK_STATUS: dict[Kind, _One] = {kinds.SERVICE: services.check_status}


def check(kind: Kind, value: Object) -> None:
    """Of an object with its defaults that is new. Raises ApiStatusError with all causes."""
    causes = list(meta.check(kind, value["metadata"]))
    if kind in _CHECK:
        causes += _CHECK[kind](value)
    _refuse(kind, value, causes)


def check_update(kind: Kind, value: Object, old: Object) -> None:
    """Of one that takes the place of ``old``. Raises ApiStatusError with all causes."""
    causes = list(meta.check_update(value["metadata"], old["metadata"]))
    changed = list(_CHECK_UPDATE[kind](value, old)) if kind in _CHECK_UPDATE else []
    found = list(_CHECK[kind](value)) if kind in _CHECK and kind != kinds.POD else []
    _refuse(kind, value, [*causes, *found, *changed] if kind in _TOLD_LAST else [*causes, *changed, *found])


def check_part(kind: Kind, value: Object, old: Object, subresource: str) -> None:
    """Of one that differs from ``old`` in what a subresource may change. Raises ApiStatusError with all causes."""
    causes = list(meta.check_update(value["metadata"], old["metadata"]))
    if subresource == "ephemeralcontainers":
        causes += pods.check_ephemeral_update(value, old)
    elif subresource == "status" and kind in _CHECK_STATUS:
        causes += _CHECK_STATUS[kind](value)
    _refuse(kind, value, causes)


def _refuse(kind: Kind, value: Object, causes: list[Cause]) -> None:
    if causes:
        raise status.invalid_object(kind, value["metadata"].get("name", ""), causes)
