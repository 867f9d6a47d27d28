"""A local program whose connection is in memory: what it says, reads and leaves unread is up to the test."""

from __future__ import annotations

from fairlead.dial.connection import Connection
from fairlead.net.buffer import ReadBuffer
from fairlead.net.stream import HEADROOM

HIGH_WATER = 8192
"""Bytes that a program leaves unread before the far side is told."""


class Program:
    """A local program and its socket, as a LocalEnd."""

    def __init__(self, port: int, buffer: ReadBuffer) -> None:
        self.port = port
        self.sent = bytearray()
        self.received = bytearray()
        self.paused = False
        self.reading = True
        self.eof = False
        """It has ended its half."""
        self.whole = False
        """The far half has ended: what was received is all there is."""
        self.over = ""
        """``closed``, ``aborted`` or ``lost`` when the connection has ended."""
        self._buffer = buffer
        self._views: list[memoryview] = []
        self._inbox = bytearray()
        self._blocked = False

    # -- what the connection calls --

    def write(self, data: memoryview) -> None:
        assert not self.whole
        self._views.append(data)

    def flush(self) -> None:
        if not self.over:
            for view in self._views:
                self._inbox += view
        self._views.clear()
        self._take()

    def write_eof(self) -> None:
        self.flush()
        self.whole = True

    def close(self) -> None:
        if not self.over:
            self.write_eof()
            self.over = "closed"

    def abort(self) -> None:
        if not self.over:
            self.over = "aborted"
            self._views.clear()
            self._inbox.clear()

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    @property
    def unsent(self) -> int:
        return len(self._inbox)

    # -- what the program does --

    def joined(self, connection: Connection) -> None:
        self._remote = connection

    def say(self, data: bytes) -> bool:
        """Send, if it may."""
        if self.over or self.paused or self.eof:
            return False
        self.sent += data
        whole = self._buffer.whole
        whole[HEADROOM : HEADROOM + len(data)] = data
        self._remote.send(whole, HEADROOM, HEADROOM + len(data))
        whole[: HEADROOM + len(data)] = bytes(HEADROOM + len(data))
        return True

    def end(self) -> None:
        if not (self.over or self.eof):
            self.eof = True
            self._remote.send_eof()

    def vanish(self) -> None:
        if not self.over:
            self.over = "lost"
            self._inbox.clear()
            self._remote.local_lost()

    def read(self, on: bool) -> None:
        self.reading = on
        self._take()

    def _take(self) -> None:
        if self.reading:
            self.received += self._inbox
            self._inbox.clear()
        blocked = len(self._inbox) > HIGH_WATER
        if blocked != self._blocked and self.over != "aborted":
            self._blocked = blocked
            (self._remote.local_blocked if blocked else self._remote.local_drained)()
