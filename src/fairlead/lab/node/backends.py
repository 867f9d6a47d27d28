"""What stands behind the addresses of services: read from Services and EndpointSlices as the API has them; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

Object: TypeAlias = Mapping[str, Any]

SERVICE_NAME = "kubernetes.io/service-name"
"""The label by which a slice names its service."""
PROTOCOLS = ("TCP", "UDP")
"""Those that a pod here can speak."""
_AFFINITY = 10_800
"""Seconds that a client stays with its endpoint where nothing is said."""


class Endpoint(NamedTuple):
    """Where one connection may go."""

    address: str
    port: int


class ServicePort(NamedTuple):
    """One port of a service that has an address."""

    service: str
    """``namespace/name``."""
    protocol: str
    """``tcp`` or ``udp``."""
    address: str
    port: int
    node_port: int
    """0 if it has none."""
    affinity: int
    """Seconds that a client stays with the endpoint that it was given; 0 if it does not."""
    endpoints: tuple[Endpoint, ...]


def service_ports(services: Iterable[Object], slices: Iterable[Object]) -> list[ServicePort]:
    """The ports of all services that have an address, in the order of their names."""
    of_service = by_service(slices)
    found = []
    for service in services:
        meta, spec = service["metadata"], service.get("spec", {})
        address = spec.get("clusterIP", "")
        if address in ("", "None") or ":" in address or spec.get("type") == "ExternalName":
            continue
        name = f"{meta.get('namespace', 'default')}/{meta['name']}"
        for port in spec.get("ports") or ():
            protocol = port.get("protocol", "TCP")
            if protocol in PROTOCOLS:
                ends = _endpoints(of_service.get(name, ()), port.get("name", ""), protocol)
                node_port = int(port.get("nodePort") or 0)
                where = (name, protocol.lower(), address, int(port["port"]), node_port)
                found.append(ServicePort(*where, _affinity(spec), ends))
    return sorted(found)


def by_service(slices: Iterable[Object]) -> dict[str, list[Object]]:
    """The slices of each service, by ``namespace/name``."""
    found = defaultdict(list)
    for each in slices:
        meta = each["metadata"]
        name = (meta.get("labels") or {}).get(SERVICE_NAME)
        if name and each.get("addressType", "IPv4") == "IPv4":
            found[f"{meta.get('namespace', 'default')}/{name}"].append(each)
    return found


def is_ready(endpoint: Object) -> bool:
    """Whether new connections may go there; where nothing is said they may."""
    return (endpoint.get("conditions") or {}).get("ready") is not False


def _affinity(spec: Object) -> int:
    if spec.get("sessionAffinity") != "ClientIP":
        return 0
    config = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
    return int(config.get("timeoutSeconds") or _AFFINITY)


def _endpoints(slices: Iterable[Object], name: str, protocol: str) -> tuple[Endpoint, ...]:
    """Those that are ready; where none is, those that still serve while they end."""
    ends = list(_ends(slices, name, protocol))
    ready = {end for end, conditions in ends if conditions.get("ready") is not False}
    serving = {end for end, conditions in ends if conditions.get("serving") and conditions.get("terminating")}
    return tuple(sorted(ready or serving))


def _ends(slices: Iterable[Object], name: str, protocol: str) -> Iterator[tuple[Endpoint, Object]]:
    for each in slices:
        for port in each.get("ports") or ():
            if (port.get("name") or "", port.get("protocol", "TCP")) == (name, protocol) and port.get("port"):
                for endpoint in each.get("endpoints") or ():
                    for address in endpoint.get("addresses") or ():
                        yield Endpoint(address, int(port["port"])), endpoint.get("conditions") or {}
