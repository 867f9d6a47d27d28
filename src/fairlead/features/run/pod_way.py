"""Where connections to one port of one pod go, which somebody reaches by the pod's own address."""

from __future__ import annotations

from collections import Counter

from fairlead.dial.connection import Connection
from fairlead.dial.route import Route
from fairlead.features.names.port import Around
from fairlead.model import events
from fairlead.model.objects import Stopped
from fairlead.model.service_events import ConnectionFailed, Handling
from fairlead.model.target import Backend, PodRef, PortSpec, TargetPort
from fairlead.net.local import LocalConnection
from fairlead.net.stream import RemoteEnd
from fairlead.policy.choose import Choice


class PodWay:
    """The ``Pods`` of its route: one pod, whatever its state, as its address is in the cluster."""

    def __init__(self, context: str, pod: PodRef, port: int, around: Around) -> None:
        self.target = f"{pod.name}.{pod.namespace}:{port}"
        self._whose = (f"{pod.name}.{pod.namespace}", "", pod.name, pod.namespace, context)
        self._backend = Backend(pod, port)
        self._around = around
        self.route = Route(
            self,
            TargetPort(PortSpec(port, str(port)), port, port, None),
            local=port,
            choice=Choice(),
            in_use=Counter(),
            report=self._report,
            server_up=lambda: around.cluster.reach.up,
        )

    @property
    def busy(self) -> bool:
        """Whether connections go there, or wait to."""
        return self.route.busy

    def accept(self, local: LocalConnection) -> RemoteEnd:
        """The opposite end of a connection that came in."""
        self._around.report(Handling(*self._whose, self._backend.port))
        connection = Connection(local, self.route, self._around.cluster.lanes, wait=self._around.wait)
        connection.dial()
        return connection

    def ready(self, port: TargetPort) -> tuple[Backend, ...]:
        """The pod."""
        return (self._backend,)

    def why_not(self, port: TargetPort) -> str:
        """It is always tried, so this is asked for the pod that was tried in vain."""
        return f"pod {self._backend.pod.name} is not reached"

    def stopped(self, pod: PodRef) -> Stopped | None:
        """Nothing is known of its containers."""
        return None

    def doubt(self, pod: PodRef) -> None:
        """Look whether it is still there."""
        self._around.doubt(pod.namespace)

    def _report(self, event: events.Event) -> None:
        if isinstance(event, events.ConnectionFailed):
            port = self._backend.port
            tried = f"{event.pod}:{port}" if event.pod else ""
            failed = ConnectionFailed(*self._whose, port, tried, event.words, event.meaning, event.remedy)
            self._around.report(failed)
        else:
            self._around.report(event)
