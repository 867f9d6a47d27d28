"""Standard input and output: kept in their places, as a socket that an event loop can use, and whether they are read.

A file or /dev/null cannot be waited for by an event loop, and making a terminal or a pipe non-blocking would change it
for every other process that has it. So two threads read and write, blocking, and the loop has one end of a socket pair
whose other end is theirs; half-close and back-pressure come with it.
"""

from __future__ import annotations

import asyncio
import os
import select
import socket
import stat
import threading

from fairlead.kit import process

CHUNK = 256 * 1024
"""Bytes moved at once: a few pipe buffers (64 KiB on Linux)."""
LOOK = 0.25
"""Seconds between two looks whether somebody still reads."""


def keep_places() -> None:
    """Keep what was given at the start, for us and for the command.

    Where 0, 1 or 2 is closed it is /dev/null, lest a connection get that number and be written to as "output".
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened == descriptor:
                os.set_inheritable(opened, True)
            else:
                os.dup2(opened, descriptor)
                os.close(opened)
    process.children_keep_given()


async def unread(descriptor: int) -> None:
    """Return when nobody reads this pipe, or socket, any more; of anything else that is never known."""
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISFIFO(mode) and not stat.S_ISSOCK(mode):
        await asyncio.Event().wait()
    poll = select.poll()
    poll.register(descriptor, 0)  # POLLERR and POLLHUP are always told
    # The loop's own watch would make it non-blocking for other processes, too.
    while not poll.poll(0):  # noqa: ASYNC110 (nothing else tells)
        await asyncio.sleep(LOOK)


class StandardStreams:
    """One connection made of standard input and output (or other descriptors)."""

    def __init__(self, source: int = 0, sink: int = 1) -> None:
        self.socket, self._ours = socket.socketpair()
        """For ``loop.connect_accepted_socket``; the transport closes it."""
        self.socket.setblocking(False)
        self._source = source
        self._sink = sink
        self._written = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._threads = 2
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start to move bytes."""
        # Daemons: nothing can wake a thread that reads a terminal, and the process must be able to end.
        threading.Thread(target=self._read, name="stdin", daemon=True).start()
        threading.Thread(target=self._write, name="stdout", daemon=True).start()

    async def written(self) -> None:
        """Wait until all that came is in standard output, or until nobody reads that any more."""
        await self._written.wait()

    def _read(self) -> None:
        try:
            while data := _blocking_read(self._source):
                self._ours.sendall(data)
        except OSError:
            pass  # a closed standard input ends like an empty one; or the connection is gone
        self._end(socket.SHUT_WR)

    def _write(self) -> None:
        ways = socket.SHUT_RD  # the other way goes on: a stream has two halves
        try:
            while data := self._ours.recv(CHUNK):
                _blocking_write(self._sink, data)
            _close(self._sink)
        except OSError:
            ways = socket.SHUT_RDWR  # nobody reads any more: the connection is of no use
        self._end(ways)
        try:
            self._loop.call_soon_threadsafe(self._written.set)
        except RuntimeError:
            pass  # the loop is closed: the run ended without waiting

    def _end(self, ways: int) -> None:
        with self._lock:
            self._threads -= 1
            try:
                self._ours.shutdown(ways)
            except OSError:
                pass  # gone already
            if not self._threads:
                self._ours.close()


def _close(descriptor: int) -> None:
    """Let the reader of a pipe see its end, and keep the number taken."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, descriptor)
    os.close(nothing)


def _blocking_read(descriptor: int) -> bytes:
    while True:
        try:
            return os.read(descriptor, CHUNK)
        except BlockingIOError:  # another process made it non-blocking
            select.select([descriptor], [], [])


def _blocking_write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            select.select([], [descriptor], [])
