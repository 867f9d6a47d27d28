"""Lines to a descriptor that may be closed, or whose reader may sleep: neither may stop what we are for."""

from __future__ import annotations

import os
import select
import time
from collections import deque

MOST_WAITING = 1000
"""Lines kept for a reader that does not read, the newest; about 100 KiB of the usual ones."""
CHUNK = 4096
"""Bytes a pipe takes without blocking once poll says that it is writable (PIPE_BUF on Linux)."""


class Lines:
    """Writes each line at once, or as soon as a later line finds the reader awake; never blocks, never raises."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._waiting: deque[bytes] = deque(maxlen=MOST_WAITING)
        self._rest = b""
        """Of a line that was written in part: it is finished before anything else, or the next would be garbled."""
        self._closed = False
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)

    def write(self, line: str) -> None:
        """Write ``line`` and its end."""
        self.put(line.encode(errors="backslashreplace") + b"\n")

    def put(self, data: bytes) -> None:
        """Write bytes as they are: a part of a line, or several."""
        if self._closed:
            return
        self._waiting.append(data)
        self._drain()

    def flush(self, limit: float) -> None:
        """Give a reader that is slow, or was, up to ``limit`` seconds for what still waits; blocks that long."""
        until = time.monotonic() + limit
        while (self._rest or self._waiting) and (left := until - time.monotonic()) > 0:
            if self._poll.poll(left * 1000):
                self._drain()

    def _drain(self) -> None:
        try:
            while (self._rest or self._waiting) and self._writable():
                if not self._rest:
                    self._rest = self._waiting.popleft()
                self._rest = self._rest[os.write(self._descriptor, self._rest[:CHUNK]) :]
        except BlockingIOError:
            pass  # somebody else made it non-blocking; the line stays for the next time
        except OSError:
            self._closed = True
            self._waiting.clear()
            self._rest = b""

    def _writable(self) -> bool:
        # An error or a hang-up is "writable": the write then tells which.
        return bool(self._poll.poll(0))
