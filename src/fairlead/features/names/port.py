"""Where connections to one port of a group go, and how the last of them went."""

from __future__ import annotations

import time
from collections import Counter
from typing import NamedTuple, Protocol

from fairlead.dial.cluster import Cluster
from fairlead.dial.connection import Connection
from fairlead.dial.laptop import Connect, Joined, in_words
from fairlead.dial.route import Route
from fairlead.kit.tasks import Background
from fairlead.model import events
from fairlead.model.named import GroupKey
from fairlead.model.objects import Stopped
from fairlead.model.service_events import ConnectionFailed, Handling, ServiceEvent
from fairlead.model.target import Backend, PodRef, PortSpec, TargetPort
from fairlead.net.buffer import ReadBuffer
from fairlead.net.local import LocalConnection
from fairlead.net.stream import RemoteEnd
from fairlead.policy.choose import Choice
from fairlead.policy.plan import NamedPort
from fairlead.policy.ways import Way


class Around(Protocol):
    """What the groups of a context share."""

    cluster: Cluster
    buffer: ReadBuffer
    tasks: Background
    wait: float
    """Seconds that a connection waits while no pod is ready."""

    def own(self, port: int, /) -> Connect:
        """How a port of this laptop is reached, for a service that its user develops."""

    def report(self, event: ServiceEvent, /) -> None:
        """Tell the user."""

    def doubt(self, namespace: str) -> None:
        """Look whether the pods of this namespace are still there."""


class Owner(Protocol):
    """The group that a port is of."""

    key: GroupKey
    label: str
    """The shortest of its names."""

    @property
    def whose(self) -> tuple[str, str, str, str, str]:
        """What an event says of whom it is about, ``target`` to ``context``."""

    def judge(self) -> None:
        """How the port stands may be other than before."""


class Verdict(NamedTuple):
    """How the last connection of a port went."""

    pod: PodRef | None
    """None if it got to none."""
    failure: str = ""
    """Why it failed; "" if bytes came back."""
    at: float = 0.0
    """When they did: seconds since 1970."""


class PortWay:
    """One port; the ``Pods`` of its route. ``in_use`` counts the connections to each pod of the group."""

    def __init__(self, owner: Owner, port: NamedPort, around: Around, in_use: Counter[PodRef]) -> None:
        self._owner = owner
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
        return f"{self._owner.label}:{self._port.number}"

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
            self._moved(before, port)
            self.route.wake()

    def leave(self) -> None:
        """The port is no more; open connections stay where they are."""
        self._moved(self._port, self._port._replace(backends=()))

    def _moved(self, before: NamedPort, now: NamedPort) -> None:
        self._around.cluster.lanes.moved(*({each.pod for each in port.backends} for port in (before, now)))

    def accept(self, local: LocalConnection) -> RemoteEnd:
        """The opposite end of a connection that came in."""
        around = self._around
        around.report(Handling(*self._owner.whose, self._port.number))
        if self._port.own:
            own = around.own(self._port.own)
            return Joined(local, own, around.buffer, around.tasks, self._own_failed, self._own_answered)
        connection = Connection(local, self.route, around.cluster.lanes, wait=around.wait)
        connection.dial()
        return connection

    def ready(self, port: TargetPort) -> tuple[Backend, ...]:
        """Candidates for a new connection."""
        return self._port.backends

    def why_not(self, port: TargetPort) -> str:
        """Why there are none."""
        pod = self._owner.key.pod
        return f"pod {pod} is not ready" if pod else f"no pod of {self._owner.label} is ready"

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
        whose = self._owner.whose
        self._around.report(ConnectionFailed(*whose, self._port.number, tried, words, meaning, remedy))
        which = next((each.pod for each in self._port.backends if each.pod.name == pod), None)
        self._verdict = Verdict(which, meaning or words)
        self._owner.judge()

    def _answered(self, pod: PodRef | None) -> None:
        before, self._verdict = self._verdict, Verdict(pod, at=time.time())
        if before is None or before.failure:
            self._owner.judge()

    def _own_answered(self) -> None:
        self._answered(None)

    def _own_failed(self, error: OSError) -> None:
        own = self._port.own
        self._failed("", own, f"nothing takes connections on localhost:{own} on this machine: {in_words(error)}")
