"""What a process of a container reads and writes: pipes, or a terminal; as the main process holds them."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import struct
import termios
from collections.abc import Callable
from typing import TypeAlias

STDOUT, STDERR = 1, 2
AT_ONCE = 65536
"""Bytes that are read in one turn: what a pipe holds."""
MOST_PENDING = 1 << 20
"""Bytes of input that wait for a process that does not read; whoever writes should look at ``pending``."""

Output: TypeAlias = Callable[[int, bytes], None]
"""Told what came on STDOUT or STDERR; no bytes are its end."""


class Stdio:
    """Our ends and, until ``given``, those of the child."""

    def __init__(self, *, stdin: bool, terminal: bool) -> None:
        self._loop = asyncio.get_running_loop()
        self.terminal = terminal
        self.console = ""
        """The path of the terminal."""
        self._listeners: list[Output] = []
        self._holds = 0
        self._pending = bytearray()
        self._ending = False
        self._drained: asyncio.Future[None] | None = None
        self.closed: asyncio.Future[None] = self._loop.create_future()
        """Set once nothing more comes."""
        self._read: dict[int, int] = {}
        """Descriptors to read, by stream."""
        self._write = -1
        if terminal:
            ours, theirs = os.openpty()
            self.console = os.ttyname(theirs)
            self._theirs = [theirs]
            self.child = (theirs, theirs, theirs)
            self._read[STDOUT] = ours
            self._write = os.dup(ours) if stdin else -1
        else:
            inner, self._write = os.pipe() if stdin else (os.open(os.devnull, os.O_RDONLY), -1)
            self._read[STDOUT], out = os.pipe()
            self._read[STDERR], err = os.pipe()
            self._theirs = [inner, out, err]
            self.child = (inner, out, err)
        """The child's standard input, output and error."""
        for descriptor in (*self._read.values(), self._write):
            if descriptor >= 0:
                os.set_blocking(descriptor, False)

    def given(self) -> None:
        """The child has its ends; from now on, output is told."""
        self._close_theirs()
        self._watch()

    def listen(self, told: Output) -> Callable[[], None]:
        """Tell of all output from now on; what is returned ends that."""
        self._listeners.append(told)
        return lambda: self._listeners.remove(told) if told in self._listeners else None

    def hold(self) -> None:
        """Read no more until ``release`` was called as often: somebody cannot take it."""
        self._holds += 1
        if self._holds == 1:
            for descriptor in self._read.values():
                self._loop.remove_reader(descriptor)

    def release(self) -> None:
        """See ``hold``."""
        self._holds -= 1
        if not self._holds:
            self._watch()

    @property
    def has_input(self) -> bool:
        """Whether anything can be written to it."""
        return self._write >= 0 and not self._ending

    @property
    def pending(self) -> int:
        """Bytes that were written and not yet read."""
        return len(self._pending)

    def write(self, data: bytes | memoryview) -> None:
        """Give it input; dropped where it takes none."""
        if self.has_input:
            idle = not self._pending
            self._pending += data
            if idle:
                self._flush()

    async def drained(self) -> None:
        """Wait until less than ``MOST_PENDING`` bytes wait."""
        while len(self._pending) > MOST_PENDING:
            self._drained = self._drained or self._loop.create_future()
            await asyncio.shield(self._drained)

    def write_eof(self) -> None:
        """It gets no more input, once it has what was written; a terminal is sent what its user would type."""
        if self.has_input:
            if self.terminal:
                self.write(b"\x04")
            self._ending = True
            if not self._pending:
                self._close_input()

    def resize(self, columns: int, rows: int) -> None:
        """The size of its terminal, if it has one."""
        if self.terminal and STDOUT in self._read:
            size = struct.pack("HHHH", rows & 0xFFFF, columns & 0xFFFF, 0, 0)
            fcntl.ioctl(self._read[STDOUT], termios.TIOCSWINSZ, size)

    def close(self) -> None:
        """Give up what is still open."""
        self._close_theirs()
        self._pending.clear()
        self._close_input()
        for stream in list(self._read):
            self._end(stream)

    def _watch(self) -> None:
        if not self._holds:
            for stream, descriptor in self._read.items():
                self._loop.add_reader(descriptor, self._take, stream, descriptor)

    def _take(self, stream: int, descriptor: int) -> None:
        try:
            data = os.read(descriptor, AT_ONCE)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.EIO:  # the end of a terminal
                raise
            data = b""
        if data:
            self._tell(stream, data)
        else:
            self._end(stream)

    def _tell(self, stream: int, data: bytes) -> None:
        for told in list(self._listeners):
            told(stream, data)

    def _end(self, stream: int) -> None:
        descriptor = self._read.pop(stream)
        self._loop.remove_reader(descriptor)
        os.close(descriptor)
        self._tell(stream, b"")
        if not self._read and not self.closed.done():
            self.closed.set_result(None)

    def _flush(self) -> None:
        self._loop.remove_writer(self._write)
        try:
            done = os.write(self._write, self._pending)
        except BlockingIOError:
            done = 0
        except OSError:  # nobody reads it any more
            self._pending.clear()
            self._close_input()
            return
        del self._pending[:done]
        if self._drained is not None and len(self._pending) <= MOST_PENDING:
            self._drained.set_result(None)
            self._drained = None
        if self._pending:
            self._loop.add_writer(self._write, self._flush)
        elif self._ending:
            self._close_input()

    def _close_input(self) -> None:
        if self._write >= 0:
            self._loop.remove_writer(self._write)
            os.close(self._write)
            self._write = -1
        if self._drained is not None:
            self._drained.set_result(None)
            self._drained = None

    def _close_theirs(self) -> None:
        for descriptor in self._theirs:
            os.close(descriptor)
        self._theirs = []
