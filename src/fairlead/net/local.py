"""An accepted connection of the laptop as a LocalEnd."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Callable
from typing import cast

from fairlead.net.buffer import ReadBuffer
from fairlead.net.stream import HEADROOM, RemoteEnd

HIGH_WATER = 512 * 1024
"""Bytes a local program may leave unread before its opposite end is told; two reads, so that a brief pause costs
nothing."""
LINGER = 2.0
"""Seconds a closed connection still discards what its program sends. Closing with unread input would make the kernel
reset the connection, and the reset can overtake the last bytes that the program has not read."""

_IOV = 512
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class LocalConnection(asyncio.BufferedProtocol):
    """Joins a transport to the ``RemoteEnd`` that ``accept`` returns for it, or is reset if that is None.

    ``gone`` is called last of all.
    """

    __slots__ = (
        "_accept",
        "_buffer",
        "_closing",
        "_eof_received",
        "_eof_sent",
        "_gone",
        "_lost",
        "_made",
        "_pending",
        "_remote",
        "_room",
        "_transport",
        "fd",
    )

    def __init__(
        self,
        buffer: ReadBuffer,
        accept: Callable[[LocalConnection], RemoteEnd | None],
        gone: Callable[[LocalConnection], None] = lambda local: None,
    ) -> None:
        self._accept = accept
        self._gone = gone
        self._buffer = buffer
        self._room = buffer.little
        self._pending: list[memoryview] = []
        self._closing = False
        self._eof_received = False
        self._eof_sent = False
        self._lost = False
        self._made = False

    # -- what the transport calls --

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the opposite end."""
        self._transport = cast("asyncio.Transport", transport)
        if self._closing:  # aborted between the accept and now
            _reset(self._transport)
            return
        self._transport.set_write_buffer_limits(high=HIGH_WATER, low=HIGH_WATER // 4)
        self.fd: int = self._transport.get_extra_info("socket").fileno()
        self._made = True
        remote = self._accept(self)
        if remote is None:
            self._made = False
            self._closing = True
            _reset(self._transport)
            return
        self._remote = remote
        self._read_first()
        if not self._transport.is_reading():
            asyncio.get_running_loop().call_soon(self._pause_again)

    def _read_first(self) -> None:
        """Take what came with the connection: most programs speak at once, and then it leaves with the new streams."""
        try:
            count = os.readv(self.fd, [self._room])
        except OSError:
            return  # Nothing there yet, or an error that the transport will meet as well.
        if count:
            self.buffer_updated(count)

    def _pause_again(self) -> None:
        """The first releases of Python 3.11 begin to read after ``connection_made``, and so undo a pause in there."""
        if not self._transport.is_reading() and not self._transport.is_closing():
            self._transport.resume_reading()
            self._transport.pause_reading()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Room for one read, with room for a header before it."""
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        """Hand on what was read."""
        if not self._closing:
            self._remote.send(self._buffer.whole, HEADROOM, HEADROOM + nbytes)

    def eof_received(self) -> bool:
        """The program is done sending; the transport stays open for the answer."""
        self._eof_received = True
        if self._closing:
            return False
        self._remote.send_eof()
        return True

    def pause_writing(self) -> None:
        """The program does not read."""
        self._remote.local_blocked()

    def resume_writing(self) -> None:
        """The program reads again."""
        self._remote.local_drained()

    def connection_lost(self, exc: Exception | None) -> None:
        """The last call of all."""
        self._lost = True
        self._pending.clear()
        if not self._closing:
            self._closing = True
            self._remote.local_lost()
        if self._made:
            # Both ends point at each other: without this, each connection would wait for the garbage collector.
            del self._remote
        self._gone(self)

    # -- what the remote end calls --

    @property
    def client(self) -> str:
        """The IP address that connected."""
        peer = self._transport.get_extra_info("peername")
        return str(peer[0]) if peer else ""

    @property
    def destination(self) -> tuple[str, int]:
        """The IP address and port that the client connected to."""
        name = self._transport.get_extra_info("sockname")
        return str(name[0]), int(name[1])

    @property
    def lost(self) -> bool:
        """The socket is gone."""
        return self._lost

    @property
    def unsent(self) -> int:
        """Bytes that the program has not taken yet, the kernel's own buffer not counted."""
        return self._transport.get_write_buffer_size()

    def write(self, data: memoryview) -> None:
        """Remember the view until ``flush``."""
        self._pending.append(data)

    def flush(self) -> None:
        """Send straight from the reader's buffer as far as the kernel takes it, and copy only the rest.

        The transport has an order of its own, so this happens only while it has nothing unsent. Handing views to the
        transport instead would let it send from a buffer that has been read into again.
        """
        pending = self._pending
        if not pending:
            return
        if self._closing:
            pending.clear()
            return
        sent = 0
        if not self._transport.get_write_buffer_size():
            try:
                sent = os.write(self.fd, pending[0]) if len(pending) == 1 else os.writev(self.fd, pending[:_IOV])
            except (BlockingIOError, InterruptedError):
                pass
            except OSError:
                # The transport finds the same error by itself and reports it once, in its own way.
                pending.clear()
                self._transport.abort()
                return
        for view in pending:
            if sent >= len(view):
                sent -= len(view)
            else:
                self._transport.write(bytes(view[sent:]))
                sent = 0
        pending.clear()

    def write_eof(self) -> None:
        """Shut down the sending half."""
        self.flush()
        if not self._closing and not self._eof_sent and not self._lost:
            self._eof_sent = True
            if not self._transport.is_closing():
                try:
                    self._transport.write_eof()
                except OSError:
                    pass  # it was reset meanwhile, as the transport is about to find out

    def close(self) -> None:
        """End cleanly: deliver, say so, then discard input for LINGER seconds or until the program ends too."""
        if self._closing:
            return
        if self._eof_received or self._transport.is_closing():
            self.flush()
            self._closing = True
            self._transport.close()  # after what is unsent
            return
        self.write_eof()
        self._closing = True
        self._transport.resume_reading()
        asyncio.get_running_loop().call_later(LINGER, self._transport.close)

    def abort(self) -> None:
        """Reset the connection."""
        if self._lost:
            return
        self._closing = True
        self._pending.clear()
        if self._made:
            _reset(self._transport)

    def pause_reading(self) -> None:
        """Stop reading from the program."""
        if not self._closing and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read from the program again, as much at once as there is room for."""
        self._room = self._buffer.room
        if not self._closing and not self._transport.is_closing():
            self._transport.resume_reading()


def reset(sock: socket.socket) -> None:
    """Close with a reset."""
    _reset_on_close(sock)
    sock.close()


def _reset(transport: asyncio.Transport) -> None:
    _reset_on_close(transport.get_extra_info("socket"))
    transport.abort()


def _reset_on_close(sock: socket.socket) -> None:
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    except OSError:
        pass  # The peer may have closed it already.
