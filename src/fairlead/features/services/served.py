"""One address of the laptop as it is: its listening ports, and where their connections go."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from fairlead.dial.cluster import Cluster
from fairlead.dial.connection import Connection
from fairlead.dial.laptop import Joined
from fairlead.dial.route import Route
from fairlead.entry.listener import Bound, Listeners
from fairlead.entry.named import Refused, Why
from fairlead.kit.tasks import Background
from fairlead.model import events
from fairlead.model.named import GroupKey
from fairlead.model.objects import Stopped
from fairlead.model.service_events import (
    ConnectionFailed,
    Forwarding,
    Handling,
    ServiceEvent,
    ServiceState,
    StoppedForwarding,
)
from fairlead.model.target import Backend, PodRef, PortSpec, TargetPort
from fairlead.net.buffer import ReadBuffer
from fairlead.net.local import LocalConnection
from fairlead.net.stream import RemoteEnd
from fairlead.policy.choose import Choice
from fairlead.policy.plan import Group, Kind, NamedPort
from fairlead.policy.ways import State, Way, state_of


class Around(Protocol):
    """What the groups of a context share."""

    cluster: Cluster
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


class Verdict(NamedTuple):
    """How the last connection of a port went."""

    pod: PodRef | None
    """None if it got to none."""
    failure: str = ""
    """Why it failed; "" if bytes came back."""
    at: float = 0.0
    """When they did: seconds since 1970."""


class ServedGroup:
    """``key`` on ``address``; ``apply`` makes it what the plan says."""

    def __init__(self, key: GroupKey, address: str, around: Around, listeners: Listeners) -> None:
        self.key = key
        self.address = address
        self.label = key.service
        """The shortest of its names."""
        self.names: tuple[str, ...] = ()
        self.ports: dict[int, ServedPort] = {}
        self._around = around
        self._listeners = listeners
        self._in_use: Counter[PodRef] = Counter()
        self._told: dict[int, Told] = {}
        self._announced = False
        self._group = Group(key, Kind.SERVICE, ())
        self._refused: Mapping[int, Refused] = {}
        self._state = State("")

    @property
    def listens(self) -> bool:
        """Whether its names may be known: they lead somewhere, and none of their ports to a stranger."""
        if any(refused.why is Why.STRANGER for refused in self._refused.values()):
            return False
        return bool(self.ports) or any(not port.ours for port in self._group.ports)

    @property
    def whose(self) -> tuple[str, str, str, str, str]:
        """What an event says of whom it is about, ``target`` to ``context``."""
        return self.label, self.key.service, self.key.pod, self.key.namespace, self.key.context

    @property
    def known(self) -> str:
        """The state that was told last; "" before anything listens."""
        return self._state.name

    def missing(self, group: Group) -> list[int]:
        """The ports that it should listen on and does not."""
        return [port.number for port in group.ports if port.ours and port.number not in self.ports]

    def keep_only(self, group: Group) -> None:
        """Listen no more on ports that are not to be ours any more."""
        wanted = {port.number for port in group.ports if port.ours}
        for number in [number for number in self.ports if number not in wanted]:
            self._close(number)

    async def apply(self, group: Group, bound: dict[int, Bound], refused: Mapping[int, Refused]) -> None:
        """Serve these ports; ``bound`` are those that listen from now on, ``refused`` those that could not be had."""
        self._group, self._refused = group, refused
        wanted = {port.number: port for port in group.ports if port.ours}
        for number, socket in bound.items():
            if number in self.ports or number not in wanted:
                socket.close()
                continue
            served = self.ports[number] = ServedPort(self, wanted[number], self._around, self._in_use)
            await self._listeners.serve(socket, served.accept, self._around.tasks)
            served.bound = socket
        for number, served in self.ports.items():
            served.update(wanted[number], group.affinity)

    def tell(self) -> None:
        """Say where each port leads, where that is news, and how all of it stands."""
        for port in self._group.ports:
            if not port.direct and (port.number in self.ports or not port.ours):
                told = Told(self.label, _destinations(port))
                if port.leads_on and self._told.get(port.number) != told:
                    self._say(self._group, port, told.to)
                    self._announced = True
                self._told[port.number] = told if port.leads_on else Told(self.label, ())
        self.judge()

    def judge(self) -> None:
        """Say how it stands, where that is news."""
        ways = [served.way for served in self.ports.values()]
        ways += [Way(port.leads_on, needed=True) for port in self._group.ports if not port.ours]
        ways += [Way(False, failure=f"port {number} is {each.text}") for number, each in self._refused.items()]
        if not ways:
            return
        before, state = self._state, state_of(ways)
        if state.name == "waiting":
            state = state._replace(reason=_not_ready(self._group))
        self._state = state
        if state[:2] == before[:2]:
            return
        self._tell_state(state)

    def _tell_state(self, state: State) -> None:
        at = f"{datetime.fromtimestamp(state.proved, UTC):%Y-%m-%dT%H:%M:%SZ}" if state.proved else ""
        wait = self._around.wait if state.name == "waiting" and not _absent(self._group) else 0.0
        self._around.report(ServiceState(*self.whose, state.name, state.reason, at, wait))

    def preview(self, group: Group) -> None:
        """Say where each port would lead."""
        self._group = group
        for port in group.ports:
            if port.leads_on and not port.direct:
                self._say(group, port, _destinations(port))
        if state_of([Way(port.leads_on, needed=bool(port.own)) for port in group.ports]).name == "waiting":
            self._tell_state(State("waiting", _not_ready(group)))

    def _say(self, group: Group, port: NamedPort, to: tuple[str, ...]) -> None:
        self._around.report(Forwarding(*self.whose, group.kind.value, self.address, port.number, to))

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
        if self._announced:
            self._around.report(StoppedForwarding(*self.whose))
        self._told.clear()
        self._announced = False

    def cut(self) -> None:
        """The run ends: reset what is open."""
        for served in self.ports.values():
            served.route.close()

    def _close(self, number: int) -> None:
        served = self.ports.pop(number)
        self._told.pop(number, None)
        if served.bound is not None:
            self._listeners.stop(served.bound)


class ServedPort:
    """One listening port; the ``Pods`` of its route."""

    def __init__(self, group: ServedGroup, port: NamedPort, around: Around, in_use: Counter[PodRef]) -> None:
        self.bound: Bound | None = None
        self._group = group
        self._port = port
        self._around = around
        self._choice = Choice()
        self._verdict: Verdict | None = None
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

    @property
    def way(self) -> Way:
        """What is known of where it leads."""
        verdict = self._verdict or Verdict(None)
        return Way(self._port.leads_on, verdict.at, verdict.failure, needed=bool(self._port.own))

    def update(self, port: NamedPort, affinity: float | None) -> None:
        """It leads elsewhere from now on; open connections stay where they are."""
        before, self._port = self._port, port
        if port != before and self._verdict and not any(each.pod == self._verdict.pod for each in port.backends):
            self._verdict = None  # of what is not there any more
        self._choice.affinity = affinity
        if port.backends != before.backends:
            self.route.wake()

    def accept(self, local: LocalConnection) -> RemoteEnd:
        """The opposite end of a connection that came in."""
        around = self._around
        around.report(Handling(*self._group.whose, self._port.number))
        if self._port.own:
            return Joined(local, self._port.own, around.buffer, around.tasks, self._own_failed, self._own_answered)
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

    def _report(self, event: events.Event) -> None:
        if isinstance(event, events.ConnectionFailed):
            self._failed(event.pod, event.remote, event.words, event.meaning, event.remedy)
        else:
            self._around.report(event)

    def _failed(self, pod: str, port: int, words: str, meaning: str = "", remedy: str = "") -> None:
        tried = f"{pod}:{port}" if pod else ""
        whose = self._group.whose
        self._around.report(ConnectionFailed(*whose, self._port.number, tried, words, meaning, remedy))
        which = next((each.pod for each in self._port.backends if each.pod.name == pod), None)
        self._verdict = Verdict(which, meaning or words)
        self._group.judge()

    def _answered(self, pod: PodRef | None) -> None:
        before, self._verdict = self._verdict, Verdict(pod, at=time.time())
        if before is None or before.failure:
            self._group.judge()

    def _own_answered(self) -> None:
        self._answered(None)

    def _own_failed(self, words: str) -> None:
        self._failed("", self._port.own, words)


def _absent(group: Group) -> set[int]:
    """The ports of the laptop that it leads to, and where nothing listens."""
    return {port.own for port in group.ports if port.own and not port.leads_on}


def _not_ready(group: Group) -> str:
    if absent := _absent(group):
        return f"nothing listens on {' or '.join(f'localhost:{number}' for number in sorted(absent))} on this machine"
    return "the pod is not ready" if group.key.pod else "no pod is ready"


def _destinations(port: NamedPort) -> tuple[str, ...]:
    if port.own:
        return (f"localhost:{port.own}",)
    return tuple(f"{backend.pod.name}:{backend.port}" for backend in port.backends)
