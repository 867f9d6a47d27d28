"""Addresses of several clusters in one network: each has its own, though many use the same ranges."""

from __future__ import annotations

from collections.abc import Hashable
from ipaddress import IPv4Address

FIRST = IPv4Address("240.0.0.1")
"""240.0.0.0/4 is reserved (RFC 1112, section 4), and nobody out there has an address in it."""
MOST = 1 << 24


class StandIns:
    """As which address one of a context is known here: its own, or another where an earlier context has that.

    What was given stays, whatever comes and goes, so that no connection ends in another cluster.
    """

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}
        self._given: dict[Hashable, str] = {}
        self._real: dict[str, tuple[str, str]] = {}

    def shown(self, context: str, address: str) -> str:
        """As which it is known; the address itself where no other context has it, or no room is left."""
        if self._owners.setdefault(address, context) == context:
            return address
        if len(self._given) >= MOST:
            return address
        found = self.of_its_own((context, address))
        self._real[found] = (context, address)
        return found

    def of_its_own(self, key: Hashable) -> str:
        """An address for what has none in its cluster."""
        return self._given.setdefault(key, str(FIRST + len(self._given)))

    def real(self, address: str) -> tuple[str, str] | None:
        """The context and the address there that one of ours stands for; None if it stands for none."""
        return self._real.get(address)
