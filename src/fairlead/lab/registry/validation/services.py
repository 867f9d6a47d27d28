"""Services."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fairlead.lab.registry import names, status
from fairlead.lab.registry.defaults.services import OUTSIDE
from fairlead.lab.registry.status import Cause
from fairlead.lab.registry.validation import meta
from fairlead.lab.registry.validation.containers import PROTOCOLS, number_or_name
from fairlead.lab.registry.validation.meta import one_of, texts
from fairlead.lab.registry.values import Object, at

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_STICKY_SECONDS = 86400
_FAMILIES = ("IPv4", "IPv6")
_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")


def check(service: Object) -> Iterator[Cause]:
    """v1, with its defaults and addresses."""
    spec = service["spec"]
    kind, headless = spec.get("type"), spec.get("clusterIP") == "None"
    ports = spec.get("ports", [])
    if not ports and not headless and kind != "ExternalName":
        yield status.required("spec.ports")
    if headless and kind in OUTSIDE:
        yield status.invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services")
    if kind == "ExternalName":
        yield from _external_name(spec)
    yield from _ports(ports, f"{kind}")
    yield from meta.check_labels(spec.get("selector"), "spec.selector")
    yield from one_of(spec.get("sessionAffinity"), ("ClientIP", "None"), "spec.sessionAffinity")
    seconds = at(spec, "sessionAffinityConfig", "clientIP", "timeoutSeconds")
    if seconds is not None and not 0 < seconds <= _STICKY_SECONDS:
        field = "spec.sessionAffinityConfig.clientIP.timeoutSeconds"
        yield status.invalid(field, seconds, f"must be greater than 0 and less than {_STICKY_SECONDS}")
    if kind != "ExternalName":
        yield from _addresses(spec)
    for index, text in enumerate(spec.get("externalIPs", ())):
        yield from meta.address(text, f"spec.externalIPs[{index}]")
    yield from one_of(kind, _TYPES, "spec.type")
    yield from _policies(spec)


def check_update(service: Object, old: Object) -> Iterator[Cause]:
    """Its address stays, as long as it has one."""
    spec, before = service["spec"], old["spec"]
    if "ExternalName" in (spec.get("type"), before.get("type")):
        return
    given, known = spec.get("clusterIPs", []), before.get("clusterIPs", [])
    if given != known:
        yield status.invalid("spec.clusterIPs[0]", given, "may not change once set")
    if (known == ["None"]) == (given == ["None"]) and known != ["None"]:
        families = spec.get("ipFamilies", [])
        if families[:1] != before.get("ipFamilies", [])[:1]:
            yield status.invalid("spec.ipFamilies[0]", families, "may not change once set")


def check_status(service: Object) -> Iterator[Cause]:
    """What a load balancer writes."""
    if at(service, "status", "loadBalancer", "ingress") and service["spec"].get("type") != "LoadBalancer":
        why = "may only be used when `spec.type` is 'LoadBalancer'"
        yield status.not_allowed("status.loadBalancer.ingress", why)


def _external_name(spec: Object) -> Iterator[Cause]:
    for name in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if spec.get(name):
            yield status.not_allowed(f"spec.{name}", "may not be set for ExternalName services")
    name = spec.get("externalName", "").removesuffix(".")
    if not name:
        yield status.required("spec.externalName")
    else:
        yield from texts("spec.externalName", name, names.subdomain(name))


def _ports(ports: list[Object], kind: str) -> Iterator[Cause]:
    seen: set[Any] = set()
    for index, port in enumerate(ports):
        yield from _port(port, len(ports) > 1, seen, f"spec.ports[{index}]")
    for index, port in enumerate(ports):
        field, number = f"spec.ports[{index}].nodePort", port.get("nodePort")
        if not number:
            continue
        if kind == "ClusterIP":
            yield status.not_allowed(field, "may not be used when `type` is 'ClusterIP'")
        if ("node", port["protocol"], number) in seen:
            yield status.duplicate(field, number)
        seen.add(("node", port["protocol"], number))
    for index, port in enumerate(ports):
        key = (port["protocol"], port.get("port"))
        if key in seen:
            yield status.duplicate(f"spec.ports[{index}]", {"port": port.get("port", 0), "protocol": port["protocol"]})
        seen.add(key)


def _port(port: Object, named: bool, seen: set[Any], place: str) -> Iterator[Cause]:
    name = port.get("name", "")
    if named and not name:
        yield status.required(f"{place}.name")
    elif name:
        yield from texts(f"{place}.name", name, names.label(name))
        if name in seen:
            yield status.duplicate(f"{place}.name", name)
        seen.add(name)
    yield from texts(f"{place}.port", port.get("port", 0), names.port(port.get("port", 0)))
    yield from one_of(port["protocol"], PROTOCOLS, f"{place}.protocol")
    yield from number_or_name(port.get("targetPort", 0), f"{place}.targetPort")
    if port.get("appProtocol"):
        yield from texts(f"{place}.appProtocol", port["appProtocol"], names.key(port["appProtocol"]))


def _addresses(spec: Object) -> Iterator[Cause]:
    address, given = spec.get("clusterIP", ""), spec.get("clusterIPs", [])
    if not address and given:
        yield status.invalid("spec.clusterIPs", given, "must be empty when `clusterIP` is not specified")
    elif given and given[0] != address:
        yield status.invalid("spec.clusterIPs", given, "first value must match `clusterIP`")
    for index, family in enumerate(spec.get("ipFamilies", ())):
        yield from one_of(family, _FAMILIES, f"spec.ipFamilies[{index}]")
    yield from one_of(spec.get("ipFamilyPolicy"), _POLICIES, "spec.ipFamilyPolicy")
    if given[0:1] == ["None"] and len(given) > 1:
        yield status.invalid("spec.clusterIPs", given, "'None' must be the first and only value")
    elif len(given) > 1:
        yield status.invalid("spec.clusterIPs", given, "may specify no more than one IP for each IP family")
    if given[0:1] != ["None"]:
        for index, text in enumerate(given):
            yield from meta.address(text, f"spec.clusterIPs[{index}]")


def _policies(spec: Object) -> Iterator[Cause]:
    outside = spec.get("type") in OUTSIDE or (spec.get("type") == "ClusterIP" and spec.get("externalIPs"))
    policy, both = spec.get("externalTrafficPolicy"), ("Cluster", "Local")
    if outside:
        yield from one_of(policy, both, "spec.externalTrafficPolicy")
    elif policy:
        why = "may only be set for externally-accessible services"
        yield status.invalid("spec.externalTrafficPolicy", policy, why)
    yield from one_of(spec.get("internalTrafficPolicy"), both, "spec.internalTrafficPolicy")
    if spec.get("type") != "LoadBalancer":
        for name in ("allocateLoadBalancerNodePorts", "loadBalancerClass"):
            if spec.get(name) is not None:
                word = "may only be used when `type` is 'LoadBalancer'"
                yield status.not_allowed(f"spec.{name}", word)
