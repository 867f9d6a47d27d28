"""A run of ``forward``: resolve everything, bind everything, reach a pod of each target, then serve."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fairlead.dial.backends import Backends, Rules
from fairlead.dial.connection import Connection
from fairlead.dial.pool import Lanes
from fairlead.entry.listener import Bound, Group, bind, parse_addresses, serve
from fairlead.errors import FairleadError
from fairlead.features.forward.port import ForwardedPort
from fairlead.host.stdio import StandardStreams
from fairlead.kit.tasks import Background, spawn
from fairlead.kube.client import ApiServer
from fairlead.kube.reachability import Reachability
from fairlead.model.events import Event, Handling, Listening, Note, PodGone, PodNew, Ready, ReadyPort, Waiting
from fairlead.model.target import Local, PodRef, PortSpec, TargetPort, TargetSpec
from fairlead.net.buffer import ReadBuffer
from fairlead.net.local import LocalConnection
from fairlead.policy.candidates import Moved
from fairlead.policy.choose import Choice
from fairlead.settings import ForwardSettings

T = TypeVar("T")


@dataclass(slots=True)
class _Target:
    spec: TargetSpec
    backends: Backends
    ports: list[tuple[TargetPort, ForwardedPort, Bound | None]] = field(default_factory=list)
    in_use: Counter[PodRef] = field(default_factory=Counter)
    left: set[PodRef] = field(default_factory=set)
    """Pods of which was told that they take no new connections."""
    cold: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the lane that is kept open may have to be made anew."""


@dataclass(frozen=True, slots=True)
class Started:
    """What a run serves."""

    ports: tuple[ReadyPort, ...]
    specs: tuple[PortSpec, ...]
    """As typed, in the same order."""
    address: str
    """One to connect to; "" when nothing listens."""
    joined: asyncio.Future[int] | None
    """Done when the connection on standard input and output is over, with the exit code it means."""


