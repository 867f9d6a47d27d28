"""What listens on this laptop, or is reached from it, as the far side of a connection that came in here."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from fairlead.errors import MachineError
from fairlead.kit.tasks import Background
from fairlead.net import descriptors
from fairlead.net.buffer import ReadBuffer
from fairlead.net.local import LocalConnection

KEPT = 64 * 1024
"""First bytes kept until the connection stands; beyond that the program is paused."""
GIVEN_UP = 4.0
"""Seconds in which the connection has to stand once its program is done sending: most such programs have closed it,
which looks the same, and a silent address would be asked for two minutes more. TCP asks again after 1 s and 3 s."""

Connect: TypeAlias = Callable[[Callable[[], LocalConnection]], Awaitable[object]]
"""Makes a connection whose protocol its argument makes. Raises OSError."""


def localhost(port: int) -> Connect:
    """To a port of this laptop; a program may listen on one family alone."""

    async def connect(make: Callable[[], LocalConnection]) -> None:
        try:
            await address("127.0.0.1", port)(make)
        except OSError as first:
            try:
                await address("::1", port)(make)
            except OSError:
                raise first from None

    return connect


def address(host: str, port: int) -> Connect:
    """To an IP address, as any program of this laptop reaches it."""

    async def connect(make: Callable[[], LocalConnection]) -> None:
        await asyncio.get_running_loop().create_connection(make, host, port)

    return connect


def elsewhere(sock: Callable[[int], Awaitable[socket.socket]], host: str, port: int) -> Connect:
    """To an IP address of another network namespace, in which ``sock`` makes sockets of a family (AF_INET...)."""

    async def connect(make: Callable[[], LocalConnection]) -> None:
        loop = asyncio.get_running_loop()
        try:
            made = await sock(socket.AF_INET6 if ":" in host else socket.AF_INET)
        except MachineError as error:  # that the network is gone ends the run elsewhere
            raise ConnectionError(error.what) from error
        try:
            await loop.sock_connect(made, (host, port))
            await loop.create_connection(make, sock=made)
        except BaseException:
            made.close()
            raise

    return connect


def in_words(error: OSError) -> str:
    """Why a connection could not be made, as the system says it: asyncio has words of its own for that."""
    return os.strerror(error.errno) if error.errno else str(error)


class Joined:
    """The RemoteEnd of an accepted connection, which becomes one that ``connect`` makes.

    ``failed`` is told once if nothing takes it; the accepted side is reset then. ``answered`` is called at the first
    bytes that come back.
    """

    def __init__(
        self,
        local: LocalConnection,
        connect: Connect,
        buffer: ReadBuffer,
        tasks: Background,
        failed: Callable[[OSError], None] = lambda error: None,
        answered: Callable[[], None] = lambda: None,
    ) -> None:
        self._local = local
        self._buffer = buffer
        self._failed = failed
        self._answered: Callable[[], None] | None = answered
        self._far: LocalConnection | None = None
        self._kept = bytearray()
        self._eof = False
        self._far_eof = False
        self._gone = False
        self._connecting = tasks.start(self._connect(connect), name="connect from this laptop")

    async def _connect(self, connect: Connect) -> None:
        try:
            descriptors.require_room()
            await connect(lambda: LocalConnection(self._buffer, self._joined))
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        if not self._gone:
            self._gone = True
            self._local.abort()
            self._failed(error)

    def _give_up(self) -> None:
        if self._far is None:
            self._connecting.cancel()
            self._fail(TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)))

    def _joined(self, far: LocalConnection) -> _Back | None:
        if self._gone:
            return None
        self._far = far
        asyncio.get_running_loop().call_soon(self._catch_up)
        return _Back(self._local, self)

    def _catch_up(self) -> None:
        """Send what came before the connection stood."""
        far = self._far
        if far is None or self._gone:
            return
        if self._kept:
            kept, self._kept = self._kept, bytearray()
            far.write(memoryview(bytes(kept)))
            far.flush()
        if self._eof:
            far.write_eof()
        self._local.resume_reading()
        self._end_if_done()

    # -- what the accepted side calls --

    def send(self, buffer: memoryview, start: int, end: int) -> None:
        """Bytes for the laptop's own program."""
        if self._far is None or self._kept:
            self._kept += buffer[start:end]
            if len(self._kept) >= KEPT:
                self._local.pause_reading()
            return
        self._far.write(buffer[start:end])
        self._far.flush()

    def send_eof(self) -> None:
        """The connecting program is done sending."""
        self._eof = True
        if self._far is None:
            asyncio.get_running_loop().call_later(GIVEN_UP, self._give_up)
        elif not self._kept:
            self._far.write_eof()
            self._end_if_done()

    def local_blocked(self) -> None:
        """The connecting program does not read."""
        if self._far is not None:
            self._far.pause_reading()

    def local_drained(self) -> None:
        """It reads again."""
        if self._far is not None:
            self._far.resume_reading()

    def local_lost(self) -> None:
        """It is gone."""
        if not self._gone:
            self._gone = True
            if self._far is None:
                self._connecting.cancel()
            else:
                self._far.abort()

    # -- what the far side calls --

    def far_said(self) -> None:
        """It sends."""
        if self._answered is not None:
            self._answered()
            self._answered = None

    def far_eof(self) -> None:
        """The laptop's own program is done sending."""
        self._far_eof = True
        self._local.write_eof()
        self._end_if_done()

    def far_lost(self) -> None:
        """It is gone."""
        self._gone = True
        self._local.abort()

    def _end_if_done(self) -> None:
        if self._eof and self._far_eof and not self._gone and self._far is not None:
            self._gone = True
            self._local.close()
            self._far.close()


class _Back:
    """The same joint as the far side sees it."""

    def __init__(self, local: LocalConnection, joint: Joined) -> None:
        self._local = local
        self._joint = joint

    def send(self, buffer: memoryview, start: int, end: int) -> None:
        self._joint.far_said()
        self._local.write(buffer[start:end])
        self._local.flush()

    def send_eof(self) -> None:
        self._joint.far_eof()

    def local_blocked(self) -> None:
        self._local.pause_reading()

    def local_drained(self) -> None:
        self._local.resume_reading()

    def local_lost(self) -> None:
        self._joint.far_lost()
