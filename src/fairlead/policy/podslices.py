"""What the EndpointSlice controller would say of services, for users who may see their pods and not their slices."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias, TypeVar

from fairlead.model.objects import Endpoint, EndpointPort, EndpointSlice, Pod, Service, ServicePort

T = TypeVar("T")

_Key: TypeAlias = tuple[str, str]
"""Namespace and name."""


class _Label(NamedTuple):
    namespace: str
    key: str
    value: str


class PodSlices:
    """Services and pods, found by each other's labels: looking at all of one for each of the other takes seconds."""

    def __init__(self) -> None:
        self._pods: dict[_Label, dict[_Key, Pod]] = {}
        """Each pod under all of its labels."""
        self._services: dict[_Label, dict[_Key, Service]] = {}
        """Each service under one label that it selects by: the one that fewest others are under."""
        self._under: dict[_Key, _Label] = {}

    def change_service(self, old: Service | None, new: Service | None) -> None:
        """A service came, changed or went."""
        if old is not None:
            label = self._under.pop((old.namespace, old.name), None)
            if label is not None:
                _drop(self._services, label, (old.namespace, old.name))
        if new is not None and (wanted := _selected(new)):
            label = min(wanted, key=lambda each: len(self._services.get(each, ())))
            key = (new.namespace, new.name)
            self._under[key] = label
            self._services.setdefault(label, {})[key] = new

    def change_pod(self, old: Pod | None, new: Pod | None) -> list[Service]:
        """A pod came, changed or went; the services that it stands or stood behind."""
        before, after = _labels(old), _labels(new)
        if old is not None:
            for label in before - after:
                _drop(self._pods, label, (old.namespace, old.name))
        if new is not None:
            for label in after:
                self._pods.setdefault(label, {})[new.namespace, new.name] = new
        found: dict[_Key, Service] = {}
        for label in before | after:
            for key, service in self._services.get(label, {}).items():
                wanted = _selected(service)
                if wanted <= before or wanted <= after:
                    found[key] = service
        return list(found.values())

    def of(self, service: Service) -> tuple[EndpointSlice, ...]:
        """One slice for each set of port numbers that its pods have."""
        found: dict[tuple[EndpointPort, ...], list[Endpoint]] = {}
        for pod in self._behind(service):
            if not pod.finished and pod.node:
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

    def _behind(self, service: Service) -> list[Pod]:
        wanted = _selected(service)
        if not wanted:
            return []
        fewest = min((self._pods.get(label, {}) for label in wanted), key=len)
        return [pod for pod in fewest.values() if wanted <= _labels(pod)]


def _selected(service: Service) -> frozenset[_Label]:
    """What a pod behind the service has; nothing for a service without a selector."""
    terms = service.selector.requirements if service.selector is not None else ()
    return frozenset(_Label(service.namespace, term.key, value) for term in terms for value in term.values)


def _labels(pod: Pod | None) -> frozenset[_Label]:
    return frozenset(_Label(pod.namespace, *label) for label in pod.labels) if pod is not None else frozenset()


def _drop(index: dict[_Label, dict[_Key, T]], label: _Label, key: _Key) -> None:
    entries = index[label]
    del entries[key]
    if not entries:
        del index[label]


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
        addresses=pod.ips,
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
