"""One address of the laptop as it is: its listening ports, and where their connections go."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple, Protocol

from fairlead.dial.cluster import Cluster
from fairlead.dial.connection import Connection
from fairlead.dial.laptop import Joined
from fairlead.dial.route import Route
from fairlead.entry.listener import Bound, Listeners
from fairlead.kit.tasks import Background
from fairlead.model.events import ConnectionFailed, Event, Handling, Waiting
from fairlead.model.named import GroupKey
from fairlead.model.objects import Stopped
from fairlead.model.service_events import Forwarding, ServiceEvent, ServiceState, StoppedForwarding
from fairlead.model.target import Backend, PodRef, PortSpec, TargetPort
from fairlead.net.buffer import ReadBuffer
from fairlead.net.local import LocalConnection
from fairlead.net.stream import RemoteEnd
from fairlead.policy.choose import Choice
from fairlead.policy.plan import Group, NamedPort


class Around(Protocol):
    """What the groups of a context share."""

    cluster: Cluster
    listeners: Listeners
    buffer: ReadBuffer
    tasks: Background
    wait: float
    """Seconds that a connection waits while no pod is ready."""

    def report(self, event: ServiceEvent, /) -> None:
        """Tell the user."""

    def doubt(self, namespace: str) -> None:
        """Look whether the pods of this namespace are still there."""


class Told(NamedTuple):
    """What was said of one port."""

    label: str
    to: tuple[str, ...]


class ServedGroup:
    """``key`` on ``address``; ``apply`` makes it what the plan says."""

    def __init__(self, key: GroupKey, address: str, around: Around) -> None:
        self.key = key
        self.address = address
        self.label = key.service
        """The shortest of its names."""
        self.names: tuple[str, ...] = ()
        self.ports: dict[int, ServedPort] = {}
        self._around = around
        self._in_use: Counter[PodRef] = Counter()
        self._told: dict[int, Told] = {}
        self._state = ""

    @property
    def listens(self) -> bool:
        """Whether anything does: a name that leads nowhere else could lead to a stranger on all addresses."""
        return bool(self.ports)

    @property
    def known(self) -> str:
        """The state that was told last; "" before anything listens."""
        return self._state

    def keep_only(self, group: Group) -> None:
        """Listen no more on ports that it has no more."""
        wanted = {port.number for port in group.ports}
        for number in [number for number in self.ports if number not in wanted]:
            self._close(number)

    async def apply(self, group: Group, bound: dict[int, Bound]) -> None:
        """Serve these ports; ``bound`` are those that listen from now on."""
        wanted = {port.number: port for port in group.ports}
        for number, socket in bound.items():
            if number in self.ports or number not in wanted:
                socket.close()
                continue
            served = self.ports[number] = ServedPort(self, wanted[number], self._around, self._in_use)
            await self._around.listeners.serve(socket, served.accept, self._around.tasks)
            served.bound = socket
        for number, served in self.ports.items():
            served.update(wanted[number], group.affinity)

    def tell(self, group: Group) -> None:
        """Say where each port leads, where that is news."""
        for port in group.ports:
            if port.number in self.ports and not port.direct:
                to = _destinations(port)
                told = Told(self.label, to)
                if to and self._told.get(port.number) != told:
                    self._say(group, port, to)
                self._told[port.number] = told
        ready = any(port.own or port.backends for port in group.ports if port.number in self.ports)
        if not self.ports:
            return
        if not ready:
            if self._state != "waiting":
                self._around.report(Waiting(self.label, _not_ready(self.key), self._around.wait))
            self.state("waiting", _not_ready(self.key))
        elif self._state in ("", "waiting"):
            self.state("ready")

    def preview(self, group: Group) -> None:
        """Say where each port would lead."""
        for port in group.ports:
            to = _destinations(port)
            if to and not port.direct:
                self._say(group, port, to)
        if not any(_destinations(port) for port in group.ports):
            self._around.report(Waiting(self.label, _not_ready(self.key), self._around.wait))

    def _say(self, group: Group, port: NamedPort, to: tuple[str, ...]) -> None:
        key = self.key
        self._around.report(
            Forwarding(
                self.label,
                key.service,
                key.pod,
                key.namespace,
                key.context,
                group.kind.value,
                self.address,
                port.number,
                to,
            )
        )

    def state(self, state: str, reason: str = "") -> None:
        """Tell what is known of the way, once."""
        if state != self._state:
            self._state = state
            key = self.key
            self._around.report(
                ServiceState(self.label, key.service, key.pod, key.namespace, key.context, state, reason)
            )

    def wake(self) -> None:
        """The API server is back: whoever waits tries again."""
        for served in self.ports.values():
            served.route.wake()

    def stop(self) -> None:
        """Listen no more; connections go on."""
        for number in list(self.ports):
            self._close(number)

    def gone(self) -> None:
        """Say that it was stopped."""
        key = self.key
        if any(told.to for told in self._told.values()):
            short = f"{key.pod}.{key.service}" if key.pod else key.service
            self._around.report(StoppedForwarding(short, key.service, key.pod, key.namespace, key.context))
        self._told.clear()

    def cut(self) -> None:
        """The run ends: reset what is open."""
        for served in self.ports.values():
            served.route.close()

    def _close(self, number: int) -> None:
        served = self.ports.pop(number)
        self._told.pop(number, None)
        if served.bound is not None:
            self._around.listeners.stop(served.bound)


class ServedPort:
    """One listening port; the ``Pods`` of its route."""

    def __init__(self, group: ServedGroup, port: NamedPort, around: Around, in_use: Counter[PodRef]) -> None:
        self.bound: Bound | None = None
        self._group = group
        self._port = port
        self._around = around
        self._choice = Choice()
        self.route = Route(
            self,
            TargetPort(PortSpec(port.number, str(port.port)), port.number, port.port, port.port),
            local=port.number,
            choice=self._choice,
            in_use=in_use,
            report=self._report,
            server_up=lambda: around.cluster.reach.up,
            on_answer=self._answered,
        )

    @property
    def target(self) -> str:
        """As a user knows it."""
        return f"{self._group.label}:{self._port.number}"

    def update(self, port: NamedPort, affinity: float | None) -> None:
        """It leads elsewhere from now on; open connections stay where they are."""
        before, self._port = self._port, port
        self._choice.affinity = affinity
        if port.backends != before.backends:
            self.route.wake()

    def accept(self, local: LocalConnection) -> RemoteEnd:
        """The opposite end of a connection that came in."""
        around = self._around
        around.report(Handling(self._port.number, self.target))
        if self._port.own:
            return Joined(local, self._port.own, around.buffer, around.tasks, self._own_failed, self._answered)
        connection = Connection(local, self.route, around.cluster.lanes, wait=around.wait)
        connection.dial()
        return connection

    def ready(self, port: TargetPort) -> tuple[Backend, ...]:
        """Candidates for a new connection."""
        return self._port.backends

    def why_not(self, port: TargetPort) -> str:
        """Why there are none."""
        pod = self._group.key.pod
        return f"pod {pod} is not ready" if pod else f"no pod of {self._group.label} is ready"

    def stopped(self, pod: PodRef) -> Stopped | None:
        """Pods are not watched here, so that nothing is known of their containers."""
        return None

    def doubt(self, pod: PodRef) -> None:
        """Look whether this pod is still there."""
        self._around.doubt(pod.namespace)

    def _report(self, event: Event) -> None:
        self._around.report(event)
        if isinstance(event, ConnectionFailed):
            self._group.state("failing", event.meaning or event.words)

    def _answered(self) -> None:
        self._group.state("proved")

    def _own_failed(self, words: str) -> None:
        self._report(ConnectionFailed(self._port.number, self._port.own, "", words, target=self.target))


def _not_ready(key: GroupKey) -> str:
    return "the pod is not ready" if key.pod else "no pod is ready"


def _destinations(port: NamedPort) -> tuple[str, ...]:
    if port.own:
        return (f"localhost:{port.own}",)
    return tuple(f"{backend.pod.name}:{backend.port}" for backend in port.backends)
