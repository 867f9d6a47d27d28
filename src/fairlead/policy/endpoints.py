"""Which pods of a service take new connections, and on which port, as its EndpointSlices say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from fairlead.model.objects import EndpointSlice
from fairlead.model.target import PodRef


class PodEndpoint(NamedTuple):
    """One pod among the endpoints of a service, merged from all slices that name it.

    A pod may stand in several slices: one per address family, one per number of a named port, and in two for a moment
    while it moves.
    """

    pod: PodRef
    hostname: str
    ready: bool
    """In any slice, unless one says that it is terminating: what drains is not for new connections, also where the
    service publishes pods whatever their state."""
    numbers: Mapping[str, int | None]
    """TCP ports by name; None where the slice does not say the number."""
    every: bool
    """Some slice lists no ports, which means every port."""

    def number(self, name: str, default: int) -> int | None:
        """The port's number in this pod, ``default`` where the slices leave it open, None if it has no such port."""
        if name in self.numbers:
            return self.numbers[name] or default
        return default if self.every else None


def pod_endpoints(slices: Iterable[EndpointSlice]) -> tuple[PodEndpoint, ...]:
    """The pods of a service, by name. What is no pod cannot be port-forwarded: see ``not_pods``."""
    found: dict[str, PodEndpoint] = {}
    ending: set[str] = set()
    for piece in sorted(slices, key=lambda piece: piece.name):
        numbers = {port.name: port.port for port in piece.ports or () if port.protocol == "TCP"}
        for endpoint in piece.endpoints:
            if endpoint.pod is None:
                continue
            key = endpoint.pod.uid or endpoint.pod.name
            if endpoint.terminating:
                ending.add(key)
            before = found.get(key)
            found[key] = PodEndpoint(
                endpoint.pod,
                endpoint.hostname or (before.hostname if before else ""),
                endpoint.ready or (before is not None and before.ready),
                numbers if before is None else {**numbers, **before.numbers},
                piece.ports is None or (before is not None and before.every),
            )
    merged = [entry._replace(ready=False) if key in ending else entry for key, entry in found.items()]
    return tuple(sorted(merged, key=lambda entry: entry.pod.name))


def ready_endpoints(
    slices: Iterable[EndpointSlice], port_name: str, default_port: int
) -> tuple[tuple[PodRef, int], ...]:
    """Pods for new connections to the port of that name, each with its own number for it.

    ``default_port`` is the number where a slice means every port.
    """
    numbered = ((entry.pod, entry.number(port_name, default_port)) for entry in pod_endpoints(slices) if entry.ready)
    return tuple((pod, number) for pod, number in numbered if number is not None)


def not_pods(slices: Iterable[EndpointSlice]) -> tuple[str, ...]:
    """Name what serves and is no pod, so that nobody wonders why it gets no connection."""
    found = {
        endpoint.what for piece in slices for endpoint in piece.endpoints if endpoint.pod is None and endpoint.ready
    }
    return tuple(sorted(found))
