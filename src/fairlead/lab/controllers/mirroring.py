"""EndpointSlices for services without a selector, from the Endpoints that somebody else keeps."""

from __future__ import annotations

from datetime import datetime
from ipaddress import ip_address

from fairlead.lab.controllers.backends import CHANGED
from fairlead.lab.controllers.meta import is_controlled_by, is_leaving, labels_of, own_key, owned, with_meta
from fairlead.lab.controllers.slice_sets import Group, lay_out
from fairlead.lab.controllers.slices import MANAGED_BY, SERVICE_NAME, service_of, slices_of
from fairlead.lab.controllers.steps import Controller, Delete, Key, Step
from fairlead.lab.registry.kinds import ENDPOINT_SLICE, ENDPOINTS, SERVICE
from fairlead.lab.registry.store import Object, Store

BY = "endpointslicemirroring-controller.k8s.io"
SKIP = "endpointslice.kubernetes.io/skip-mirror"
MOST = 1000
"""Addresses of one subset that are taken over."""
_NOT_COPIED = {CHANGED, "kubectl.kubernetes.io/last-applied-configuration"}


def decide(store: Store, key: Key, _now: datetime) -> list[Step]:
    """Make the slices what the Endpoints are, or remove them."""
    service, endpoints = store.get(SERVICE, *key), store.get(ENDPOINTS, *key)
    existing = list(slices_of(store, key, BY))
    wanted = service is not None and not service["spec"].get("selector") and endpoints is not None
    if not wanted or endpoints is None or is_leaving(endpoints) or labels_of(endpoints).get(SKIP) == "true":
        return [Delete(ENDPOINT_SLICE, each) for each in existing if not is_leaving(each)]
    ours = [each for each in existing if is_controlled_by(each, endpoints)]
    others = [Delete(ENDPOINT_SLICE, each) for each in existing if each not in ours and not is_leaving(each)]
    return [*others, *lay_out(groups_of(endpoints), ours, MOST, lambda each: _dressed(endpoints, each))]


def groups_of(endpoints: Object) -> list[Group]:
    """What the subsets say; nothing for what is no address."""
    groups = dict[str, Group]()
    for subset in endpoints.get("subsets") or ():
        ports = [{"name": "", "protocol": "TCP", **port} for port in subset.get("ports") or ()]
        entries = [
            (address, kind == "addresses")
            for kind in ("addresses", "notReadyAddresses")
            for address in subset.get(kind) or ()
        ]
        for address, ready in entries[:MOST]:
            try:
                known = ip_address(address["ip"])
            except ValueError:
                continue
            group = Group(f"IPv{known.version}", ports, [])
            groups.setdefault(group.key, group).endpoints.append(_endpoint(address, str(known), ready))
    return list(groups.values())


def _endpoint(address: Object, known: str, ready: bool) -> Object:
    more = {name: address[name] for name in ("hostname", "nodeName", "targetRef") if address.get(name)}
    return {"addresses": [known], "conditions": {"ready": ready}, **more}


def _dressed(endpoints: Object, value: Object) -> Object:
    meta = endpoints["metadata"]
    labels = {**labels_of(endpoints), SERVICE_NAME: meta["name"], MANAGED_BY: BY}
    annotations = {name: text for name, text in meta.get("annotations", {}).items() if name not in _NOT_COPIED}
    value = with_meta(value, labels=labels, annotations=annotations)
    if "name" in value["metadata"]:
        return value
    value = with_meta(value, generateName=f"{meta['name']}-", namespace=meta["namespace"])
    return owned(value, endpoints, ENDPOINTS)


CONTROLLER = Controller(
    "endpointslicemirroring-controller",
    decide,
    {SERVICE: own_key, ENDPOINTS: own_key, ENDPOINT_SLICE: service_of},
)
