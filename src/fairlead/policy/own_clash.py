"""A server that somebody develops, and services that are listened for under the same number."""

from __future__ import annotations

from collections.abc import Iterable

from fairlead.policy.few import few
from fairlead.policy.plan import Group


def own_clashes(groups: Iterable[Group]) -> list[str]:
    """A sentence for each port of the laptop that services lead to, and that other names listen on.

    Only one that listens on localhost alone leaves room for them; one on all addresses and they shut each other out.
    """
    own: set[int] = set()
    listening: dict[int, list[str]] = {}
    for group in groups:
        for port in group.ports:
            if port.own:
                own.add(port.own)
            if port.own != port.number:
                listening.setdefault(port.number, []).append(f"{group.key.service}.{group.key.namespace}")
    return [
        f"your own server on port {port} has to listen on localhost alone, or on another port (--local SERVICE=OTHER): "
        f"one on all addresses and those of {few(list(dict.fromkeys(listening[port])))} shut each other out"
        for port in sorted(own & listening.keys())
    ]
