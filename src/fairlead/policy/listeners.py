"""Of what is listened on, what the machine itself reaches: what ``localhost`` and its own addresses lead to.

Both are asked many times a second, and mostly of the same.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from types import MappingProxyType
from typing import TypeAlias

Listener: TypeAlias = tuple[str, int]
"""An address, maybe that of all, and a port."""

FIRST = "127.0.0.1"
"""The best of several addresses, as it is for whoever says localhost."""
EVERYWHERE = {"0.0.0.0": FIRST, "::": "::1"}  # noqa: S104 (what is listened on, not what we bind)
"""The address of all in each family, and where to connect to what listens on it."""


@lru_cache(maxsize=8)
def of_this_machine(listening: frozenset[Listener], own: frozenset[str]) -> frozenset[Listener]:
    """Those that the machine reaches by its own addresses; ``own`` are such beside the loopback's."""
    return frozenset(
        (address, port)
        for address, port in listening
        if address in EVERYWHERE or address in own or ip_address(address).is_loopback
    )


@lru_cache(maxsize=8)
def reached(listening: frozenset[Listener], own: frozenset[str]) -> MappingProxyType[int, str]:
    """For each port that the machine reaches the address to connect to."""
    found: dict[int, str] = {}
    for address, port in sorted(of_this_machine(listening, own)):
        host = EVERYWHERE.get(address, address)
        if port not in found or host == FIRST:
            found[port] = host
    return MappingProxyType(found)
