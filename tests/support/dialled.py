"""Connections through real lanes to a PodServer, with a target that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from fairlead.dial.connection import Connection
from fairlead.dial.lane import Lane, LaneOwner
from fairlead.dial.pool import Lanes
from fairlead.errors import FairleadError
from fairlead.kit.tasks import Background
from fairlead.model.target import Backend, PodRef
from fairlead.net.buffer import ReadBuffer
from fairlead.net.carrier import PlainCarrier
from fairlead.net.local import LocalConnection
from tests.support.podserver import PodServer

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Aim:
    """A ``Target`` that offers ``backends`` and records what it is told."""

    backends: list[Backend] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    ended: int = 0
    waiting: list[Connection] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)

    def choose(self, tried: frozenset[Backend], connection: Connection) -> Backend | None:
        return next((backend for backend in self.backends if backend not in tried), None)

    def has_another(self, tried: frozenset[Backend]) -> bool:
        return any(backend not in tried for backend in self.backends)

    def wait_for_backend(self, connection: Connection) -> None:
        self.waiting.append(connection)

    def stop_waiting(self, connection: Connection) -> None:
        if connection in self.waiting:
            self.waiting.remove(connection)

    def answered(self, connection: Connection) -> None: ...

    def why_waiting(self, connection: Connection) -> str:
        return "nothing runs"

    def failed(self, connection: Connection, backend: Backend | None, words: str) -> None:
        self.failures.append(words)

    def over(self, connection: Connection, backend: Backend | None) -> None:
        self.ended += 1


@dataclass
class Rig:
    """Everything between a client socket and an app."""

    pod: PodServer
    lanes: Lanes
    aim: Aim
    buffer: ReadBuffer
    port: int = 0
    broken: FairleadError | None = None
    """What opening a lane raises."""
    opened: int = 0
    """Lanes asked for."""
    suspected: list[str] = field(default_factory=list)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Between two looks at a pod that left."""

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def echoed(self, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A client that said this to an echo, and had it back."""
        reader, writer = await self.connect()
        writer.write(data)
        assert await reader.readexactly(len(data)) == data
        return reader, writer

    async def until(self, condition: Callable[[], bool], seconds: float = 5.0) -> None:
        """Poll; a condition that does not come true in time fails the test."""
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.005)


def backend(port: int, name: str = "pod") -> Backend:
    return Backend(PodRef("ns", name, f"uid-{name}"), port)


@asynccontextmanager
async def rig(*, limit: int = 32, wait: float = 5.0) -> AsyncIterator[Rig]:
    loop = asyncio.get_running_loop()
    async with PodServer() as pod, Background() as tasks:
        buffer = ReadBuffer()
        aim = Aim()

        async def open_lane(ref: PodRef, owner: LaneOwner) -> Lane:
            made.opened += 1
            if made.broken is not None:
                raise made.broken

            def make() -> Lane:
                return Lane(buffer, owner, lambda lane: PlainCarrier(lane.session_receive))

            _, lane = await loop.create_connection(make, "127.0.0.1", pod.port)
            return lane

        made = Rig(pod, None, aim, buffer)  # type: ignore[arg-type]
        made.lanes = Lanes(
            tasks,
            open_lane,
            limit=limit,
            suspect=lambda reason, heard_at: made.suspected.append(reason),
            sleep=lambda seconds: made.sleep(seconds),
        )

        accepted: list[LocalConnection] = []

        def accept(local: LocalConnection) -> Connection:
            accepted.append(local)
            connection = Connection(local, aim, made.lanes, wait=wait)
            aim.connections.append(connection)
            connection.dial()
            return connection

        server = await loop.create_server(lambda: LocalConnection(buffer, accept), "127.0.0.1", 0)
        made.port = server.sockets[0].getsockname()[1]
        try:
            yield made
        finally:
            server.close()
            for connection in aim.connections:
                connection.cut()
            await made.lanes.close(1.0)
            for local in accepted:
                local.abort()  # also those that only wait for the client's end
            await made.until(lambda: all(local.lost for local in accepted))


@asynccontextmanager
async def app(serve: Serve) -> AsyncIterator[int]:
    """A program in the pod; gives its port."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@asynccontextmanager
async def serving(serve: Serve, *, limit: int = 32, wait: float = 5.0) -> AsyncIterator[Rig]:
    """A rig whose target is one pod with this program."""
    async with rig(limit=limit, wait=wait) as made, app(serve) as port:
        made.aim.backends = [backend(port)]
        yield made


async def expect_reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The client's connection is cut off, not ended."""
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()
