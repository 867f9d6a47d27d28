"""The transports of ``simulated``: bytes that travel in pieces, late, or not at all."""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, Any

from fairlead.dial.lane import Lane
from tests.support.simulated_pod import Server

if TYPE_CHECKING:
    from tests.support.simulated import World

TCP_TIMEOUT = 900.0
"""Seconds after which the kernel gives up a connection whose network is gone."""


class Kernel:
    """What TCP_INFO says of a wire, as the ``socket`` of its transport."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def getsockopt(self, level: int, option: int, length: int) -> bytes:
        info = bytearray(length)
        silent = self._wire.silent_for
        if silent:
            info[2] = min(int(silent), 15)  # retransmits
            struct.pack_into("=I", info, 24, 1)  # packets that are not acknowledged
            struct.pack_into("=I", info, 56, int(silent * 1000))  # since the last acknowledgement, in ms
        return bytes(info)


class Wire(asyncio.Transport):
    """The transport of a lane; bytes travel in pieces, in their own time, or not at all while it is ``stopped``.

    Where the world's kernel tells nothing, one that is stopped for ever breaks after TCP_TIMEOUT. Where it tells, it
    never does, so that only the lane can end it.
    """

    def __init__(self, world: World, lane: Lane) -> None:
        super().__init__()
        self.gone = False
        self.stopped = False
        self._unheard_since: float | None = None
        """When the first byte was written that a stopped wire does not carry."""
        self._world = world
        self._lane = lane
        self._server = Server(world, self)
        self._out = bytearray()
        self._in = bytearray()
        self._high = 1 << 16
        self._full = False
        self._reading = True
        self._closing = False
        self._step_due: asyncio.TimerHandle | None = None
        self._give_up: asyncio.TimerHandle | None = None

    # -- what the lane calls --

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return Kernel(self) if name == "socket" and self._world.kernel_tells else default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high = high or 0

    def get_write_buffer_size(self) -> int:
        return len(self._out)

    def is_closing(self) -> bool:
        return self._closing

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        self._soon()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._closing:
            return
        self._out += data
        if len(self._out) > self._high and not self._full:
            self._full = True
            self._lane.pause_writing()
        self._note_silence()
        self._soon()

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            # The kernel gives up one that nobody holds any more.
            self._give_up = self._world.loop.call_later(TCP_TIMEOUT, self._die_if_stopped)
            self._soon()

    def abort(self) -> None:
        self._closing = True
        self._out.clear()
        self._world.loop.call_soon(self.die, None)

    # -- what the world does --

    def arrive(self, data: bytes) -> None:
        """The server sends."""
        self._in += data
        self._soon()

    def stop(self, stopped: bool) -> None:
        self.stopped = stopped
        self._unheard_since = None
        self._note_silence()
        self._soon()

    @property
    def silent_for(self) -> float:
        """Seconds for which bytes have been sent and not acknowledged."""
        return 0.0 if self._unheard_since is None else self._world.loop.time() - self._unheard_since

    def _note_silence(self) -> None:
        if self.stopped and self._out and self._unheard_since is None:
            self._unheard_since = self._world.loop.time()

    def _die_if_stopped(self) -> None:
        if self.stopped:
            self.die(TimeoutError("timed out"))

    def die(self, error: Exception | None) -> None:
        if not self.gone:
            self.gone = self._closing = True
            for handle in (self._step_due, self._give_up):
                if handle is not None:
                    handle.cancel()
            self._world.wires.remove(self)
            self._server.lost()
            self._lane.connection_lost(error)

    def _soon(self) -> None:
        if self._step_due is None and not self.gone and not self.stopped:
            self._step_due = self._world.loop.call_later(self._world.rng.choice((0, 0, 0.001, 0.02)), self._step)

    def _step(self) -> None:
        self._step_due = None
        if self.gone or self.stopped:
            return
        size = self._world.rng.choice((7, 1000, 20_000, 50_000))
        piece, self._out = bytes(self._out[:size]), self._out[size:]
        if piece:
            self._server.receive(piece)
        if self._full and len(self._out) <= self._high // 4:
            self._full = False
            self._lane.resume_writing()
        if self._reading and not self._closing and self._in:
            piece, self._in = bytes(self._in[:size]), self._in[size:]
            self._lane.get_buffer(-1)[: len(piece)] = piece
            self._lane.buffer_updated(len(piece))
        if self._closing and not self._out:
            self.die(None)
        elif self._out or (self._in and self._reading):
            self._soon()
