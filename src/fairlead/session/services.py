"""One run of ``services``."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeAlias

from fairlead.errors import CredentialsError
from fairlead.features.names.context import NamedContext
from fairlead.features.services.hosts import HostsFile
from fairlead.features.services.run import ServicesRun
from fairlead.host import descriptors, dirs
from fairlead.host.addresses import AddressBook
from fairlead.host.helper_start import Early
from fairlead.host.hosts import is_system
from fairlead.host.ready_file import ReadyFile, of_services
from fairlead.kit import process
from fairlead.kit.tasks import Background, stop
from fairlead.kube.client import ApiServer
from fairlead.model.events import Note
from fairlead.model.service_events import ServiceEvent
from fairlead.model.summary import Summary
from fairlead.net import loop
from fairlead.net.descriptors import require_minimum
from fairlead.session.clusters import close_lanes, contexts_of, learn_domains, load_all, quiet, servers_of
from fairlead.session.ending import Ending
from fairlead.session.helper import HelperKeeper
from fairlead.settings import ClusterOptions, ServicesSettings

CLOSE = 0.5
"""Seconds that closing politely may take at the end."""

Status: TypeAlias = Callable[[Callable[[], Summary]], Coroutine[Any, Any, None]]
"""Shows how all stands, as its argument tells, until it is cancelled."""


def run(
    settings: ServicesSettings,
    options: ClusterOptions,
    tell: Callable[[ServiceEvent], None],
    early: Early | None = None,
    status: Status | None = None,
) -> int:
    """Run one ``services`` to its end; the exit code. ``early`` is a helper that has root's rights already.

    ``status`` is kept running from when all is ready to the end.
    """
    gc.freeze()
    gc.enable()
    descriptors.raise_limit()
    require_minimum()
    # Whatever is said of it holds in every folder, and begins with a slash.
    settings = settings._replace(hosts_file=os.path.abspath(settings.hosts_file))
    if is_system(settings.hosts_file) and not settings.dry_run:
        # For the copy of that file. Looked at first: who cannot go on need not hear what else the folder is for.
        dirs.state(os.environ)
    if settings.command:
        process.require(settings.command[0])
    if settings.ready_file and not settings.dry_run:
        ReadyFile(settings.ready_file).claim()
    return loop.run(_Session(settings, options, tell, early, status).run())


class _Session:
    """One run, and what ends it."""

    def __init__(
        self,
        settings: ServicesSettings,
        options: ClusterOptions,
        tell: Callable[[ServiceEvent], None],
        early: Early | None,
        status: Status | None,
    ) -> None:
        self._settings = settings
        self._options = options
        self._tell = tell
        self._early = early
        self._status = status
        self._ready_file = ReadyFile(settings.ready_file) if settings.ready_file else None
        self._showing: asyncio.Task[None] | None = None
        self._contexts: list[NamedContext] = []
        self._tell_what_stays: Callable[[], None] = lambda: None

    async def run(self) -> int:
        """Start, serve, end; whatever happens, nothing is left."""
        configs = load_all(self._settings, self._options)
        self._ending = Ending(self._settings.command, on_signal=self._quiet, last=lambda: self._tell_what_stays())
        with self._ending.watching():
            async with servers_of(configs, stdin_free=self._stdin_free) as servers:
                try:
                    async with Background() as tasks:
                        return await self._run_with(servers, tasks)
                except CredentialsError:
                    if await self._ending.was_the_key():
                        return self._ending.before_ready()
                    raise

    async def _run_with(self, servers: Sequence[ApiServer], tasks: Background) -> int:
        self._tasks = tasks
        kept = [fixed.address for fixed in self._settings.reserve]
        book = AddressBook(os.environ, self._warn, kept=kept, look_only=self._settings.dry_run)
        path = self._settings.hosts_file
        hosts = HostsFile(None, self._tell, path)
        self._run = ServicesRun(self._settings, hosts, book, tasks, self._tell)
        self._helper = HelperKeeper(hosts, path, lambda: self._run.lowest_port, tasks, self._tell, self._early)
        self._tell_what_stays = self._helper.tell_what_stays
        self._contexts = contexts_of(self._run, servers, self._run.server_back)
        self._run.contexts += self._contexts
        try:
            return await self._serve(tasks)
        finally:
            await self._ending.end_command()
            await self._undo()

    async def _serve(self, tasks: Background) -> int:
        if not self._settings.command:
            tasks.start(self._ending.follow_output(), name="look whether the output is read")
        starting = tasks.start(self._start(), name="start")
        if await self._ending.first(starting):
            await stop(starting)
            return self._ending.before_ready()
        await starting
        if self._settings.dry_run:
            return 0
        if self._settings.command:
            return await self._ending.run_command({}, output=self._settings.output)
        return await self._ending.told

    async def _start(self) -> None:
        await self._run.read()
        await learn_domains(self._contexts, self._settings.cluster_domain)
        if self._settings.dry_run:
            await self._run.preview()
            self._helper.tell_what_is_left(self._settings.hosts_file)
            return
        await self._helper.start()
        await self._run.start()
        if self._ready_file is not None and not self._ready_file.write(of_services(self._run.listening(), os.getpid())):
            self._warn(f"nobody reads the pipe {self._settings.ready_file}, so that all is ready was not told there")
        if self._status is not None:
            self._showing = self._tasks.start(self._status(self._run.summary), name="show how all stands")

    async def _undo(self) -> None:
        if self._showing is not None:
            await stop(self._showing)
        try:
            await self._run.halt()
            if self._ready_file is not None:
                self._ready_file.remove()
            await self._helper.end()
        finally:
            await self._run.stop(CLOSE / 2)
            await close_lanes(self._contexts, CLOSE / 2)

    def _stdin_free(self) -> bool:
        return not self._ending.runs_command

    def _warn(self, text: str) -> None:
        self._tell(Note(text, warning=True))

    def _quiet(self) -> None:
        if not self._settings.command:
            quiet(self._contexts)
