"""Kinds with few rules."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

from fairlead.lab.registry import names, status
from fairlead.lab.registry.status import Cause
from fairlead.lab.registry.validation.containers import PROTOCOLS
from fairlead.lab.registry.validation.meta import NO_ADDRESS, not_negative, one_of, texts, unchanged
from fairlead.lab.registry.values import Object, at, same

_MAX_DATA = 1024 * 1024
_KEYS = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
"""What secrets of some types have to hold."""
_PATHS = ("Exact", "ImplementationSpecific", "Prefix")
_FROZEN = "field is immutable when `immutable` is set"


def check_secret(secret: Object) -> Iterator[Cause]:
    """v1."""
    data = secret.get("data", {})
    for key in data:
        yield from texts(f"data[{key}]", key, names.config_key(key))
    if sum(len(b64decode(value)) for value in data.values()) > _MAX_DATA:
        yield status.too_long("data", _MAX_DATA)
    for key in _KEYS.get(secret["type"], ()):
        if key not in data:
            yield status.required(f"data[{key}]")
    if secret["type"] == "kubernetes.io/basic-auth" and not data.keys() & {"username", "password"}:
        yield status.required("data[username]")
        yield status.required("data[password]")


def check_secret_update(secret: Object, old: Object) -> Iterator[Cause]:
    """Its type never changes, nor does anything of one that says so."""
    yield from unchanged(secret["type"], old["type"], "type")
    yield from _frozen(secret, old, ("data",))


def check_config_map(config: Object) -> Iterator[Cause]:
    """v1."""
    data, binary = config.get("data", {}), config.get("binaryData", {})
    for key in data:
        yield from texts(f"data[{key}]", key, names.config_key(key))
        if key in binary:
            yield status.invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
    for key in binary:
        yield from texts(f"binaryData[{key}]", key, names.config_key(key))
    size = sum(len(text.encode("utf-8", "replace")) for text in data.values())
    if size + sum(len(b64decode(value)) for value in binary.values()) > _MAX_DATA:
        yield status.too_long("[]", _MAX_DATA)


def check_config_map_update(config: Object, old: Object) -> Iterator[Cause]:
    """Nothing changes of one that says so."""
    yield from _frozen(config, old, ("data", "binaryData"))


def _frozen(value: Object, old: Object, fields: tuple[str, ...]) -> Iterator[Cause]:
    if not old.get("immutable"):
        return
    if not value.get("immutable"):
        yield status.not_allowed("immutable", _FROZEN)
    for name in fields:
        if not same(value.get(name), old.get(name)):
            yield status.not_allowed(name, _FROZEN)


def check_endpoints(endpoints: Object) -> Iterator[Cause]:
    """v1."""
    for index, subset in enumerate(endpoints.get("subsets", ())):
        place, ports = f"subsets[{index}]", subset.get("ports", ())
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            yield status.required(place, "must specify `addresses` or `notReadyAddresses`")
        for name in ("addresses", "notReadyAddresses"):
            for number, address in enumerate(subset.get(name, ())):
                yield from reachable(address.get("ip", ""), f"{place}.{name}[{number}].ip")
        for number, port in enumerate(ports):
            here = f"{place}.ports[{number}]"
            if len(ports) > 1 and not port.get("name"):
                yield status.required(f"{here}.name")
            elif port.get("name"):
                yield from texts(f"{here}.name", port["name"], names.label(port["name"]))
            yield from texts(f"{here}.port", port.get("port", 0), names.port(port.get("port", 0)))
            yield from one_of(port.get("protocol"), PROTOCOLS, f"{here}.protocol")


def reachable(text: str, field: str) -> Iterator[Cause]:
    """An address that something else than the pod itself can mean."""
    try:
        address = ip_address(text)
    except ValueError:
        yield status.invalid(field, text, NO_ADDRESS)
        return
    if address.is_unspecified:
        yield status.invalid(field, text, f"may not be unspecified ({text})")
    if address.is_loopback:
        yield status.invalid(field, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)")
    if address.is_link_local:
        yield status.invalid(field, text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")


def check_endpoint_slice(piece: Object) -> Iterator[Cause]:
    """discovery.k8s.io/v1."""
    family = piece.get("addressType")
    if not family:
        yield status.required("addressType")
    else:
        yield from one_of(family, ("FQDN", "IPv4", "IPv6"), "addressType")
    seen: set[str] = set()
    for index, port in enumerate(piece.get("ports", ())):
        place, name = f"ports[{index}]", port["name"]
        if name:
            yield from texts(f"{place}.name", name, names.label(name))
        if name in seen:
            yield status.duplicate(f"{place}.name", name)
        seen.add(name)
        yield from one_of(port.get("protocol"), PROTOCOLS, f"{place}.protocol")
    for index, endpoint in enumerate(piece.get("endpoints", ())):
        field = f"endpoints[{index}].addresses"
        if not endpoint.get("addresses"):
            yield status.required(field, "must contain at least 1 address")
        for number, address in enumerate(endpoint.get("addresses", ())):
            if family in ("IPv4", "IPv6"):
                yield from reachable(address, f"{field}[{number}]")
            elif family == "FQDN":
                yield from texts(f"{field}[{number}]", address, names.subdomain(address))


def check_endpoint_slice_update(piece: Object, old: Object) -> Iterator[Cause]:
    """The kind of its addresses never changes."""
    yield from unchanged(piece.get("addressType"), old.get("addressType"), "addressType")


def check_lease(lease: Object) -> Iterator[Cause]:
    """coordination.k8s.io/v1."""
    spec = lease.get("spec", {})
    seconds = spec.get("leaseDurationSeconds")
    if seconds is not None and seconds <= 0:
        yield status.invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0")
    yield from not_negative(spec.get("leaseTransitions"), "spec.leaseTransitions")


def check_event(event: Object) -> Iterator[Cause]:
    """v1: in the namespace of what it tells of."""
    field, place = "involvedObject.namespace", at(event, "involvedObject", "namespace") or ""
    if (place or "default") != event["metadata"].get("namespace"):
        yield status.invalid(field, place, "does not match event.namespace")


def check_revision(revision: Object) -> Iterator[Cause]:
    """apps/v1."""
    yield from not_negative(revision.get("revision"), "revision")
    if revision.get("data") is None:
        yield status.required("data", "data is mandatory")


def check_revision_update(revision: Object, old: Object) -> Iterator[Cause]:
    """What it remembers never changes."""
    yield from unchanged(revision.get("data"), old.get("data"), "data")


def check_ingress(ingress: Object) -> Iterator[Cause]:
    """networking.k8s.io/v1."""
    spec = ingress.get("spec", {})
    if not spec.get("rules") and "defaultBackend" not in spec:
        why = "either `defaultBackend` or `rules` must be specified"
        yield status.invalid("spec", spec.get("rules"), why)
    if "defaultBackend" in spec:
        yield from _backend(spec["defaultBackend"], "spec.defaultBackend")
    for index, rule in enumerate(spec.get("rules", ())):
        place, host = f"spec.rules[{index}]", rule.get("host", "")
        yield from texts(f"{place}.host", host, names.subdomain(host.removeprefix("*.")) if host else ())
        http = rule.get("http")
        if http is not None and not http.get("paths"):
            yield status.required(f"{place}.http.paths")
        for number, path in enumerate((http or {}).get("paths", ())):
            yield from _path(path, f"{place}.http.paths[{number}]")


def _path(path: Object, place: str) -> Iterator[Cause]:
    kind, text = path.get("pathType"), path.get("path", "")
    if not kind:
        yield status.required(f"{place}.pathType", "pathType must be specified")
        return
    yield from one_of(kind, _PATHS, f"{place}.pathType")
    if not text.startswith("/") and (text or kind in ("Exact", "Prefix")):
        yield status.invalid(f"{place}.path", text, "must be an absolute path")
    yield from _backend(path.get("backend", {}), f"{place}.backend")


def _backend(backend: Object, place: str) -> Iterator[Cause]:
    service: Any = backend.get("service")
    if service is not None and "resource" in backend:
        yield status.invalid(place, "", "cannot set both resource and service backends")
    elif service is None and "resource" not in backend:
        yield status.invalid(place, "", "resource or service backend is required")
    elif service is not None:
        field, port = f"{place}.service", service.get("port", {})
        if not service.get("name"):
            yield status.required(f"{field}.name")
        if port.get("name") and port.get("number"):
            yield status.invalid(place, "", "cannot set both port name & port number")
        elif not port.get("name") and not port.get("number"):
            yield status.required(place, "port name or number is required")
        elif port.get("number"):
            yield from texts(f"{field}.port.number", port["number"], names.port(port["number"]))
