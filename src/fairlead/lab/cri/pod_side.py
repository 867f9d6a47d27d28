"""The pod's side of one forwarded connection: what the client says before there is one is kept, its end too."""

from __future__ import annotations

import asyncio

from fairlead.lab.cri.drivers.driver import PodEnd


class PodSide:
    """From the dial to the end of the connection to the pod."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._local: PodEnd | None = None
        self._early = bytearray()
        self._waiting = True
        """For the connection, or for its first turn: a transport takes nothing before."""
        self._ended = False

    @property
    def joined(self) -> bool:
        """Whether there is a connection."""
        return self._local is not None

    @property
    def failure(self) -> str:
        """Why it ended."""
        return self._local.failure if self._local is not None else ""

    @property
    def unread(self) -> int:
        """Bytes that the pod has not taken."""
        return len(self._early) + (self._local.unsent if self._local is not None else 0)

    def write(self, data: memoryview) -> None:
        """Bytes for the pod, valid until ``flush``."""
        if self._waiting:
            self._early += data
        elif self._local is not None:
            self._local.write(data)

    def flush(self) -> None:
        """Send them."""
        if not self._waiting and self._local is not None:
            self._local.flush()

    def write_eof(self) -> None:
        """No more of them."""
        self._ended = True
        if not self._waiting and self._local is not None:
            self._local.write_eof()

    def pause(self) -> None:
        """Do not read from the pod."""
        if self._local is not None:
            self._local.pause_reading()

    def resume(self) -> None:
        """Read from it."""
        if self._local is not None:
            self._local.resume_reading()

    def close(self) -> None:
        """Over in both directions; what was written is delivered."""
        self._deliver()
        if self._local is not None:
            self._local.close()

    def abort(self) -> None:
        """Break off."""
        self._early.clear()
        if self._local is not None:
            self._local.abort()

    def join(self, local: PodEnd, *, reading: bool) -> None:
        """There it is."""
        self._local = local
        if reading:
            local.resume_reading()
        else:
            local.pause_reading()
        self._loop.call_soon(self._deliver)

    def left(self) -> None:
        """It is gone."""
        self._local = None
        self._early.clear()

    def _deliver(self) -> None:
        if not self._waiting or self._local is None:
            return
        self._waiting = False
        early, self._early = self._early, bytearray()
        if early:
            self._local.write(memoryview(early))
            self._local.flush()
        if self._ended:
            self._local.write_eof()
