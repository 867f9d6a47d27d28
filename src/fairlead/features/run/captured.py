"""Where captured traffic goes: to a pod of a cluster, to our resolver, or on as if nothing were between."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakSet

from fairlead.dial.flows import Flows
from fairlead.dial.laptop import Joined, address
from fairlead.entry.datagrams import Datagrams
from fairlead.entry.listener import Bound, Listeners
from fairlead.features.run.dns_stream import DnsStream
from fairlead.features.run.names import Names
from fairlead.features.run.resolver import Resolver
from fairlead.host.private.network import PrivateNetwork
from fairlead.kit import log
from fairlead.kit.tasks import Background
from fairlead.model.dns import Code
from fairlead.model.named import GroupKey
from fairlead.model.service_events import ConnectionFailed
from fairlead.net.buffer import ReadBuffer
from fairlead.net.local import LocalConnection
from fairlead.net.stream import RemoteEnd
from fairlead.policy.capture import PORT
from fairlead.policy.cluster_domain import is_cluster_dns
from fairlead.protocol.dns import refuse
from fairlead.protocol.ip import MOST_4, End

LOG = log.get(__name__)

RESOLVER = "169.254.53.53"
"""Our resolver's address inside. Link-local (RFC 3927), so that it is nobody's out there that one could ask for."""
DNS = 53
MOST_QUESTIONS = 1024
"""Questions over UDP that are answered at once; those beyond are dropped, and asked again by whoever needs them."""

MOST_TOLD = 20
"""Ports of one service of which is told that they lead nowhere."""


class Captured:
    """Takes what comes on the sockets of the namespace, until ``close``."""

    def __init__(
        self,
        network: PrivateNetwork,
        names: Names,
        resolver: Resolver,
        listeners: Listeners,
        buffer: ReadBuffer,
        tasks: Background,
        report: Callable[[ConnectionFailed], None],
    ) -> None:
        self._names = names
        self._resolver = resolver
        self._listeners = listeners
        self._buffer = buffer
        self._tasks = tasks
        self._report = report
        self._questions = 0
        self._joined: WeakSet[Joined] = WeakSet()
        self._told: dict[GroupKey, set[tuple[int, str]]] = {}
        sockets = network.sockets
        self._bound = Bound(PORT)
        self._bound.sockets = [sock for name, sock in sockets.items() if name.startswith("tcp")]
        captured = [sock for name, sock in sockets.items() if name.startswith("udp")]
        raw = [sock for name, sock in sockets.items() if name.startswith("raw")]
        self._datagrams = Datagrams(captured, raw, self._datagram)
        self._flows = Flows(
            lambda payload, source, destination: self._datagrams.reply(payload, source, destination),
            lambda source, destination: self._datagrams.refuse(source, destination),
        )

    async def start(self) -> None:
        """Accept connections from now on."""
        await self._listeners.serve(self._bound, self._accept, self._tasks)

    def close(self) -> None:
        """Take no more, and cut off what goes on to other networks; the rest is the listeners' to end."""
        self._listeners.stop(self._bound)
        for joined in list(self._joined):
            joined.local_lost()
        self._flows.close()
        self._datagrams.close()

    def _accept(self, local: LocalConnection) -> RemoteEnd | None:
        host, port = local.destination
        if host == RESOLVER:
            return DnsStream(local, self._answer, self._tasks) if port == DNS else None
        key = self._names.service_at(host)
        if key is not None:
            group = self._names.groups.get(key)
            way = group.way(port) if group is not None else None
            if way is not None:
                return way.accept(local)
            if port == DNS and is_cluster_dns(key):
                return DnsStream(local, self._answer, self._tasks)
            self._tell(key, port, "TCP", "the port leads to no pod")
            return None
        pod = self._names.pod_at(host)
        if pod is not None:
            return self._names.pod_way(*pod, port).accept(local)
        if self._names.was_at(host):
            LOG.decision("a connection to %s port %d is reset: it was the cluster's, and nobody has it now", host, port)
            return None
        joined = Joined(local, address(host, port), self._buffer, self._tasks, self._listeners.failed)
        self._joined.add(joined)
        return joined

    def _datagram(self, payload: memoryview, source: End, destination: End) -> None:
        host, port = destination
        key = self._names.service_at(host)
        if port == DNS and (host == RESOLVER or (key is not None and is_cluster_dns(key))):
            if self._questions < MOST_QUESTIONS:
                self._questions += 1
                self._tasks.start(self._reply(bytes(payload), source, destination), name="answer a question")
        elif host == RESOLVER or key is not None or self._names.pod_at(host) is not None or self._names.was_at(host):
            if key is not None:
                self._tell(key, port, "UDP", "UDP needs the relay (not in this version)")
            self._datagrams.refuse(source, destination, payload)
        else:
            self._flows.send(payload, source, destination)

    async def _reply(self, query: bytes, source: End, destination: End) -> None:
        try:
            answer = await self._answer(query, MOST_4)
        finally:
            self._questions -= 1
        if answer is not None:
            self._datagrams.reply(answer, source, destination)

    async def _answer(self, query: bytes, limit: int) -> bytes | None:
        """That of the resolver. What goes wrong with one question is its asker's trouble, and not the run's."""
        try:
            return await self._resolver.answer(query, limit)
        except Exception:
            LOG.exception("a question is answered with SERVFAIL")
            return refuse(query, Code.SERVFAIL)

    def _tell(self, key: GroupKey, number: int, protocol: str, reason: str) -> None:
        """Once for each port, and not of each where somebody tries them all."""
        told = self._told.setdefault(key, set())
        if (number, protocol) not in told and len(told) < MOST_TOLD:
            told.add((number, protocol))
            ports = self._names.place(key).ports
            if not any((port.number, port.protocol) == (number, protocol) for port in ports):
                reason = f"the service has no port {number} for {protocol}"
            name = self._names.label(key)
            self._report(ConnectionFailed(name, key.service, key.pod, key.namespace, key.context, number, "", reason))
