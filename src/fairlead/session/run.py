"""One run of ``run``: a private network, and the command in it."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Callable, Coroutine, Sequence
from contextlib import closing
from typing import Any, NoReturn

from fairlead.errors import CredentialsError, MachineError
from fairlead.features.run import files
from fairlead.features.run.run import Run
from fairlead.host import descriptors, signals
from fairlead.host.listening import NETLINK_SOCK_DIAG, ListeningPorts
from fairlead.host.private.laptop import capture_rules
from fairlead.host.private.network import PrivateNetwork
from fairlead.kit import process
from fairlead.kit.tasks import Background, stop
from fairlead.kube.client import ApiServer
from fairlead.kube.config import ClusterConfig
from fairlead.model.events import Note
from fairlead.model.service_events import ServiceEvent
from fairlead.net import loop
from fairlead.net.descriptors import require_minimum
from fairlead.policy.capture import CaptureRules
from fairlead.policy.few import few
from fairlead.policy.listeners import of_this_machine
from fairlead.session.clusters import close_lanes, contexts_of, learn_domains, load_all, servers_of
from fairlead.session.ending import Ending
from fairlead.settings import ClusterOptions, RunSettings

CLOSE = 0.5
"""Seconds that closing politely may take at the end."""
LOOK = 0.25
"""Seconds from one look at what the command left running to the next."""


def run(settings: RunSettings, options: ClusterOptions, tell: Callable[[ServiceEvent], None]) -> int:
    """Run one command to its end; its exit code. Raises KeyboardInterrupt where a key of the terminal ended it all."""
    gc.freeze()
    gc.enable()
    descriptors.raise_limit()
    require_minimum()
    process.require(settings.command[0])
    configs = load_all(settings, options)
    asked = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
    with closing(ListeningPorts(asked)) as laptop:
        rules = capture_rules(lambda own: of_this_machine(laptop.now(), frozenset(own)))
        with signals.held_back() as let_through:
            network = PrivateNetwork.start(rules, files.laptops())
            session = _Session(settings, configs, network, rules, laptop, tell)
            code = loop.run(session.run(let_through))
    if session.interrupted:
        raise KeyboardInterrupt
    return code


class _Session:
    """One run, and what ends it."""

    def __init__(
        self,
        settings: RunSettings,
        configs: Sequence[ClusterConfig],
        network: PrivateNetwork,
        rules: CaptureRules,
        laptop: ListeningPorts,
        tell: Callable[[ServiceEvent], None],
    ) -> None:
        self._settings = settings
        self._configs = configs
        self._network = network
        self._rules = rules
        self._laptop = laptop
        self._tell = tell
        self.interrupted = False
        """A key of the terminal ended the command, or the run before that."""

    async def run(self, let_through: Callable[[], None]) -> int:
        """Make the network, serve it, run the command; whatever happens, nothing is left.

        ``let_through`` is called when signals are taken.
        """
        self._ending = Ending(self._settings.command)
        with self._ending.watching():
            let_through()
            try:
                async with servers_of(self._configs, stdin_free=lambda: not self._ending.runs_command) as servers:
                    try:
                        async with Background() as tasks:
                            if await self._is_told_before(tasks, self._network.made(), "make the private network"):
                                return self._ending.before_ready()
                            return await self._run_with(servers, tasks)
                    except CredentialsError:
                        if await self._ending.was_the_key():
                            return self._ending.before_ready()
                        raise
            finally:
                self.interrupted = self._ending.interrupted
                await self._network.close()

    async def _run_with(self, servers: Sequence[ApiServer], tasks: Background) -> int:
        self._run = Run(self._settings, self._network, self._rules, self._laptop, tasks, self._tell)
        try:
            self._run.contexts += contexts_of(self._run, servers, self._run.server_back, pods=True)
            tasks.start(self._end_with_network(), name="look after the private network")
            return await self._serve(tasks)
        finally:
            await self._ending.end_command()
            await self._network.end_rest()
            await self._run.halt()
            await self._run.stop(CLOSE / 2)
            await close_lanes(self._run.contexts, CLOSE / 2)

    async def _serve(self, tasks: Background) -> int:
        if await self._is_told_before(tasks, self._start(), "start"):
            return self._ending.before_ready()
        code = await self._ending.run_command({}, enter=self._network.enter())
        if code == 0:
            await self._is_told_before(tasks, self._rest(), "wait for what still runs")
        return code

    async def _is_told_before(self, tasks: Background, work: Coroutine[Any, Any, None], name: str) -> bool:
        """Do this; whether the run was told to end before it was done, or by then."""
        task = tasks.start(work, name=name)
        if await self._ending.first(task):
            await stop(task)
            return True
        await task
        return False

    async def _start(self) -> None:
        await self._run.read()
        await learn_domains(self._run.contexts, self._settings.cluster_domain)
        await self._run.start()

    async def _rest(self) -> None:
        """A command may end well and leave programs running, as daemons do: they have the network until they end."""
        looks = 0
        while left := await self._network.left():
            looks += 1
            if looks == 2:  # what was started last may not have been at the first the program that it became
                what = few(left)
                text = f"the command has ended and left {what} running; this goes on until they end, or Ctrl-C"
                self._tell(Note(text, warning=True))
            await asyncio.sleep(LOOK)

    async def _end_with_network(self) -> NoReturn:
        await self._network.gone()
        raise MachineError("the process that holds the private network was killed, so the command was ended")
