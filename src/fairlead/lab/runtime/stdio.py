"""What a process of a container reads and writes: pipes, or a terminal; our ends and the child's."""

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

Output: TypeAlias = Callable[[int, bytes], None]
"""Told what came on STDOUT or STDERR; no bytes are its end."""


_TIOCGPTPEER, _TIOCSPTLCK = 0x5441, 0x4004_5431
"""ioctl_tty(2)."""


class Ends:
    """Descriptors, ours and, until they are ``given``, those of the child. Not inherited by other children.

    A terminal is one of those in the folder ``terminals``, as a container has them; without it, of the node's. Raises
    OSError.
    """

    def __init__(self, *, stdin: bool, terminal: bool, terminals: str = "") -> None:
        self.terminal = terminal
        self.console = ""
        """The path of the terminal, if it is of the node's."""
        self.stdin: int | None = None
        self.stderr: int | None = None
        if terminal:
            if terminals:
                self.stdout, theirs = _terminal_of(terminals)
            else:
                self.stdout, theirs = os.openpty()
                self.console = os.ttyname(theirs)
            self.stdin = os.dup(self.stdout) if stdin else None
            self._theirs = [theirs]
            self.child = (theirs, theirs, theirs)
            """Its standard input, output and error."""
        else:
            if stdin:
                inner, self.stdin = os.pipe()
            else:
                inner = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            self.stdout, out = os.pipe()
            self.stderr, err = os.pipe()
            self._theirs = [inner, out, err]
            self.child = (inner, out, err)

    def given(self) -> None:
        """The child has its own."""
        for descriptor in self._theirs:
            os.close(descriptor)
        self._theirs = []

    def close(self) -> None:
        """Nobody needs them."""
        self.given()
        for descriptor in (self.stdin, self.stdout, self.stderr):
            if descriptor is not None:
                os.close(descriptor)


def _terminal_of(folder: str) -> tuple[int, int]:
    """Both sides of a new one; programs find its name where they are."""
    ours = os.open(f"{folder}/ptmx", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        fcntl.ioctl(ours, _TIOCSPTLCK, struct.pack("i", 0))
        return ours, fcntl.ioctl(ours, _TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except BaseException:
        os.close(ours)
        raise


def resize(terminal: int, columns: int, rows: int) -> None:
    """Set the size of a terminal."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows & 0xFFFF, columns & 0xFFFF, 0, 0))


class Spoken:
    """Reads what a container's own process says, for all who listen. The descriptors are its own from now on."""

    def __init__(self, stdout: int, stderr: int | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._read = {STDOUT: stdout} | ({} if stderr is None else {STDERR: stderr})
        self._listeners: list[Output] = []
        self._holds = 0
        self.ended: asyncio.Future[None] = self._loop.create_future()
        """Set once nothing more comes."""
        for descriptor in self._read.values():
            os.set_blocking(descriptor, False)
        self._watch()

    def listen(self, told: Output) -> None:
        """Tell of all that comes from now on."""
        self._listeners.append(told)

    def forget(self, told: Output) -> None:
        """Tell no more."""
        if told in self._listeners:
            self._listeners.remove(told)

    def hold(self) -> None:
        """Read no more until ``release`` was called as often: somebody cannot take it."""
        self._holds += 1
        if self._holds == 1:
            for descriptor in self._read.values():
                self._loop.remove_reader(descriptor)

    def release(self) -> None:
        """See ``hold``."""
        self._holds -= 1
        self._watch()

    def resize(self, columns: int, rows: int) -> None:
        """The size of its terminal; to be called where it has one."""
        if STDOUT in self._read:
            resize(self._read[STDOUT], columns, rows)

    def close(self) -> None:
        """Read no more, whatever comes."""
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
        if not self._read and not self.ended.done():
            self.ended.set_result(None)