class ForwardRun:
    """Everything that one run owns; ``stop`` undoes it."""

    def __init__(
        self,
        settings: ForwardSettings,
        server: ApiServer,
        lanes: Lanes,
        reach: Reachability,
        report: Callable[[Event], None],
    ) -> None:
        self._settings = settings
        self._server = server
        self._lanes = lanes
        self._reach = reach
        self._report = report
        self._buffer = ReadBuffer()
        self._targets: list[_Target] = []
        self._servers: list[asyncio.AbstractServer] = []
        self._joined: asyncio.Future[int] | None = None
        self._streams: StandardStreams | None = None

    async def start(self, tasks: Background) -> Started:
        """Have every port listen and every target reached; on an error nothing was served."""
        groups = parse_addresses(self._settings.addresses)
        self._targets = await self._resolve()
        for target in self._targets:
            for port in target.backends.ports:
                self._bind(target, port, groups)
        await self._reach_pods()
        for target in self._targets:
            tasks.start(target.backends.run(), name=f"keep {target.spec}")
            tasks.start(self._keep_warm(target), name=f"keep a lane to {target.spec}")
            await self._serve(target)
        return self._started()

    def _started(self) -> Started:
        served = [(target, port, forwarded) for target in self._targets for port, forwarded, _ in target.ports]
        ports = tuple(ReadyPort(str(target.spec), forwarded.local, port.remote) for target, port, forwarded in served)
        self._report(Ready(ports, tuple(target.backends.chosen.name for target in self._targets)))
        addresses = [
            str(sock.getsockname()[0])
            for target in self._targets
            for *_, bound in target.ports
            if bound
            for sock in bound.sockets
        ]
        return Started(ports, tuple(port.spec for _, port, _ in served), next(iter(addresses), ""), self._joined)

    def stop(self) -> None:
        """Close listeners and connections; lanes are the owner's."""
        for server in self._servers:
            server.close()
        for target in self._targets:
            for _, forwarded, bound in target.ports:
                if bound is not None:
                    bound.close()
                forwarded.close()

    async def drain(self) -> None:
        """Wait until everything that came for standard output is there."""
        if self._streams is not None:
            await self._streams.written()

    def server_back(self) -> None:
        """The API server answers again."""
        for target in self._targets:
            target.backends.kick()
            target.cold.set()
            self._wake(target)

    def lane_lost(self, pod: PodRef) -> None:
        """A lane ended by itself."""
        for target in self._targets:
            target.cold.set()

    # -- starting --

    async def _resolve(self) -> list[_Target]:
        async def one(spec: TargetSpec) -> _Target:
            made: list[_Target] = []

            def moved(change: Moved) -> None:
                if made:
                    self._moved(made[0], change)

            settings = self._settings
            rules = Rules(
                pod_running_timeout=settings.pod_running_timeout,
                follow=settings.follow,
                exit_on_loss=settings.exit_on_loss,
            )
            backends = await Backends.resolve(
                self._server,
                spec,
                self._server.config.namespace,
                rules,
                on_moved=moved,
                on_note=lambda text: self._report(Note(text)),
            )
            made.append(_Target(spec, backends))
            return made[0]

        return await _all([(one(spec), f"resolve {spec}") for spec in self._settings.targets])

    def _bind(self, target: _Target, port: TargetPort, groups: list[Group]) -> None:
        affinity = math.inf if self._settings.sticky else target.backends.affinity
        forwarded = ForwardedPort(
            target.backends,
            port,
            choice=Choice(affinity),
            in_use=target.in_use,
            report=self._report,
            server_up=lambda: self._reach.up,
        )
        bound = None
        if port.local is not Local.STDIO:
            bound = bind(port.local if isinstance(port.local, int) else 0, groups)
            forwarded.local = bound.port
            for sentence in bound.missing:
                self._report(Note(f"{sentence}; localhost is served on the other address only"))
        target.ports.append((port, forwarded, bound))

    async def _reach_pods(self) -> None:
        pods = dict.fromkeys(target.backends.chosen for target in self._targets)
        await _all([(self._lanes.warm(pod), f"reach {pod.name}") for pod in pods])

    async def _keep_warm(self, target: _Target) -> None:
        """Keep a lane open to a pod: the next connection starts at once, and a dead network is noticed."""
        tries = 0
        while True:
            await target.cold.wait()
            target.cold.clear()
            await self._reach.wait_up()
            pod = next((found.pod for port, *_ in target.ports for found in target.backends.ready(port)), None)
            if pod is None:
                continue
            try:
                await self._lanes.warm(pod)
                tries = 0
            except FairleadError:
                # What it means is told by whoever needs a lane; here it only costs time.
                tries += 1
                asyncio.get_running_loop().call_later(min(2.0**tries, 30.0), target.cold.set)

    async def _serve(self, target: _Target) -> None:
        for port, forwarded, bound in target.ports:
            accept = self._acceptor(forwarded)
            if bound is None:
                self._joined = await self._join(forwarded, accept)
                continue
            self._servers += await serve(bound, self._buffer, accept)
            for sock in bound.sockets:
                address = sock.getsockname()[0]
                self._report(Listening(str(target.spec), address, bound.port, port.remote))

    async def _join(
        self, forwarded: ForwardedPort, accept: Callable[[LocalConnection], Connection]
    ) -> asyncio.Future[int]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[int] = loop.create_future()
        forwarded.on_over = lambda ok: None if done.done() else done.set_result(0 if ok else 1)
        self._streams = streams = StandardStreams()
        streams.start()
        await loop.connect_accepted_socket(lambda: LocalConnection(self._buffer, accept), streams.socket)
        return done

    def _acceptor(self, forwarded: ForwardedPort) -> Callable[[LocalConnection], Connection]:
        handling, wait, lanes, report = Handling(forwarded.local), self._settings.wait, self._lanes, self._report
        clients = self._settings.sticky

        def accept(local: LocalConnection) -> Connection:
            report(handling)
            connection = Connection(local, forwarded, lanes, wait=wait, client="" if clients else local.client)
            connection.dial()
            return connection

        return accept

    # -- changes --

    def _moved(self, target: _Target, change: Moved) -> None:
        name = str(target.spec)
        for pod, reason in change.left:
            self._report(PodGone(name, pod.name, reason))
            target.left.add(pod)
            self._lanes.forget(pod)
        for pod, reason in change.gone:
            # Of a pod that takes no new connections any more, its end is no news.
            if pod not in target.left:
                self._report(PodGone(name, pod.name, reason))
            target.left.discard(pod)
            self._lanes.forget(pod)
        ready = {found.pod for port, *_ in target.ports for found in target.backends.ready(port) if not found.fallback}
        for pod in change.new:
            # One that is only the best of those that are not ready is told of when a connection takes it.
            if pod in ready:
                target.left.discard(pod)
                self._report(PodNew(name, pod.name))
        if not any(target.backends.ready(port) for port, _, _ in target.ports):
            reason = target.backends.why_not(target.ports[0][0]) if target.ports else ""
            self._report(Waiting(name, reason, self._settings.wait))
        target.cold.set()
        self._wake(target)

    def _wake(self, target: _Target) -> None:
        for _, forwarded, _ in target.ports:
            forwarded.wake()


async def _all(jobs: Sequence[tuple[Coroutine[Any, Any, T], str]]) -> list[T]:
    """Run jobs together; the first FairleadError comes out as itself and ends the others."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [spawn(group, job, name=name) for job, name in jobs]
    except* FairleadError as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]
