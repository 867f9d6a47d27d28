"""Programs, lanes and pods in memory, whose every step a seed decides; what is between them is the real data path.

Time is virtual, and nothing touches a socket: a seed gives the same run each time. Each connection has a port of its
own, so that what a pod got can be held against what the program said.
"""

from __future__ import annotations

import asyncio
from random import Random

from fairlead.dial.connection import Connection
from fairlead.dial.lane import Lane, LaneOwner
from fairlead.dial.pool import Lanes
from fairlead.errors import ApiError, FairleadError, NotFoundError, UnreachableError
from fairlead.kit.tasks import Background
from fairlead.model.target import Backend, PodRef
from fairlead.net.buffer import ReadBuffer
from fairlead.net.carrier import PlainCarrier
from tests.support.program import Program
from tests.support.simulated_pod import APPS, App
from tests.support.simulated_wire import TCP_TIMEOUT, Wire


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
        self.lanes = Lanes(tasks, self._open_lane, limit=limit, suspect=lambda reason, heard_at: None)

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

    def answered(self, connection: Connection) -> None: ...

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
