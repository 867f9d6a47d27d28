"""Programs, lanes and pods in memory, whose every step a seed decides; what is between them is the real data path.

Time is virtual, and nothing touches a socket: a seed gives the same run each time. Each connection has a port of its
own, so that what a pod got can be held against what the program said.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Mapping
from random import Random
from typing import Any

from fairlead.dial.connection import Connection
from fairlead.dial.lane import Lane, LaneOwner
from fairlead.dial.pool import Lanes
from fairlead.errors import ApiError, FairleadError, NotFoundError, UnreachableError
from fairlead.kit.tasks import Background
from fairlead.model.target import Backend, PodRef
from fairlead.net.buffer import ReadBuffer
from fairlead.net.carrier import PlainCarrier
from fairlead.net.stream import HEADROOM
from fairlead.protocol.portforward import Pair, Pairing
from fairlead.protocol.spdy.session import Role, Session, StreamListener

HIGH_WATER = 8192
"""Bytes that a program leaves unread before the far side is told."""
TCP_TIMEOUT = 900.0
"""Seconds after which the kernel gives up a connection whose network is gone."""
APPS = ("echo", "echo", "pour", "pour", "sink", "half", "early", "refuse", "refuse", "error", "reset", "cut", "deaf")


class Program:
    """A local program and its socket, as a LocalEnd."""

    def __init__(self, port: int, buffer: ReadBuffer) -> None:
        self.port = port
        self.sent = bytearray()
        self.received = bytearray()
        self.paused = False
        self.reading = True
        self.eof = False
        """It has ended its half."""
        self.whole = False
        """The far half has ended: what was received is all there is."""
        self.over = ""
        """``closed``, ``aborted`` or ``lost`` when the connection has ended."""
        self._buffer = buffer
        self._views: list[memoryview] = []
        self._inbox = bytearray()
        self._blocked = False

    # -- what the connection calls --

    def write(self, data: memoryview) -> None:
        assert not self.whole
        self._views.append(data)

    def flush(self) -> None:
        if not self.over:
            for view in self._views:
                self._inbox += view
        self._views.clear()
        self._take()

    def write_eof(self) -> None:
        self.flush()
        self.whole = True

    def close(self) -> None:
        if not self.over:
            self.write_eof()
            self.over = "closed"

    def abort(self) -> None:
        if not self.over:
            self.over = "aborted"
            self._views.clear()
            self._inbox.clear()

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    @property
    def unsent(self) -> int:
        return len(self._inbox)

    # -- what the program does --

    def joined(self, connection: Connection) -> None:
        self._remote = connection

    def say(self, data: bytes) -> bool:
        """Send, if it may."""
        if self.over or self.paused or self.eof:
            return False
        self.sent += data
        whole = self._buffer.whole
        whole[HEADROOM : HEADROOM + len(data)] = data
        self._remote.send(whole, HEADROOM, HEADROOM + len(data))
        whole[: HEADROOM + len(data)] = bytes(HEADROOM + len(data))
        return True

    def end(self) -> None:
        if not (self.over or self.eof):
            self.eof = True
            self._remote.send_eof()

    def vanish(self) -> None:
        if not self.over:
            self.over = "lost"
            self._inbox.clear()
            self._remote.local_lost()

    def read(self, on: bool) -> None:
        self.reading = on
        self._take()

    def _take(self) -> None:
        if self.reading:
            self.received += self._inbox
            self._inbox.clear()
        blocked = len(self._inbox) > HIGH_WATER
        if blocked != self._blocked and self.over != "aborted":
            self._blocked = blocked
            (self._remote.local_blocked if blocked else self._remote.local_drained)()


class App:
    """A program in a pod, reached by one pair of streams."""

    def __init__(self, rng: Random, server: Server, pair: Pair, half: Half, kind: str) -> None:
        self.kind = kind
        self.sent = bytearray()
        self.half = half
        self.complete = False
        """It has ended its half cleanly."""
        self._rng = rng
        self.server = server
        self._pair = pair

    @property
    def gone(self) -> bool:
        return self.half.was_reset or self.server.wire.gone

    async def run(self) -> None:
        rng, pairing, session = self._rng, self.server.pairing, self.server.session
        if self.kind in ("refuse", "reset"):
            await asyncio.sleep(rng.random() * 0.1)
            text = f"failed to connect to localhost:{self._pair.port} inside namespace: connection refused"
            pairing.failed(self._pair, text if self.kind == "refuse" else "")
            self.server.flush()
            return
        await self._talk()
        if self.gone:
            return
        if self.kind == "error":
            pairing.failed(self._pair, "broken pipe")
        elif self.kind == "cut":
            session.fin(self._pair.data_stream)
            self.complete = True
            self.server.flush()
            await asyncio.sleep(rng.random() * 3)
            session.reset(self._pair.data_stream)
        else:
            self.complete = True
            if self.kind == "half":
                session.fin(self._pair.data_stream)
                self.server.flush()
                await self._until_fin()
            if not self.gone:
                pairing.succeeded(self._pair)
        self.server.flush()

    async def _talk(self) -> None:
        if self.kind == "echo":
            done = 0
            while not self.gone:
                if done < len(self.half.got):
                    done += self._send(bytes(self.half.got[done : done + 5000]))
                    await asyncio.sleep(self._rng.random() * 0.02)
                elif self.half.fin:
                    break
                else:
                    await self.half.changed()
        elif self.kind == "sink":
            await self._until_fin()
            self._send(b"%d" % len(self.half.got))
        else:
            for _ in range(self._rng.randrange(12)):
                self._send(self._rng.randbytes(self._rng.choice((1, 100, 5000, 30000))))
                await asyncio.sleep(self._rng.choice((0, 0.01, 1)))

    def _send(self, data: bytes) -> int:
        if self.gone:
            return 0
        self.sent += data
        self.server.session.send_data(self._pair.data_stream, data)
        self.server.flush()
        return len(data)

    async def _until_fin(self) -> None:
        while not (self.gone or self.half.fin):
            await self.half.changed()


class Half:
    """What arrives on one stream of the server."""

    def __init__(self) -> None:
        self.got = bytearray()
        self.fin = self.was_reset = False
        self._change = asyncio.Event()

    async def changed(self) -> None:
        self._change.clear()
        await self._change.wait()

    def touch(self) -> None:
        self._change.set()

    def on_reply(self, headers: Mapping[str, str]) -> None: ...

    def on_data(self, data: memoryview) -> None:
        self.got += data
        self.touch()

    def on_fin(self) -> None:
        self.fin = True
        self.touch()

    def on_reset(self, status: int) -> None:
        self.was_reset = True
        self.touch()


class Server:
    """The far end of a lane."""

    def __init__(self, world: World, wire: Wire) -> None:
        self.wire = wire
        self.session = Session(Role.SERVER, self)
        self.pairing = Pairing(self.session, self._on_pair)
        self._world = world
        self._halves: dict[int, Half] = {}

    def receive(self, data: bytes) -> None:
        self.session.receive(memoryview(data))
        self.flush()

    def lost(self) -> None:
        for half in self._halves.values():
            half.touch()

    def flush(self) -> None:
        self.wire.arrive(self.session.take_outgoing())

    def on_open(self, stream: int, headers: Mapping[str, str], *, fin: bool) -> StreamListener | None:
        half = self._halves[stream] = Half()
        if self._world.kind_of(int(headers["port"])) == "deaf":
            return half
        return half if self.pairing.opened(stream, headers, self._world.loop.time()) else None

    def on_pong(self, ident: int) -> None: ...

    def on_goaway(self, last_good: int, status: int) -> None: ...

    def _on_pair(self, pair: Pair) -> None:
        app = App(self._world.rng, self, pair, self._halves[pair.data_stream], self._world.kind_of(pair.port))
        self._world.apps.setdefault(pair.port, []).append(app)
        self._world.tasks.start(app.run(), name=f"app {pair.port}")


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


class World:
    """One run; also the Target of every connection."""

    def __init__(self, seed: int, tasks: Background, *, limit: int, kernel_tells: bool) -> None:
        self.rng = Random(seed)
        self.kernel_tells = kernel_tells
        self.tasks = tasks
        self.loop = asyncio.get_running_loop()
        self.buffer = ReadBuffer()
        self.wires: list[Wire] = []
        self.lanes_made: list[Lane] = []
        self.apps: dict[int, list[App]] = {}
        self.programs: dict[Connection, Program] = {}
        self.failures: dict[Connection, str] = {}
        self.ended: list[Connection] = []
        self.calmed = asyncio.Event()
        """Nothing fails any more, and programs come to their ends."""
        self.pods = [PodRef("ns", name, name) for name in "abc"]
        self.waiting: set[Connection] = set()
        self._kinds: dict[int, str] = {}
        self.lanes = Lanes(tasks, self._open_lane, limit=limit, suspect=lambda reason: None)

    def kind_of(self, port: int) -> str:
        """What runs behind a port; one that refuses does so until it is calm."""
        kind = self._kinds[port]
        return "echo" if kind == "refuse" and self.calmed.is_set() else kind

    async def _open_lane(self, pod: PodRef, owner: LaneOwner) -> Lane:
        await asyncio.sleep(self.rng.choice((0, 0.01, 0.01, 1)))
        if not self.calmed.is_set() and self.rng.random() < 0.1:
            error: FairleadError = self.rng.choice(
                (ApiError("too many", code=429), UnreachableError("refused"), NotFoundError("no such pod", code=404))
            )
            raise error
        lane = Lane(self.buffer, owner, lambda lane: PlainCarrier(lane.session_receive))
        wire = Wire(self, lane)
        self.wires.append(wire)
        self.lanes_made.append(lane)
        lane.connection_made(wire)
        return lane

    # -- connections --

    def connect(self) -> None:
        port = len(self._kinds) + 1
        self._kinds[port] = self.rng.choice(APPS)
        program = Program(port, self.buffer)
        connection = Connection(program, self, self.lanes, wait=self.rng.choice((0.5, 30)))
        program.joined(connection)
        self.programs[connection] = program
        if self.rng.random() < 0.5:
            program.say(self.rng.randbytes(self.rng.choice((1, 500, 3000))))
        connection.dial()
        self.tasks.start(self._live(program), name=f"program {port}")

    async def _live(self, program: Program) -> None:
        rng = self.rng
        for _ in range(rng.randrange(20)):
            match rng.randrange(12):
                case 0:
                    program.read(False)
                    await asyncio.sleep(rng.choice((0.1, 3, 20)))
                    program.read(True)
                case 1:
                    program.read(False)
                case 2:
                    program.read(True)
                case 3 if rng.random() < 0.2:
                    program.vanish()
                case 4 if rng.random() < 0.3:
                    program.end()
                case _:
                    program.say(rng.randbytes(rng.choice((1, 200, 4000, 5000, 30000))))
            await asyncio.sleep(rng.choice((0, 0, 0.01, 0.5)))
        await self.calmed.wait()
        program.read(True)
        program.end()

    # -- Target --

    def choose(self, tried: frozenset[Backend], connection: Connection) -> Backend | None:
        found = self._untried(tried, connection)
        return self.rng.choice(found) if found else None

    def has_another(self, tried: frozenset[Backend]) -> bool:
        port = next(iter(tried)).port
        return any(Backend(pod, port) not in tried for pod in self.pods)

    def wait_for_backend(self, connection: Connection) -> None:
        if connection not in self.waiting:
            self.waiting.add(connection)
            self.loop.call_later(1, self._again, connection)

    def stop_waiting(self, connection: Connection) -> None:
        self.waiting.discard(connection)

    def why_waiting(self, connection: Connection) -> str:
        return "nothing runs"

    def failed(self, connection: Connection, backend: Backend | None, words: str) -> None:
        self.failures[connection] = words

    def over(self, connection: Connection, backend: Backend | None) -> None:
        self.ended.append(connection)

    def _untried(self, tried: frozenset[Backend], connection: Connection) -> list[Backend]:
        port = self.programs[connection].port
        return [backend for pod in self.pods if (backend := Backend(pod, port)) not in tried]

    def _again(self, connection: Connection) -> None:
        if connection in self.waiting:
            self.waiting.discard(connection)
            connection.dial()

    # -- disturbances --

    async def disturb(self, steps: int) -> None:
        """Open connections, and break things meanwhile."""
        rng = self.rng
        for _ in range(steps):
            match rng.randrange(20):
                case 0 if self.wires:
                    rng.choice(self.wires).die(ConnectionResetError("reset"))
                case 1 if self.wires:
                    self._stall(rng.choice(self.wires), rng.choice((0.1, 5, 30)))
                case 2 if self.wires and rng.random() < 0.3:
                    self._stall(rng.choice(self.wires), TCP_TIMEOUT)
                case 3 if len(self.pods) > 1:
                    pod = self.pods.pop(rng.randrange(len(self.pods)))
                    self.lanes.forget(pod)
                case 4:
                    name = f"{rng.choice('abc')}{rng.randrange(3)}"
                    self.pods.append(PodRef("ns", name, name))
                case 5:
                    self.lanes.forget(rng.choice(self.pods))
                case _:
                    self.connect()
            await asyncio.sleep(rng.choice((0, 0, 0.01, 0.3, 3)))

    def _stall(self, wire: Wire, seconds: float) -> None:
        wire.stop(True)

        def go_on() -> None:
            if seconds == TCP_TIMEOUT:
                wire.die(TimeoutError("timed out"))
            else:
                wire.stop(False)

        if seconds < TCP_TIMEOUT or not self.kernel_tells:
            self.loop.call_later(seconds, go_on)
