"""Which listeners a machine reaches by its own addresses: what ``localhost`` and the like lead to."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from types import MappingProxyType

FIRST = "127.0.0.1"
"""The best of several addresses, as it is for whoever says localhost."""


@lru_cache(maxsize=8)
def reached(listening: frozenset[tuple[str, int]], own: frozenset[str]) -> MappingProxyType[int, str]:
    """For each port the address to connect to; ``own`` are the machine's addresses beside the loopback's.

    It is asked many times a second, and mostly of the same.
    """
    found: dict[int, str] = {}
    for address, port in sorted(listening):
        host = _host(address, own)
        if host and (port not in found or host == FIRST):
            found[port] = host
    return MappingProxyType(found)


def _host(address: str, own: frozenset[str]) -> str:
    ip = ipaddress.ip_address(address)
    if ip.is_unspecified:
        return FIRST if ip.version == 4 else "::1"
    return address if ip.is_loopback or address in own else ""
