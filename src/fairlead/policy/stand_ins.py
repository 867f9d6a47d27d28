"""Addresses of several clusters in one network: each has its own, though many use the same ranges."""

from __future__ import annotations

from collections.abc import Hashable
from ipaddress import IPv4Address

FIRST = IPv4Address("240.0.0.1")
"""240.0.0.0/4 is reserved (RFC 1112, section 4): the laptop's networks have no address in it; some clusters do."""


class StandIns:
    """As which address one of a context is known here: its own, or another where an earlier context has that.

    What was given stays, whatever comes and goes, so that no connection ends in another cluster.
    """

    def __init__(self) -> None:
        self._real: dict[str, tuple[str, str] | None] = {}
        """By the address here; None of what has none in its cluster."""
        self._given: dict[Hashable, str] = {}
        self._next = FIRST

    def shown(self, context: str, address: str) -> str:
        """As which it is known; the address itself where nothing else has it."""
        real = context, address
        if self._real.setdefault(address, real) == real:
            return address
        found = self.of_its_own(real)
        self._real[found] = real
        return found

    def of_its_own(self, key: Hashable) -> str:
        """An address for what has none in its cluster."""
        if key not in self._given:
            while str(self._next) in self._real:
                self._next += 1
            self._given[key] = str(self._next)
            self._real[str(self._next)] = None
        return self._given[key]

    def is_stand_in(self, address: str) -> bool:
        """Whether it was given to somebody who has another in its cluster, or none."""
        if address not in self._real:
            return False
        real = self._real[address]
        return real is None or real[1] != address

    def real(self, address: str) -> tuple[str, str] | None:
        """The context whose address this is, and the address there; None if it is none that is known."""
        return self._real.get(address)
