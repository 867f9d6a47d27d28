"""The composition root: builds what a run needs, starts all of it or undoes all of it."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Callable
from typing import Any

from fairlead.dial.lane import Lane, LaneOwner
from fairlead.dial.podstreams import PodStreams
from fairlead.dial.pool import Lanes
from fairlead.dial.waymemory import FileMemory
from fairlead.errors import CredentialsError, LostError
from fairlead.features.forward.run import ForwardRun, Started
from fairlead.features.forward.target import Around
from fairlead.host import children, descriptors, signals
from fairlead.host.ready_file import ReadyFile
from fairlead.kit import log, process
from fairlead.kit.tasks import Background, stop
from fairlead.kube.client import ApiServer
from fairlead.kube.config import load
from fairlead.kube.reachability import Reachability
from fairlead.model.events import Event, Note, ServerBack, ServerLost
from fairlead.model.target import Local, PodRef
from fairlead.net import loop
from fairlead.net.descriptors import limit, require_minimum, require_spare
from fairlead.policy.command_env import command_env
from fairlead.policy.lanes import MAX_PER_SERVER
from fairlead.settings import ClusterOptions, ForwardSettings

LOG = log.get(__name__)
STDERR = 2
CLOSE = 0.5
"""Seconds that closing politely may take at the end, out of the one that a user is promised."""
SAME_KEY = 0.05
"""Seconds by which one process of a terminal may see a key later than another."""
CHILD_GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL for a command that outlives what it was started for."""


def run(settings: ForwardSettings, options: ClusterOptions, tell: Callable[[Event], None]) -> int:
    """Run one ``forward`` to its end; the exit code."""
    gc.freeze()
    gc.enable()
    descriptors.raise_limit()
    require_minimum()
    _check_machine(settings)
    return loop.run(_Session(settings, options, tell).run())


