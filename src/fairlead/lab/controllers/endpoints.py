"""Endpoints: where the pods of a service are, in the older form."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from ipaddress import ip_address
from typing import Any, TypeAlias

from fairlead.lab.controllers.backends import (
    CHANGED,
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
from fairlead.lab.controllers.meta import is_leaving, key_of, labels_of, own_key, present
from fairlead.lab.controllers.pods import is_ready
from fairlead.lab.controllers.steps import Controller, Create, Delete, Key, Replace, Step
from fairlead.lab.registry.kinds import ENDPOINTS, POD, SERVICE
from fairlead.lab.registry.store import Change, Object, Store
from fairlead.lab.registry.times import stamp
from fairlead.lab.registry.values import same

MANAGED_BY = "endpoints.kubernetes.io/managed-by"
OVER = "endpoints.kubernetes.io/over-capacity"
MOST = 1000
"""Addresses that are listed; the rest is left out, and an annotation tells so."""

Port: TypeAlias = tuple[str, int, str, str]
"""Name, number, protocol, and what is spoken there ("" if that is not said)."""


def decide(store: Store, key: Key, now: datetime) -> list[Step]:
    """Make them what the pods are."""
    service, before = store.get(SERVICE, *key), store.get(ENDPOINTS, *key)
    if service is None:
        return [Delete(ENDPOINTS, before)] if before and not is_leaving(before) else []
    if not has_backends(service):
        return []
    found = subsets(service, backends(store, service))
    found, left_out = _truncated(found)
    labels = {**labels_of(service), MANAGED_BY: "endpoint-controller"}
    labels.pop(HEADLESS, None)
    if is_headless(service):
        labels[HEADLESS] = ""
    meta: Object = before["metadata"] if before else {"name": key[1], "namespace": key[0]}
    annotations = {name: value for name, value in meta.get("annotations", {}).items() if name != OVER}
    if left_out:
        annotations[OVER] = "truncated"
    value = {
        "apiVersion": ENDPOINTS.api_version,
        "kind": ENDPOINTS.kind,
        "metadata": {**meta, "labels": labels, "annotations": annotations},
        "subsets": found,
    }
    if before is not None and same(_said(before), _said(value)):
        return []
    annotations[CHANGED] = stamp(now)
    return [Create(ENDPOINTS, value) if before is None else Replace(ENDPOINTS, value)]


def subsets(service: Object, pods: Iterable[Object]) -> list[Object]:
    """One for each set of ports; pods that are on their way out are none of them."""
    unready_too = bool(service["spec"].get("publishNotReadyAddresses"))
    found = dict[tuple[Port, ...], dict[str, list[Object]]]()
    for pod in pods:
        if is_leaving(pod) and not unready_too:
            continue
        ports = _ports(service, pod)
        if not ports and (service["spec"].get("ports") or not is_headless(service)):
            continue
        kind = "addresses" if is_ready(pod) or unready_too else "notReadyAddresses"
        found.setdefault(ports, {}).setdefault(kind, []).append(_address(service, pod))
    result = []
    for ports, kinds in sorted(found.items()):
        subset: Object = {kind: sorted(kinds[kind], key=_order) for kind in sorted(kinds)}
        if ports:
            subset["ports"] = [_port(port) for port in ports]
        result.append(subset)
    return result


def _ports(service: Object, pod: Object) -> tuple[Port, ...]:
    found = []
    for port in service["spec"].get("ports") or ():
        known = number(pod, port)
        if known is not None:
            found.append((port.get("name", ""), known, port.get("protocol", "TCP"), port.get("appProtocol", "")))
    return tuple(found)


def _port(port: Port) -> Object:
    name, known, protocol, application = port
    found: Object = {"port": known, "protocol": protocol}
    return {**({"name": name} if name else {}), **found, **({"appProtocol": application} if application else {})}


def _address(service: Object, pod: Object) -> Object:
    found: dict[str, Any] = {"ip": _of_family(service, addresses(pod)), "targetRef": reference(pod)}
    if pod["spec"].get("nodeName"):
        found["nodeName"] = pod["spec"]["nodeName"]
    name = hostname(pod, service)
    return {**found, "hostname": name} if name else found


def _of_family(service: Object, found: list[str]) -> str:
    """The address of the service's first family, where the pod has one."""
    version = 6 if (service["spec"].get("ipFamilies") or ["IPv4"])[0] == "IPv6" else 4
    return next((each for each in found if ip_address(each).version == version), found[0])


def _order(address: Object) -> tuple[int, bytes, str]:
    known = ip_address(address["ip"])
    return known.version, known.packed, address["targetRef"]["uid"]


def _truncated(found: list[Object]) -> tuple[list[Object], bool]:
    """At most ``MOST`` addresses, the ready ones first."""
    left = MOST
    counts = [{**subset} for subset in found]
    total = sum(len(subset.get(kind, ())) for subset in found for kind in ("addresses", "notReadyAddresses"))
    if total <= MOST:
        return found, False
    for kind in ("addresses", "notReadyAddresses"):
        for subset in counts:
            if kind in subset:
                subset[kind] = subset[kind][:left]
                left -= len(subset[kind])
                if not subset[kind]:
                    del subset[kind]
    return [each for each in counts if "addresses" in each or "notReadyAddresses" in each], True


def _said(value: Object) -> list[object]:
    meta = value["metadata"]
    return [value.get("subsets"), meta.get("labels"), meta.get("annotations", {}).get(OVER)]


def _removed(_store: Store, change: Change) -> list[Key]:
    """Those that somebody makes before their service are not ours to judge."""
    return [] if change.after is not None else [key_of(present(change))]


CONTROLLER = Controller(
    "endpoint-controller",
    decide,
    {SERVICE: own_key, ENDPOINTS: _removed, POD: services_of_pod},
)
