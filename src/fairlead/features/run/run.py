"""A run: the clusters' names and addresses stand in the private network, and stay in line with the clusters."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from fairlead.dial.laptop import Connect, elsewhere, localhost
from fairlead.dial.upstream import Upstream
from fairlead.entry.listener import Listeners
from fairlead.features.names.context import NamedContext
from fairlead.features.names.watch import ServiceName
from fairlead.features.run.captured import Captured
from fairlead.features.run.files import Files
from fairlead.features.run.following import follow
from fairlead.features.run.inner_ports import InnerPorts
from fairlead.features.run.laptop_ports import LaptopPorts
from fairlead.features.run.names import Names
from fairlead.features.run.resolver import Resolver
from fairlead.host.listening import ListeningPorts
from fairlead.host.private.network import PrivateNetwork
from fairlead.kit.tasks import Background, stop, together
from fairlead.model.events import Note
from fairlead.model.service_events import ServiceEvent
from fairlead.net.buffer import ReadBuffer
from fairlead.policy.capture import CaptureRules
from fairlead.settings import RunSettings

PAUSE = 4.0
"""Times as long as we worked to take over a change, until the next is taken over."""


class Run:
    """Everything that one run owns but the network itself; ``stop`` undoes it."""

    def __init__(
        self,
        settings: RunSettings,
        network: PrivateNetwork,
        rules: CaptureRules,
        laptop: ListeningPorts,
        tasks: Background,
        report: Callable[[ServiceEvent], None],
    ) -> None:
        self.settings = settings
        self.tasks = tasks
        self.report = report
        self.buffer = ReadBuffer()
        self.contexts: list[NamedContext] = []
        own = rules.own
        self._listeners = Listeners(self.buffer, lambda text: report(Note(text, warning=True)))
        self._names = Names(settings, self.contexts, report)
        self._files = Files(network, self.contexts, ipv6=rules.ipv6)
        self._inner = InnerPorts(
            ListeningPorts(network.sockets["diag"]),
            laptop,
            network.outgoing,
            own,
            self._listeners,
            self.buffer,
            tasks,
            report,
        )
        self._outer = LaptopPorts(laptop, own, rules.listeners, network.change_rules, lambda: self._inner.bound)
        resolver = Resolver(self._names.zone, Upstream(lambda: self._files.resolv_conf))
        self._captured = Captured(network, self._names, resolver, self._listeners, self.buffer, tasks, report)
        self._make = network.outgoing
        self._wake = asyncio.Event()
        self._following: list[asyncio.Task[None]] = []

    async def read(self) -> None:
        """Read what there is; raises what a server refuses."""
        await together([(context.read(), f"read context {context.name}") for context in self.contexts])

    async def start(self) -> None:
        """Let all of it stand in the network, and follow the clusters from now on."""
        for scope in (context.scope for context in self.contexts):
            self._names.zone.serve(scope.domain if scope.main else f"{scope.domain}.{scope.label}")
        await self._files.look()
        await self._reconcile()
        self._tell_doubts()
        await self._captured.start()
        await self._outer.look()
        for context in self.contexts:
            context.watch.start(self.tasks)
            context.cluster.server.on_unreachable = context.cluster.reach.suspect
        self._follow(self._keep, "follow the clusters")
        self._follow(self._files.run, "follow the laptop's files")
        self._follow(self._inner.run, "listen for programs inside")
        self._follow(self._outer.run, "look at what listens on this laptop")

    def _follow(self, work: Callable[[], Awaitable[None]], name: str) -> None:
        self._following.append(self.tasks.start(follow(work, name, self.report), name=name))

    def changed(self, context: NamedContext, service: ServiceName) -> None:
        """This service may be another now."""
        self._names.changed(context, service)
        self._wake.set()

    def server_back(self, context: NamedContext) -> None:
        """Its API server answers again."""
        context.watch.kick()
        self._names.wake(context)

    def own(self, port: int) -> Connect:
        """What a service leads to that its user develops: a program inside if one listens there, else the laptop's."""
        host = self._inner.address_of(port)
        return localhost(port) if host is None else elsewhere(self._make, host, port)

    async def halt(self) -> None:
        """Follow nothing more: from now on all stays as it is, until ``stop``."""
        await stop(*self._following)

    async def stop(self, timeout: float) -> None:
        """Close listeners and connections, in ``timeout`` seconds at most."""
        self._captured.close()
        await self._listeners.close(timeout)
        self._names.cut()

    async def _keep(self) -> None:
        while True:
            await self._wake.wait()
            began = time.thread_time()
            await self._reconcile()
            # Where there is much to write, and more to come, connections are not to wait for it. What other programs
            # took of the machine does not count: connections would go on to pods that have ended.
            await asyncio.sleep(PAUSE * (time.thread_time() - began))

    async def _reconcile(self) -> None:
        """Bring what stands inside in line with what the clusters have."""
        self._wake.clear()
        if self._names.update():
            await self._files.names(self._names.hosts(), self._names.all())

    def _tell_doubts(self) -> None:
        namespaces: Sequence[str] = tuple(
            dict.fromkeys(each for context in self.contexts for each in context.namespaces)
        )
        for text in self._names.doubtful(namespaces):
            self.report(Note(text, warning=True))
        if text := self._names.nobody_alone():
            self.report(Note(text, warning=True))
