"""Addresses that somebody had in a cluster and nobody has now: what is sent there is meant for the cluster still."""

from __future__ import annotations

MOST = 65536
"""Addresses that are remembered, the last to leave: some 10 MB."""


class Gone:
    """One that comes again is gone no more."""

    def __init__(self) -> None:
        self._left: dict[str, None] = {}

    def __contains__(self, address: str) -> bool:
        return address in self._left

    def leaves(self, address: str) -> None:
        """Nobody has it from now on."""
        self._left.pop(address, None)
        self._left[address] = None
        if len(self._left) > MOST:
            del self._left[next(iter(self._left))]

    def comes(self, address: str) -> None:
        """Somebody has it from now on."""
        self._left.pop(address, None)