class _Session:
    """One run, and what ends it."""

    def __init__(self, settings: ForwardSettings, options: ClusterOptions, tell: Callable[[Event], None]) -> None:
        self._settings = settings
        self._options = options
        self._tell = tell
        self._ended: asyncio.Future[int] | None = None
        self._number = 0
        self._lanes: Lanes | None = None
        self._child: process.Child | None = None
        self._ready_file = ReadyFile(settings.ready_file) if settings.ready_file else None

    async def run(self) -> int:
        """Start, serve, end; whatever happens, nothing is left."""
        config = load(self._options, os.environ)
        self._ended = asyncio.get_running_loop().create_future()
        with signals.ending(asyncio.get_running_loop(), self._signal):
            async with ApiServer(config, stdin_free=self._stdin_free) as server:
                try:
                    async with Background() as tasks:
                        return await self._run_with(server, tasks)
                except CredentialsError:
                    # Ctrl-C in a terminal ends a credential plugin too, and that may be seen before our part of it.
                    await asyncio.wait([self._ended], timeout=SAME_KEY)
                    if self._ended.done():
                        return self._told_to_end()
                    raise
                finally:
                    server.connector.abandon()

    async def _run_with(self, server: ApiServer, tasks: Background) -> int:
        connector = server.connector
        reach = Reachability(
            tasks,
            connector.probe,
            server.answers,
            where=connector.where,
            on_lost=self._server_lost,
            on_back=self._server_back,
        )
        memory = FileMemory(str(server.config.server), os.environ)
        streams = PodStreams(server, memory, tls=server.config.server.secure)

        async def open_lane(pod: PodRef, owner: LaneOwner) -> Lane:
            await reach.wait_up()
            require_spare()
            return await streams.open_lane(pod, owner)

        lanes = Lanes(
            tasks,
            open_lane,
            limit=self._settings.lanes,
            # Idle lanes are kept for a while: they must not take what the next connections need.
            total=min(MAX_PER_SERVER, limit() // 4),
            suspect=reach.suspect,
            on_lost=self._lane_lost,
        )
        self._tasks = tasks
        self._server = server
        self._lanes = lanes
        self._forward = ForwardRun(Around(self._settings, server, lanes, reach, self._tell, self._lose))
        try:
            return await self._serve(tasks)
        finally:
            if self._ready_file is not None:
                self._ready_file.remove()
            if self._child is not None:
                await self._child.end(grace=CHILD_GRACE)
            await self._forward.stop(CLOSE / 2)
            await lanes.close(CLOSE / 2)

    async def _serve(self, tasks: Background) -> int:
        assert self._ended is not None
        starting = tasks.start(self._forward.start(tasks), name="start")
        await _first(starting, self._ended)
        if self._ended.done():
            await stop(starting)
            return self._told_to_end()
        started = await starting
        if self._ready_file is not None and not self._ready_file.write([port for port, _ in started.ports]):
            path = self._settings.ready_file
            self._tell(Note(f"nobody reads the pipe {path}, so that all is ready was not told there"))
        if self._settings.command:
            return await self._run_command(started)
        if started.joined is None:
            return await self._ended
        await _first(started.joined, self._ended)
        if not started.joined.done():
            return self._ended.result()
        drained = tasks.start(self._forward.drain(), name="drain standard output")
        await _first(drained, self._ended)
        return self._ended.result() if self._ended.done() else started.joined.result()

    async def _run_command(self, started: Started) -> int:
        env = command_env(started.address, started.ports)
        child = self._child = await process.start(
            self._settings.command,
            env={**os.environ, **env},
            # The stream that holds events holds nothing else.
            stdout=STDERR if self._settings.output == "json" else None,
            # At a terminal it stays in the job that the shell and the keys know; elsewhere signals go to all of it.
            own_group=not children.has_terminal(),
            in_child=children.ends_with_us(),
        )
        assert self._ended is not None
        if self._ended.done():
            # The signal came while the command was being started, too early to reach it: it was meant for it.
            child.send(self._number)
        code = await child.wait()
        self._child = None
        return code

    def _told_to_end(self) -> int:
        """The exit code of a run that a signal ended before all was ready."""
        assert self._ended is not None
        # A command that never ran has not succeeded: 130, as a shell has it, and not kubectl's 0.
        return self._ended.result() or (128 + signal.SIGINT if self._settings.command else 0)

    def _stdin_free(self) -> bool:
        """Whether a credential plugin may ask on standard input: not when a command or a connection has it."""
        joined = any(port.local is Local.STDIO for target in self._settings.targets for port in target.ports)
        return self._child is None and not joined

    # -- what may end a run --

    def _signal(self, number: int) -> bool:
        if self._child is not None:
            self._child.pass_on(number)
            return False
        if self._ended is not None and not self._ended.done():
            self._number = number
            # A command that is just being started gets the signal, and may go on.
            if self._lanes is not None and not self._settings.command:
                self._lanes.quiet()
            self._ended.set_result(signals.exit_code(number))
        return True

    def _server_lost(self, reason: str) -> None:
        self._tell(ServerLost(reason))

    def _server_back(self, after: float) -> None:
        self._tell(ServerBack(after))
        self._server.forget_connections()
        self._forward.server_back()

    def _lane_lost(self, pod: PodRef, reason: str) -> None:
        LOG.decision("a lane to pod %s ended: %s", pod.name, reason)
        self._forward.lane_lost(pod)
        self._lose()

    def _lose(self) -> None:
        if self._settings.exit_on_loss:
            self._tasks.start(_raise(LostError("lost connection to pod")), name="end with the pod")


def _check_machine(settings: ForwardSettings) -> None:
    """Raise MachineError for what would fail when all is ready; the cluster need not be asked before that is known."""
    if settings.command:
        process.require(settings.command[0])
    if settings.ready_file:
        ReadyFile(settings.ready_file).claim()


async def _first(*futures: asyncio.Future[Any]) -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)


async def _raise(error: Exception) -> None:
    raise error
