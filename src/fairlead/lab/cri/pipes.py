"""The two directions of a child's standard streams: pipes, or a terminal. Push, as everything on the way of the bytes.

Each owns its descriptor, which does not block, and closes it at its end.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from fairlead.lab.cri.hold import BLOCKED
from fairlead.net.buffer import ReadBuffer
from fairlead.net.stream import HEADROOM

_PIECE = 256 * 1024
"""Bytes of one write of what waits."""


class Source:
    """Reads, and hands on ``(buffer, start, end)`` with HEADROOM bytes before the start; ``ended`` is told once.

    The end of a terminal whose program is gone is an error to the kernel (EIO), and an end to us.
    """

    def __init__(
        self,
        descriptor: int,
        buffer: ReadBuffer,
        taken: Callable[[memoryview, int, int], None],
        ended: Callable[[], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._descriptor = descriptor
        self._buffer = buffer
        self._taken = taken
        self._ended = ended
        self._reading = False
        self.closed = False
        os.set_blocking(descriptor, False)
        self.resume()

    def pause(self) -> None:
        """Read no more for now."""
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._descriptor)

    def resume(self) -> None:
        """Read on."""
        if not self._reading and not self.closed:
            self._reading = True
            self._loop.add_reader(self._descriptor, self._ready)

    def close(self) -> None:
        """Read no more at all; ``ended`` is not told."""
        if not self.closed:
            self.pause()
            self.closed = True
            os.close(self._descriptor)

    def _ready(self) -> None:
        try:
            count = os.readv(self._descriptor, [self._buffer.room])
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            count = 0
        if count:
            self._taken(self._buffer.whole, HEADROOM, HEADROOM + count)
        else:
            self.close()
            self._ended()


class Sink:
    """Writes. ``blocked`` and ``drained`` tell when more than BLOCKED bytes are unsent, and when none is any more.

    Once the reader is gone, what is written is dropped.
    """

    def __init__(
        self,
        descriptor: int,
        *,
        blocked: Callable[[], None] = lambda: None,
        drained: Callable[[], None] = lambda: None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._descriptor = descriptor
        self._blocked = blocked
        self._drained = drained
        self._waiting = bytearray()
        self._told = False
        self._ending = False
        self.closed = False
        os.set_blocking(descriptor, False)

    @property
    def unsent(self) -> int:
        """Bytes that wait."""
        return len(self._waiting)

    def write(self, data: memoryview) -> None:
        """Write at once as far as the reader takes it, and keep a copy of the rest."""
        if self.closed or self._ending:
            return
        if not self._waiting:
            data = data[self._try(data) :]
            if not data or self.closed:
                return
            self._loop.add_writer(self._descriptor, self._ready)
        self._waiting += data
        if len(self._waiting) > BLOCKED and not self._told:
            self._told = True
            self._blocked()

    def end(self) -> None:
        """Close after what waits."""
        self._ending = True
        if not self._waiting:
            self.close()

    def close(self) -> None:
        """Close now."""
        if self.closed:
            return
        self.closed = True
        if self._waiting:
            self._loop.remove_writer(self._descriptor)
            self._waiting.clear()
        os.close(self._descriptor)
        self._tell_drained()

    def _ready(self) -> None:
        with memoryview(self._waiting) as whole, whole[:_PIECE] as piece:
            count = self._try(piece)
        if self.closed:
            return
        del self._waiting[:count]
        if not self._waiting:
            self._loop.remove_writer(self._descriptor)
            self._tell_drained()
            if self._ending:
                self.close()

    def _try(self, data: memoryview) -> int:
        try:
            return os.write(self._descriptor, data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError:
            self._give_up()
            return 0

    def _give_up(self) -> None:
        if self._waiting:
            self._loop.remove_writer(self._descriptor)
            self._waiting = bytearray()  # another one: a view of the old one is still in use
        self.close()

    def _tell_drained(self) -> None:
        if self._told:
            self._told = False
            self._drained()
