"""What the EndpointSlice controller would say of a service, for users who may see its pods and not its slices."""

from __future__ import annotations

from collections.abc import Iterable

from fairlead.model.objects import Endpoint, EndpointPort, EndpointSlice, Pod, Service, ServicePort
from fairlead.model.selector import Requirement


def selects(service: Service, pod: Pod) -> bool:
    """Whether the pod stands behind the service."""
    if service.selector is None or service.namespace != pod.namespace:
        return False
    return all(_has(pod, term) for term in service.selector.requirements)


def slices_of(service: Service, pods: Iterable[Pod]) -> tuple[EndpointSlice, ...]:
    """One slice for each set of port numbers that its pods have."""
    found: dict[tuple[EndpointPort, ...], list[Endpoint]] = {}
    for pod in pods:
        if selects(service, pod) and not pod.finished and pod.node:
            found.setdefault(_ports(service, pod), []).append(_endpoint(service, pod))
    return tuple(
        EndpointSlice(
            service.namespace,
            f"{service.name}-{at}",
            uid="",
            resource_version="",
            service=service.name,
            ports=ports,
            endpoints=tuple(endpoints),
        )
        for at, (ports, endpoints) in enumerate(found.items())
    )


def _endpoint(service: Service, pod: Pod) -> Endpoint:
    ending = pod.deleted_at is not None
    ready = pod.running and pod.ready
    return Endpoint(
        ready=(ready and not ending) or service.publishes_unready,
        serving=ready,
        terminating=ending,
        pod=pod.ref,
        what=f"Pod {pod.name}",
        hostname=pod.hostname if pod.subdomain == service.name else "",
    )


def _ports(service: Service, pod: Pod) -> tuple[EndpointPort, ...]:
    numbered = ((port, _number(port, pod)) for port in service.ports)
    return tuple(EndpointPort(port.name, number, port.protocol) for port, number in numbered if number)


def _number(port: ServicePort, pod: Pod) -> int:
    """The port's number in this pod; 0 if none of its containers has the name."""
    if not isinstance(port.target, str):
        return port.target or port.port
    declared = (*pod.ports, *pod.init_ports)
    return next((each.port for each in declared if (each.name, each.protocol) == (port.target, port.protocol)), 0)


def _has(pod: Pod, term: Requirement) -> bool:
    return any((term.key, value) in pod.labels for value in term.values)
