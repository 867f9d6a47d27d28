"""Standard input and output: kept in their places, and as a socket that an event loop can use.

A file or /dev/null cannot be waited for by an event loop, and making a terminal or a pipe non-blocking would change it
for every other process that has it. So two threads read and write, blocking, and the loop has one end of a socket pair
whose other end is theirs; half-close and back-pressure come with it.
"""

from __future__ import annotations

import asyncio
import os
import select
import socket
import threading

CHUNK = 256 * 1024
"""Bytes moved at once: a few pipe buffers (64 KiB on Linux)."""


def keep_places() -> None:
    """Open /dev/null where 0, 1 or 2 is closed, lest a connection get that number and be written to as "output"."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != descriptor:
                os.dup2(opened, descriptor)
                os.close(opened)


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

    def start(self) -> None:
        """Start to move bytes."""
        # Daemons: nothing can wake a thread that reads a terminal, and the process must be able to end.
        threading.Thread(target=self._read, name="stdin", daemon=True).start()
        threading.Thread(target=self._write, name="stdout", daemon=True).start()

    async def written(self) -> None:
        """Wait until the connection has ended and all that came from it is in standard output, or nobody reads that."""
        await self._written.wait()

    def _read(self) -> None:
        try:
            while data := _blocking_read(self._source):
                self._ours.sendall(data)
        except OSError:
            pass  # closed standard input, or the connection is gone
        try:
            self._ours.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # gone already

    def _write(self) -> None:
        try:
            while data := self._ours.recv(CHUNK):
                _blocking_write(self._sink, data)
            # The reader of a pipe waits for this end of file.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._sink)
        except OSError:
            pass  # nobody reads any more
        try:
            self._ours.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        try:
            self._loop.call_soon_threadsafe(self._written.set)
        except RuntimeError:
            pass  # the loop is closed: the run ended without waiting


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
