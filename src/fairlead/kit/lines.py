"""Lines to a descriptor that may be closed, or whose reader may sleep: neither may stop what we are for."""

from __future__ import annotations

import asyncio
import os
import select
import socket
import stat
import time
from collections import deque
from collections.abc import Callable

MOST_WAITING = 1000
"""Lines kept for a reader that does not read, the newest; about 100 KiB of the usual ones."""
CHUNK = 4096
"""Bytes a pipe takes without blocking once poll says that it is writable (PIPE_BUF on Linux)."""
PAUSE, LONGEST_PAUSE = 0.005, 0.16
"""Seconds until a reader that was too slow is tried again; twice as long each time that it takes nothing."""


class Lines:
    """Writes each line at once, or when the reader is awake again; never blocks, never raises.

    Without a running event loop it is a later line that finds the reader awake. ``most`` lines wait, the newest.
    """

    def __init__(self, descriptor: int, *, most: int = MOST_WAITING) -> None:
        self._descriptor = descriptor
        self._waiting: deque[bytes] = deque(maxlen=most)
        self._rest = b""
        """Of a line that was written in part: it is finished before anything else, or the next would be garbled."""
        self._way: _Way | None = None
        """Opened for the first line: a descriptor that is never used is not held open."""
        self._again: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def are_waiting(self) -> bool:
        """Whether the reader has not taken all of them."""
        return bool(self._rest or self._waiting)

    def write(self, line: str, end: str = "\n") -> None:
        """Write ``line`` and its end."""
        self.put(f"{line}{end}".encode(errors="backslashreplace"))

    def put(self, data: bytes) -> None:
        """Write bytes as they are: a part of a line, or several."""
        if self._closed:
            return
        self._waiting.append(data)
        self._drain()
        if self._again is None:
            self._drain_later(PAUSE)

    def flush(self, limit: float) -> None:
        """Give a reader that is slow, or was, up to ``limit`` seconds for what still waits; blocks that long."""
        until = time.monotonic() + limit
        while (self._rest or self._waiting) and self._way and (left := until - time.monotonic()) > 0:
            if self._way.writable(left):
                self._drain()

    def close(self) -> None:
        """Write nothing more; the descriptor stays as it is."""
        self._closed = True
        if self._again is not None:
            self._again.cancel()
            self._again = None
        self._waiting.clear()
        self._rest = b""
        if self._way is not None:
            self._way.close()
            self._way = None

    def _drain_later(self, pause: float) -> None:
        """Timers, and not the loop's watch on the descriptor: that one would make it non-blocking for others, too."""
        if not self.are_waiting:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._again = loop.call_later(pause, self._try_again, pause)

    def _try_again(self, pause: float) -> None:
        self._again = None
        waiting = len(self._waiting), len(self._rest)
        self._drain()
        moved = waiting != (len(self._waiting), len(self._rest))
        self._drain_later(PAUSE if moved else min(2 * pause, LONGEST_PAUSE))

    def _drain(self) -> None:
        try:
            if self._way is None:
                self._way = _Way(self._descriptor)
            while (self._rest or self._waiting) and self._way.writable(0):
                if not self._rest:
                    self._rest = self._waiting.popleft()
                self._rest = self._rest[self._way.write(self._rest) :]
        except BlockingIOError:
            pass  # less room than it needs; the line stays for the next time
        except OSError:
            self.close()


class _Way:
    """How to write to a descriptor without waiting, and without O_NONBLOCK on what others have open, too.

    A terminal is "writable" with less room than a line needs, and a pipe may have other writers: a write that would
    block has to fail instead. So pipes and devices are opened once more, for us alone. A file is not, since what it was
    opened with (its offset) is shared on purpose; it never makes a writer wait.
    """

    def __init__(self, descriptor: int) -> None:
        mode = os.fstat(descriptor).st_mode
        self._own = _reopened(descriptor) if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) else None
        self._socket = socket.socket(fileno=os.dup(descriptor)) if stat.S_ISSOCK(mode) else None
        number = descriptor if self._own is None else self._own
        # A terminal that cannot be opened again is sure to have room for a single byte, and for no more.
        self._most = 1 if self._own is None and os.isatty(descriptor) else CHUNK
        self._write: Callable[[bytes], int] = lambda data: os.write(number, data)
        if self._socket is not None:
            send = self._socket.send
            self._write = lambda data: send(data, socket.MSG_DONTWAIT)
        self._poll = select.poll()
        self._poll.register(number, select.POLLOUT)

    def writable(self, seconds: float) -> bool:
        """Whether to try now, or within ``seconds``; an error or a hang-up is for the write to tell."""
        return bool(self._poll.poll(seconds * 1000))

    def write(self, data: bytes) -> int:
        """Write the beginning of ``data``: how many bytes."""
        return self._write(data[: self._most])

    def close(self) -> None:
        """Close what was opened here."""
        if self._own is not None:
            os.close(self._own)
        if self._socket is not None:
            self._socket.close()


def _reopened(descriptor: int) -> int | None:
    """The same pipe or device, not blocking; None where we may not open it, as after su(1), or nobody reads it."""
    how = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY
    try:
        return os.open(f"/proc/self/fd/{descriptor}", how)
    except OSError:
        pass
    try:
        os.tcgetpgrp(descriptor)  # which fails unless it is our controlling terminal: that one we may always open
        return os.open("/dev/tty", how)
    except OSError:
        return None
