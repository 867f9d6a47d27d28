"""One run of ``forward``."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable

from fairlead.dial.cluster import Cluster
from fairlead.errors import CredentialsError, LostError
from fairlead.features.forward.run import ForwardRun, Started
from fairlead.features.forward.target import Around
from fairlead.host import descriptors
from fairlead.host.ready_file import ReadyFile, of_ports
from fairlead.kit import log, process
from fairlead.kit.tasks import Background, stop
from fairlead.kube.client import ApiServer
from fairlead.kube.config import load
from fairlead.model.events import Event, Note, ServerBack, ServerLost
from fairlead.model.target import Local, PodRef
from fairlead.net import loop
from fairlead.net.descriptors import require_minimum
from fairlead.policy.command_env import command_env
from fairlead.session.ending import Ending
from fairlead.settings import ClusterOptions, ForwardSettings

LOG = log.get(__name__)
CLOSE = 0.5
"""Seconds that closing politely may take at the end, out of the one that a user is promised."""


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
        self._cluster: Cluster | None = None
        self._ready_file = ReadyFile(settings.ready_file) if settings.ready_file else None
        self._joined = any(port.local is Local.STDIO for target in settings.targets for port in target.ports)
        """A connection has standard input and output."""

    async def run(self) -> int:
        """Start, serve, end; whatever happens, nothing is left."""
        config = load(self._options, os.environ)
        self._ending = Ending(self._settings.command, on_signal=self._quiet)
        with self._ending.watching():
            async with ApiServer(config, stdin_free=self._stdin_free) as server:
                try:
                    async with Background() as tasks:
                        return await self._run_with(server, tasks)
                except CredentialsError:
                    if await self._ending.was_the_key():
                        return self._ending.before_ready()
                    raise
                finally:
                    server.connector.abandon()

    async def _run_with(self, server: ApiServer, tasks: Background) -> int:
        cluster = self._cluster = Cluster(
            server,
            tasks,
            os.environ,
            per_pod=self._settings.lanes,
            on_lost=lambda reason: self._tell(ServerLost(reason, server.config.context)),
            on_back=lambda after: self._server_back(ServerBack(after, server.config.context)),
            on_lane_lost=self._lane_lost,
        )
        self._tasks = tasks
        self._forward = ForwardRun(Around(self._settings, server, cluster.lanes, cluster.reach, self._tell, self._lose))
        try:
            return await self._serve(tasks)
        finally:
            if self._ready_file is not None:
                self._ready_file.remove()
            await self._ending.end_command()
            await self._forward.stop(CLOSE / 2)
            await cluster.lanes.close(CLOSE / 2)

    async def _serve(self, tasks: Background) -> int:
        ending = self._ending
        if not self._settings.command and not self._joined:
            tasks.start(ending.follow_output(), name="look whether the output is read")
        starting = tasks.start(self._forward.start(tasks), name="start")
        if await ending.first(starting):
            await stop(starting)
            return ending.before_ready()
        started = await starting
        self._tell_ready_file(started)
        if self._settings.command:
            env = command_env(started.address, started.ports)
            return await ending.run_command(env, output=self._settings.output)
        if started.joined is None:
            return await ending.told
        await ending.first(started.joined)
        if not started.joined.done():
            return ending.told.result()
        drained = tasks.start(self._forward.drain(), name="drain standard output")
        return ending.told.result() if await ending.first(drained) else started.joined.result()

    def _tell_ready_file(self, started: Started) -> None:
        ports = of_ports([port for port, _ in started.ports], os.getpid())
        if self._ready_file is not None and not self._ready_file.write(ports):
            path = self._settings.ready_file
            self._tell(Note(f"nobody reads the pipe {path}, so that all is ready was not told there"))

    def _stdin_free(self) -> bool:
        """Whether a credential plugin may ask on standard input: not when a command or a connection has it."""
        return not self._ending.runs_command and not self._joined

    # -- what may end a run --

    def _quiet(self) -> None:
        # A command that is just being started gets the signal, and may go on.
        if self._cluster is not None and not self._settings.command:
            self._cluster.lanes.quiet()

    def _server_back(self, event: ServerBack) -> None:
        self._tell(event)
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


async def _raise(error: Exception) -> None:
    raise error
