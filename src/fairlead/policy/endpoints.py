"""Which pods of a service take new connections, and on which port, as its EndpointSlices say it."""

from __future__ import annotations

from collections.abc import Iterable

from fairlead.model.objects import EndpointSlice
from fairlead.model.target import PodRef


def ready_endpoints(
    slices: Iterable[EndpointSlice], port_name: str, default_port: int
) -> tuple[tuple[PodRef, int], ...]:
    """Merge slices for the port of that name: pods for new connections, by name, each with its own port.

    ``default_port`` is the number where a slice means every port. A pod may stand in several slices: one per address
    family, one per number of a named port, and in two for a moment while it moves. It is ready if any says so, unless
    one says that it is terminating: what drains is not for new connections, also where the service publishes pods
    whatever their state. What is no pod cannot be port-forwarded: see ``not_pods``.
    """
    ready: dict[str, tuple[PodRef, int]] = {}
    ending: set[str] = set()
    for piece in sorted(slices, key=lambda piece: piece.name):
        number = _port(piece, port_name, default_port)
        for endpoint in piece.endpoints:
            if endpoint.pod is None:
                continue
            key = endpoint.pod.uid or endpoint.pod.name
            if endpoint.terminating:
                ending.add(key)
            elif endpoint.ready and number is not None:
                ready.setdefault(key, (endpoint.pod, number))
    found = [entry for key, entry in ready.items() if key not in ending]
    return tuple(sorted(found, key=lambda entry: entry[0].name))


def not_pods(slices: Iterable[EndpointSlice]) -> tuple[str, ...]:
    """Name what serves and is no pod, so that nobody wonders why it gets no connection."""
    found = {
        endpoint.what for piece in slices for endpoint in piece.endpoints if endpoint.pod is None and endpoint.ready
    }
    return tuple(sorted(found))


def _port(piece: EndpointSlice, name: str, default_port: int) -> int | None:
    if piece.ports is None:
        return default_port
    for port in piece.ports:
        if port.name == name and port.protocol == "TCP":
            return default_port if port.port is None else port.port
    return None
