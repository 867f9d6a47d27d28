"""Which pods of a service take new connections, and on which port, as its EndpointSlices say it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fairlead.model.objects import EndpointSlice
from fairlead.model.target import PodRef


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What the slices of one service say of one port."""

    ready: tuple[tuple[PodRef, int], ...]
    """Pods for new connections, ordered by name, each with its own port."""
    ignored: tuple[str, ...]
    """What serves and cannot be port-forwarded to, with the reason; for -v."""


def ready_endpoints(slices: Iterable[EndpointSlice], port_name: str, default_port: int) -> Endpoints:
    """Merge slices for the port of that name; ``default_port`` is the number where a slice means every port.

    A pod may stand in several slices: one per address family, one per number of a named port, and in two for a moment
    while it moves. It is ready if any says so, unless one says that it is terminating: what drains (terminating, still
    serving) is not for new connections, except where the service publishes pods whatever their state.
    """
    ready: dict[str, tuple[PodRef, int]] = {}
    ending: set[str] = set()
    ignored: list[str] = []
    for piece in sorted(slices, key=lambda piece: piece.name):
        number = _port(piece, port_name, default_port)
        for endpoint in piece.endpoints:
            if endpoint.pod is None:
                if endpoint.ready:
                    ignored.append(f"{endpoint.what} is not a pod")
                continue
            key = endpoint.pod.uid or endpoint.pod.name
            if endpoint.terminating and not endpoint.ready:
                ending.add(key)
            elif endpoint.ready and number is not None:
                ready.setdefault(key, (endpoint.pod, number))
    found = [entry for key, entry in ready.items() if key not in ending]
    return Endpoints(tuple(sorted(found, key=lambda entry: entry[0].name)), tuple(dict.fromkeys(ignored)))


def _port(piece: EndpointSlice, name: str, default_port: int) -> int | None:
    if piece.ports is None:
        return default_port
    for port in piece.ports:
        if port.name == name and port.protocol == "TCP":
            return default_port if port.port is None else port.port
    return None
