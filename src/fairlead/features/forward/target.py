"""One target of a run: its pods, its ports, and what is told when the pods change."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from fairlead.dial.backends import Backends, Rules
from fairlead.dial.pool import Lanes
from fairlead.dial.route import Route
from fairlead.entry.listener import Bound, Group, bind
from fairlead.errors import FairleadError, NotFoundError
from fairlead.features.forward.missing import explained
from fairlead.kit import log
from fairlead.kube.client import ApiServer
from fairlead.kube.reachability import Reachability
from fairlead.model.events import Event, Note, PodGone, PodNew, Waiting
from fairlead.model.target import Local, PodRef, TargetPort, TargetSpec
from fairlead.policy.candidates import Moved
from fairlead.policy.choose import Choice
from fairlead.settings import ForwardSettings

LOG = log.get(__name__)
MAX_PAUSE = 30.0
"""Seconds between two attempts to have a lane ready, after the first few."""


class Around(NamedTuple):
    """What all targets of a run share."""

    settings: ForwardSettings
    server: ApiServer
    lanes: Lanes
    reach: Reachability
    report: Callable[[Event], None]
    lose: Callable[[], None]
    """With --exit-on-loss, end the run as kubectl does when its connection to the pod is lost."""


class Served(NamedTuple):
    """One port of a target; ``bound`` is None where standard input and output take the listener's place."""

    port: TargetPort
    route: Route
    bound: Bound | None


class ForwardedTarget:
    """A target that was resolved; ``bind`` gives it its local ports."""

    backends: Backends

    def __init__(self, spec: TargetSpec, around: Around) -> None:
        self.spec = spec
        self.served: list[Served] = []
        self._around = around
        self._report = around.report
        self._in_use: Counter[PodRef] = Counter()
        self._left: set[PodRef] = set()
        self._cold = asyncio.Event()
        self._said_waiting = False

    @classmethod
    async def resolve(cls, spec: TargetSpec, around: Around) -> ForwardedTarget:
        """Find the target and wait until a pod of it runs; raises what ``Backends.resolve`` does."""
        self = cls(spec, around)
        settings = around.settings
        rules = Rules(
            pod_running_timeout=settings.pod_running_timeout,
            follow=settings.follow,
            exit_on_loss=settings.exit_on_loss,
        )
        try:
            self.backends = await Backends.resolve(
                around.server,
                spec,
                around.server.config.namespace,
                rules,
                on_moved=self._moved,
                on_note=lambda text: around.report(Note(text)),
            )
        except NotFoundError as error:
            raise await explained(error, spec, around.server) from None
        pods = dict.fromkeys(found.pod.name for port in self.backends.ports for found in self.backends.ready(port))
        LOG.decision("%s: kubectl would take pod %s; used are %s", spec, self.backends.chosen.name, ", ".join(pods))
        return self

    def bind(self, groups: list[Group]) -> None:
        """Bind every port; raises ListenError, and ``close`` undoes what was bound."""
        for port in self.backends.ports:
            bound = None
            if port.local is not Local.STDIO:
                bound = bind(port.local if isinstance(port.local, int) else 0, groups)
            self.served.append(Served(port, self._route(port, bound), bound))
            if bound is not None:
                for sentence in bound.missing:
                    self._report(Note(f"{sentence}; localhost is served on {bound.addresses[0]} alone"))

    def _route(self, port: TargetPort, bound: Bound | None) -> Route:
        return Route(
            self.backends,
            port,
            local=bound.port if bound else 0,
            choice=Choice(math.inf if self._around.settings.sticky else self.backends.affinity),
            in_use=self._in_use,
            report=self._report,
            server_up=lambda: self._around.reach.up,
            # kubectl gives the pod up after any error text, be it one refused connection.
            on_error=self._around.lose,
        )

    def close(self) -> None:
        """Stop listening and cut what is open."""
        for served in self.served:
            if served.bound is not None:
                served.bound.close()
            served.route.close()

    def wake(self) -> None:
        """Something changed: whoever waits tries again."""
        for served in self.served:
            served.route.wake()

    def server_back(self) -> None:
        """The API server answers again."""
        self.backends.kick()
        self.chill()
        self.wake()

    def chill(self) -> None:
        """The lane that is kept open may be gone."""
        self._cold.set()

    async def keep_warm(self) -> None:
        """Keep a lane open to one pod: the next connection starts at once, and a dead network is noticed."""
        tries = 0
        pod: PodRef | None = self.backends.chosen
        while True:
            await self._cold.wait()
            self._cold.clear()
            await self._around.reach.wait_up()
            ready = [found.pod for each in self.served for found in self.backends.ready(each.port)]
            if pod not in ready:
                pod = next(iter(ready), None)
            if pod is None:
                continue  # the next change sets it again
            try:
                await self._around.lanes.warm(pod)
                tries = 0
            except FairleadError:
                # What it means is told by whoever needs a lane; here it only costs time.
                tries += 1
                asyncio.get_running_loop().call_later(min(2.0**tries, MAX_PAUSE), self._cold.set)

    def _moved(self, change: Moved) -> None:
        name = str(self.spec)
        for pod, reason in change.left:
            self._report(PodGone(name, pod.name, reason))
            self._left.add(pod)
            self._around.lanes.forget(pod)
        for pod, reason in change.gone:
            # Of a pod that takes no new connections any more, its end is no news.
            if pod not in self._left:
                self._report(PodGone(name, pod.name, reason))
            self._left.discard(pod)
            self._around.lanes.forget(pod)
        found = [found for each in self.served for found in self.backends.ready(each.port)]
        ready = {each.pod for each in found if not each.fallback}
        for pod in change.new:
            self._around.lanes.meet(pod)
            # One that is only the best of those that are not ready is told of when a connection takes it.
            if pod in ready:
                self._left.discard(pod)
                self._report(PodNew(name, pod.name))
        if not found and self.served and not self._said_waiting and not self.backends.leaving:
            self._report(Waiting(name, self.backends.why_not(self.served[0].port), self._around.settings.wait))
        self._said_waiting = not found
        self.chill()
        self.wake()
