"""What a service is in its cluster's network: the addresses that its names stand for (Kubernetes DNS specification).

A service with addresses of its own has those. A headless one has the addresses of its ready endpoints, and each of its
ready pods has its own; one of type ExternalName is an alias.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from fairlead.model.named import GroupKey
from fairlead.model.objects import Endpoint, EndpointSlice, Service
from fairlead.policy.zone import ZoneEndpoint, ZonePort


class Place(NamedTuple):
    """A service, or one pod of a headless one, without its names."""

    key: GroupKey
    hostname: str = ""
    """Of a pod: by which the cluster's DNS knows it, where that is not its name."""
    addresses: tuple[str, ...] = ()
    ports: tuple[ZonePort, ...] = ()
    endpoints: tuple[ZoneEndpoint, ...] = ()
    cname: str = ""


def places(
    context: str,
    service: Service,
    slices: Iterable[EndpointSlice],
    shown: Callable[[str], str] = lambda address: address,
) -> list[Place]:
    """The service first. ``shown`` says as which address one of the cluster is known here."""
    key = GroupKey(context, service.namespace, service.name)
    ports = tuple(ZonePort(port.name, port.protocol, port.port) for port in service.ports)
    if service.external_name:
        return [Place(key, cname=service.external_name)]
    if not service.headless:
        return [Place(key, addresses=tuple(map(shown, service.cluster_ips)), ports=ports)]
    pods: dict[str, Place] = {}
    endpoints = []
    for piece in sorted(slices, key=lambda piece: piece.name):
        numbers = tuple(ZonePort(port.name, port.protocol, port.port or 0) for port in piece.ports or ())
        for endpoint in filter(_is_ready, piece.endpoints):
            addresses = tuple(map(shown, endpoint.addresses))
            endpoints.append(ZoneEndpoint(endpoint.hostname, addresses, numbers))
            if endpoint.pod is not None:
                of_pod = key._replace(pod=endpoint.pod.name)
                before = pods.get(endpoint.pod.name, Place(of_pod))
                hostname = endpoint.hostname if endpoint.hostname != endpoint.pod.name else ""
                pods[endpoint.pod.name] = Place(
                    of_pod,
                    hostname or before.hostname,
                    tuple(dict.fromkeys((*before.addresses, *addresses))),
                    tuple(dict.fromkeys((*before.ports, *numbers))),
                )
    return [Place(key, endpoints=tuple(endpoints)), *(pods[name] for name in sorted(pods))]


def _is_ready(endpoint: Endpoint) -> bool:
    return endpoint.ready and not endpoint.terminating and bool(endpoint.addresses)
