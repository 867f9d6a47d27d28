"""Whether a client is read while pods leave its bytes unread, and which of its connections is given up for the others.

SPDY as spoken here has no flow control per stream, so all that makes a client wait is not to read it, and that stops
its new connections, its pings and its other streams too. The policy:

- While a connection has no more unread than STREAM_UNREAD, and all together no more than ALL_UNREAD, the client is read
  on: nobody notices the pod that does not read, and pings are answered at once.
- Beyond that the client is not read, until there is room again; looked at every LOOK seconds, so that others get on at
  the pace at which the pod takes bytes.
- A connection that is alone may go on like that for ever. If there are others, one whose pod takes less than a read's
  worth in PATIENCE seconds is reset: the others have waited for nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from fairlead.net.stream import CHUNK

STREAM_UNREAD = 8 * 1024 * 1024
"""Bytes of one connection: what a lane of ours leaves unread on the other side."""
ALL_UNREAD = 32 * 1024 * 1024
"""Bytes of all blocked connections of one client. Those with less than BLOCKED bytes each come on top."""
BLOCKED = 512 * 1024
"""Bytes from which on a connection counts: the high-water mark of a connection to a pod."""
PATIENCE = 5.0
LOOK = 0.02


class Writer(Protocol):
    """A connection to a pod, as far as it matters here."""

    @property
    def unread(self) -> int:
        """Bytes of the client that the pod has not taken."""


W = TypeVar("W", bound=Writer)


class Hold(Generic[W]):
    """The hold on one client.

    ``read`` is called with whether it is read, when that changes; ``others`` tells how many connections it has, and
    ``give_up`` ends one.
    """

    def __init__(self, read: Callable[[bool], None], others: Callable[[], int], give_up: Callable[[W], None]) -> None:
        self.reading = True
        self._read = read
        self._others = others
        self._give_up = give_up
        self._blocked: set[W] = set()
        self._held: dict[W, int] = {}
        """What was unread when patience began."""
        self._since = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def block(self, writer: W) -> None:
        """It has more than BLOCKED bytes unread; called again when these become more."""
        self._blocked.add(writer)
        self.consider()

    def unblock(self, writer: W) -> None:
        """Its pod reads again, or it is over."""
        if writer in self._blocked:
            self._blocked.discard(writer)
            self.consider()

    def end(self) -> None:
        """The client is gone."""
        self._blocked.clear()
        self._stop_looking()

    def consider(self) -> None:
        """Read or not."""
        whole = greatest = 0
        for writer in self._blocked:
            whole += writer.unread
            greatest = max(greatest, writer.unread)
        holding = greatest > STREAM_UNREAD or whole > ALL_UNREAD
        if holding and self.reading:
            self._begin_patience()
            self._look_soon()
        elif not holding:
            self._stop_looking()
        if holding == self.reading:
            self.reading = not holding
            self._read(self.reading)

    def _look(self) -> None:
        self._timer = None
        if asyncio.get_running_loop().time() >= self._since + PATIENCE:
            if self._others() > 1:
                self._end_patience()
            self._begin_patience()
        self.consider()
        if not self.reading:
            self._look_soon()

    def _begin_patience(self) -> None:
        self._since = asyncio.get_running_loop().time()
        self._held = {writer: writer.unread for writer in self._blocked}

    def _end_patience(self) -> None:
        """Give up those over their limit that took next to nothing; else, the greatest until all are within theirs."""
        whole = sum(writer.unread for writer in self._blocked)
        for writer in sorted(self._blocked, key=lambda each: each.unread, reverse=True):
            unread = writer.unread
            if unread <= STREAM_UNREAD and whole <= ALL_UNREAD:
                return
            if unread > self._held.get(writer, 0) - CHUNK:
                whole -= unread
                self._give_up(writer)

    def _look_soon(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LOOK, self._look)

    def _stop_looking(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
