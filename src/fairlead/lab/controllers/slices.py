"""EndpointSlices: where the pods of a service are, those that end included."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from ipaddress import ip_address

from fairlead.lab.controllers.backends import (
    HEADLESS,
    addresses,
    backends,
    has_backends,
    hostname,
    is_headless,
    number,
    reference,
    services_of_pod,
)
from fairlead.lab.controllers.meta import is_controlled_by, is_leaving, labels_of, own_key, owned, present, with_meta
from fairlead.lab.controllers.pods import is_ready
from fairlead.lab.controllers.slice_sets import Group, lay_out
from fairlead.lab.controllers.steps import Controller, Delete, Key, Step
from fairlead.lab.registry.kinds import ENDPOINT_SLICE, NODE, POD, SERVICE
from fairlead.lab.registry.store import Change, Object, Store

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
BY = "endpointslice-controller.k8s.io"
ZONE = "topology.kubernetes.io/zone"
MOST = 100
"""Endpoints in one slice."""
_RESERVED = {SERVICE_NAME, MANAGED_BY, HEADLESS}


def decide(store: Store, key: Key, now: datetime) -> list[Step]:
    """Make them what the pods are. Slices of a service that is gone are garbage."""
    service = store.get(SERVICE, *key)
    if service is None or is_leaving(service):
        return []
    existing = list(slices_of(store, key, BY))
    if not has_backends(service):
        return [Delete(ENDPOINT_SLICE, each) for each in existing if not is_leaving(each)]
    zones = {node["metadata"]["name"]: labels_of(node).get(ZONE, "") for node in store.all(NODE)}
    ours = [each for each in existing if is_controlled_by(each, service)]
    others = [Delete(ENDPOINT_SLICE, each) for each in existing if each not in ours and not is_leaving(each)]
    groups = groups_of(service, backends(store, service), zones)
    return [*others, *lay_out(groups, ours, MOST, lambda each: _dressed(service, each), now)]


def slices_of(store: Store, key: Key, by: str) -> Iterator[Object]:
    """The slices of a service that one controller keeps."""
    for each in store.all(ENDPOINT_SLICE, key[0]):
        labels = labels_of(each)
        if labels.get(SERVICE_NAME) == key[1] and labels.get(MANAGED_BY) == by:
            yield each


def groups_of(service: Object, pods: Iterable[Object], zones: Mapping[str, str]) -> list[Group]:
    """The endpoints of a service; for each family that it has at least one group."""
    pods, found = list(pods), list[Group]()
    for family in service["spec"].get("ipFamilies") or ["IPv4"]:
        groups = dict[str, Group]()
        for pod in pods:
            own = [each for each in addresses(pod) if ip_address(each).version == (6 if family == "IPv6" else 4)]
            if own:
                group = Group(family, _ports(service, pod), [])
                groups.setdefault(group.key, group).endpoints.append(_endpoint(service, pod, own, zones))
        found += groups.values() or [Group(family, [], [])]
    return found


def _ports(service: Object, pod: Object) -> list[Object]:
    found = []
    for port in service["spec"].get("ports") or ():
        known = number(pod, port)
        if known is None:
            continue
        entry = {"name": port.get("name", ""), "port": known, "protocol": port.get("protocol", "TCP")}
        found.append({**entry, "appProtocol": port["appProtocol"]} if port.get("appProtocol") else entry)
    return found


def _endpoint(service: Object, pod: Object, own: list[str], zones: Mapping[str, str]) -> Object:
    serving, terminating = is_ready(pod), is_leaving(pod)
    ready = bool(service["spec"].get("publishNotReadyAddresses")) or (serving and not terminating)
    found: Object = {
        "addresses": own,
        "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
        "targetRef": reference(pod),
    }
    node = pod["spec"].get("nodeName", "")
    more = {"hostname": hostname(pod, service), "nodeName": node, "zone": zones.get(node, "")}
    return {**found, **{name: value for name, value in more.items() if value}}


def _dressed(service: Object, value: Object) -> Object:
    labels = {name: text for name, text in labels_of(service).items() if name not in _RESERVED}
    if is_headless(service):
        labels[HEADLESS] = ""
    labels |= {MANAGED_BY: BY, SERVICE_NAME: service["metadata"]["name"]}
    if "name" in value["metadata"]:
        return with_meta(value, labels=labels)
    meta = service["metadata"]
    value = with_meta(value, generateName=f"{meta['name']}-", namespace=meta["namespace"], labels=labels)
    return owned(value, service, SERVICE)


def service_of(_store: Store, change: Change) -> Iterator[Key]:
    """Tell whom a change of a slice concerns."""
    for value in (change.before, change.after):
        if value is not None and SERVICE_NAME in labels_of(value):
            yield present(change)["metadata"]["namespace"], labels_of(value)[SERVICE_NAME]


CONTROLLER = Controller(
    "endpoint-slice-controller",
    decide,
    {SERVICE: own_key, POD: services_of_pod, ENDPOINT_SLICE: service_of},
)
