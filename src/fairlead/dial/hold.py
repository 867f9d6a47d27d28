"""Whether a lane is read while programs on it leave their data unread, and whom it gives up so that others go on.

SPDY as spoken by Kubernetes has no flow control per stream: all that makes a server wait is not to read, and that stops
everybody on the lane. A sole connection may do so for ever; those that share a lane may not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sized
from typing import Generic, Protocol, TypeVar

from fairlead.net.stream import LocalEnd

SHARED_UNREAD = 8 * 1024 * 1024
"""Bytes that one connection on a shared lane may leave unread before the lane stops reading for all of them."""
LANE_UNREAD = 16 * 1024 * 1024
"""Bytes that the blocked connections of a shared lane may leave unread together, before the lane stops reading: room
for one at its own limit and others, and half a GiB at worst for the 32 lanes of a pod. What the others leave unread,
less than the high-water mark of a local connection each, comes on top."""
SHARED_PATIENCE = 5.0
"""Seconds that such connections may hold up the others, before they are reset."""


class Reader(Protocol):
    """A connection, as far as it matters here."""

    @property
    def local(self) -> LocalEnd:
        """Its program."""


R = TypeVar("R", bound=Reader)


class Hold(Generic[R]):
    """The hold of one lane.

    ``riders`` are the connections on the lane. ``read`` is called with whether the lane reads, when that changes;
    ``give_up`` with a connection that has held up the others for too long and the bytes it left unread: it takes it
    from the lane.
    """

    def __init__(self, riders: Sized, read: Callable[[bool], None], give_up: Callable[[R, int], None]) -> None:
        self.reading = True
        self.blocked: set[R] = set()
        """Those whose programs do not read."""
        self._riders = riders
        self._read = read
        self._give_up = give_up
        self._patience: asyncio.TimerHandle | None = None

    @property
    def alone(self) -> bool:
        """A sole connection holds the lane: it is read again once others join it, within what all may leave unread."""
        return not self.reading and len(self._riders) == 1

    def block(self, rider: R) -> None:
        """The local program of ``rider`` does not read."""
        self.blocked.add(rider)
        self.consider()

    def unblock(self, rider: R) -> None:
        """It reads again, or has left the lane."""
        self.blocked.discard(rider)
        self.consider()

    def consider(self) -> None:
        """Read or not; called also when there is more unread, and when connections come or go."""
        alone = len(self._riders) == 1
        limit = 0 if alone else SHARED_UNREAD
        whole = 0
        holding = False
        for rider in self.blocked:
            unread = rider.local.unsent
            whole += unread
            holding |= unread > limit
        holding |= whole > LANE_UNREAD
        if holding == self.reading:
            self.reading = not holding
            self._read(self.reading)
        if holding and not alone and self._patience is None:
            self._patience = asyncio.get_running_loop().call_later(SHARED_PATIENCE, self._out_of_patience)
        elif (not holding or alone) and self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def end(self) -> None:
        """The lane is over."""
        self.blocked.clear()
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _out_of_patience(self) -> None:
        """Give up those that left more unread than one may, then the greatest until the rest is what all may."""
        self._patience = None
        unread = {rider: rider.local.unsent for rider in self.blocked}
        whole = sum(unread.values())
        for rider in sorted(unread, key=unread.__getitem__, reverse=True):
            if unread[rider] <= SHARED_UNREAD and whole <= LANE_UNREAD:
                break
            whole -= unread[rider]
            self._give_up(rider, unread[rider])
        self.consider()
