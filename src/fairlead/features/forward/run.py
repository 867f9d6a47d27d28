"""A run of ``forward``: resolve everything, bind everything, reach a pod of each target, then serve."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from fairlead.dial.connection import Connection
from fairlead.dial.route import Route
from fairlead.entry.listener import Listeners, parse_addresses
from fairlead.features.forward.target import Around, ForwardedTarget, Served
from fairlead.host.stdio import StandardStreams
from fairlead.kit.tasks import Background, together
from fairlead.model.events import Handling, Listening, Note, Ready, ReadyPort
from fairlead.model.target import PodRef
from fairlead.net.buffer import ReadBuffer
from fairlead.net.local import LocalConnection
from fairlead.policy.listeners import EVERYWHERE


class Started(NamedTuple):
    """What a run serves."""

    ports: tuple[tuple[ReadyPort, str], ...]
    """Each with its REMOTE as typed."""
    address: str
    """One to connect to; "" when nothing listens."""
    joined: asyncio.Future[int] | None
    """Done when the connection on standard input and output is over, with the exit code it means."""


class ForwardRun:
    """Everything that one run owns; ``stop`` undoes it."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._listeners = Listeners(ReadBuffer(), lambda text: around.report(Note(text)))
        self._targets: list[ForwardedTarget] = []
        self._streams: StandardStreams | None = None
        self._joined: asyncio.Future[int] | None = None

    async def start(self, tasks: Background) -> Started:
        """Have every port listen and every target reached; on an error nothing was served, and ``stop`` is due."""
        groups = parse_addresses(self._around.settings.addresses)
        specs = self._around.settings.targets
        self._targets = await together(
            [(ForwardedTarget.resolve(spec, self._around), f"resolve {spec}") for spec in specs]
        )
        for target in self._targets:
            target.bind(groups)
        pods = dict.fromkeys(target.backends.chosen for target in self._targets)
        await together([(self._around.lanes.warm(pod), f"reach {pod.name}") for pod in pods])
        # Until now a server that is away was an error of the start.
        self._around.server.on_unreachable = self._around.reach.suspect
        for target in self._targets:
            tasks.start(target.backends.run(), name=f"keep {target.spec}")
            tasks.start(target.keep_warm(), name=f"keep a lane to {target.spec}")
            for served in target.served:
                await self._serve(target, served, tasks)
        return self._started()

    async def stop(self, timeout: float) -> None:
        """Close listeners and connections, in ``timeout`` seconds at most; lanes are the owner's."""
        await self._listeners.close(timeout)
        for target in self._targets:
            target.close()

    async def drain(self) -> None:
        """Wait until everything that came for standard output is there."""
        if self._streams is not None:
            await self._streams.written()

    def server_back(self) -> None:
        """The API server answers again."""
        for target in self._targets:
            target.server_back()

    def lane_lost(self, pod: PodRef) -> None:
        """A lane ended by itself."""
        for target in self._targets:
            target.chill()

    async def _serve(self, target: ForwardedTarget, served: Served, tasks: Background) -> None:
        accept = self._acceptor(target, served.route)
        if served.bound is None:
            await self._join(served.route, accept)
            return
        await self._listeners.serve(served.bound, accept, tasks)
        for address in served.bound.addresses:
            self._around.report(Listening(str(target.spec), address, served.bound.port, served.port.remote))

    async def _join(self, route: Route, accept: Callable[[LocalConnection], Connection]) -> None:
        self._joined = done = asyncio.get_running_loop().create_future()
        route.on_over = lambda clean: None if done.done() else done.set_result(0 if clean else 1)
        self._streams = StandardStreams()
        self._streams.start()
        await self._listeners.adopt(self._streams.socket, accept)

    def _acceptor(self, target: ForwardedTarget, route: Route) -> Callable[[LocalConnection], Connection]:
        settings, lanes, report = self._around.settings, self._around.lanes, self._around.report
        handling, wait = Handling(route.local, str(target.spec)), settings.wait
        by_client = target.backends.affinity is not None and not settings.sticky

        def accept(local: LocalConnection) -> Connection:
            report(handling)
            connection = Connection(local, route, lanes, wait=wait, client=local.client if by_client else "")
            connection.dial()
            return connection

        return accept

    def _started(self) -> Started:
        ports = tuple(
            (ReadyPort(str(target.spec), served.route.local, served.port.remote), served.port.spec.remote)
            for target in self._targets
            for served in target.served
        )
        pods = tuple(target.backends.chosen.name for target in self._targets)
        self._around.report(Ready(tuple(port for port, _ in ports), pods))
        bound = [served.bound for target in self._targets for served in target.served if served.bound]
        address = bound[0].addresses[0] if bound else ""
        return Started(ports, EVERYWHERE.get(address, address), self._joined)
