"""A pool whose lanes end in transports that the test moves, with virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fairlead.dial.connection import Connection
from fairlead.dial.lane import Lane, LaneOwner
from fairlead.dial.pool import Lanes
from fairlead.errors import FairleadError
from fairlead.kit.tasks import Background
from fairlead.model.target import PodRef
from fairlead.net.buffer import ReadBuffer
from fairlead.net.carrier import PlainCarrier
from fairlead.protocol.spdy import frames
from fairlead.protocol.spdy.headers import HeaderEncoder
from tests.support.dialled import Aim, backend
from tests.support.loop import run_virtual
from tests.support.program import Program


class Transport(asyncio.Transport):
    """Keeps what is written until the test takes it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.reading = True
        self.ended = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.ended

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def close(self) -> None:
        self.ended = True

    abort = close


class Scene:
    """A pool of one lane to a pod (and more when ``limit`` says so), and programs on it."""

    def __init__(self, tasks: Background, limit: int = 1) -> None:
        self.buffer = ReadBuffer()
        self.aim = Aim([backend(80)])
        self.made: list[tuple[Lane, Transport]] = []
        self.refuse: FairleadError | None = None
        self.online = True
        self.deaf: list[Lane] = []
        """Lanes whose server does not answer."""
        self.suspected: list[str] = []
        self.heard_at: float | None = None
        """As the last suspicion said it."""
        self.lanes = Lanes(tasks, self._open_lane, limit=limit, suspect=self._suspect)

    def _suspect(self, reason: str, heard_at: float | None) -> None:
        self.suspected.append(reason)
        self.heard_at = heard_at

    async def _open_lane(self, pod: PodRef, owner: LaneOwner) -> Lane:
        if self.refuse is not None:
            raise self.refuse
        lane, transport = Lane(self.buffer, owner, lambda lane: PlainCarrier(lane.session_receive)), Transport()
        lane.connection_made(transport)
        self.made.append((lane, transport))
        return lane

    @property
    def lane(self) -> Lane:
        return self.made[0][0]

    async def connect(self, first: bytes = b"") -> tuple[Connection, Program]:
        program = Program(80, self.buffer)
        connection = Connection(program, self.aim, self.lanes, wait=5)
        program.joined(connection)
        if first:
            program.say(first)
        connection.dial()
        await asyncio.sleep(0.01)
        return connection, program

    async def open(self, first: bytes = b"") -> tuple[Connection, Program]:
        """The first connection, which the server accepts."""
        made = await self.connect(first)
        self.accept(1, 3)
        return made

    def leave_unread(self, program: Program) -> None:
        """The first connection's program reads no more, and the server sends more than a lane is read for."""
        program.read(False)
        for _ in range(8):
            self.hear(frames.data(3, bytes(200_000)))

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Meanwhile the server answers."""
        async with Background() as tasks:
            server = tasks.start(self._serve(), name="serve")
            yield
            server.cancel()

    async def _serve(self) -> None:
        """Answer the pings of every lane that is read, while ``online``."""
        seen = {lane: len(transport.written) for lane, transport in self.made}
        while True:
            await asyncio.sleep(0.05)
            for lane, transport in self.made:
                if not transport.reading:
                    continue
                asked = _pings(transport.written[seen.get(lane, 0) :])
                seen[lane] = len(transport.written)
                for ident in asked:
                    if self.online and lane not in self.deaf and not lane.closed:
                        self.hear(frames.ping(ident), lane=lane)

    def hear(self, *wire: bytes, lane: Lane | None = None) -> None:
        """The server says this, on the first lane or the given one."""
        lane, data = lane or self.lane, b"".join(wire)
        lane.get_buffer(-1)[: len(data)] = data
        lane.buffer_updated(len(data))

    def accept(self, *streams: int) -> None:
        """The server accepts these streams, in one go since their headers are one compressed stream."""
        encoder = HeaderEncoder()
        self.hear(*(frames.syn_reply(stream, encoder.encode({})) for stream in streams))


def _pings(written: bytes) -> list[int]:
    """The pings among these frames."""
    found, at = [], 0
    while at < len(written):
        length = int.from_bytes(written[at + 5 : at + 8], "big")
        if written[at : at + 4] == b"\x80\x03\x00\x06":
            found.append(int.from_bytes(written[at + 8 : at + 12], "big"))
        at += 8 + length
    return found


def play(main: Callable[[Scene], Any], limit: int = 1) -> None:
    async def inside() -> None:
        async with Background() as tasks:
            it = Scene(tasks, limit)
            await main(it)
            for lane, _ in it.made:
                if not lane.gone.done():
                    lane.gone.set_result(None)
            await it.lanes.close(0)

    run_virtual(inside())
