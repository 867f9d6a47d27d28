"""What one service becomes on the laptop: groups, each with an address of its own, and what cannot be served, and why.

A normal service is one group. A headless one is a group for its ready pods in turn, and one for each pod.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import NamedTuple

from fairlead.model.named import GroupKey, OwnServer
from fairlead.model.objects import EndpointSlice, Service, ServicePort
from fairlead.model.target import Backend
from fairlead.policy.endpoints import PodEndpoint, not_pods, pod_endpoints
from fairlead.policy.mapping import tcp_ports

MOST_LISTENERS = 1000
"""Of one service: whoever may make a service in a shared cluster must not take all descriptors of those who look."""


class Kind(Enum):
    """What an address stands for."""

    SERVICE = "service"
    HEADLESS = "headless"
    POD = "pod"


class NamedPort(NamedTuple):
    """One port that an address listens on."""

    number: int
    """On the laptop."""
    port: int
    """As the cluster has it: the service's, or a pod's own."""
    backends: tuple[Backend, ...] = ()
    """Ready pods, by name."""
    own: int = 0
    """The port of this laptop that it leads to instead of to pods; 0 if it does not."""
    server: OwnServer | None = None
    """What listens on ``own``."""
    direct: bool = False
    """Not the service's: the pods' own port, which answers in the cluster under a headless name."""

    @property
    def ours(self) -> bool:
        """Whether we listen on it.

        Not where the laptop's own server is to have the same number: one that listens on all addresses answers here by
        itself, and could not be started after us. One that listens on localhost alone needs us, while it is there.
        """
        return self.own != self.number or self.server is OwnServer.LOCALHOST

    @property
    def leads_on(self) -> bool:
        """Whether anything is there to take a connection."""
        return self.server is not OwnServer.ABSENT if self.own else bool(self.backends)


class Group(NamedTuple):
    """One address, with its ports in the order of the service's."""

    key: GroupKey
    kind: Kind
    ports: tuple[NamedPort, ...]
    hostname: str = ""
    """Of a pod: by which the cluster's DNS knows it, where that is not its name."""
    affinity: float | None = None
    """Seconds for which a client keeps its pod (sessionAffinity); None if it need not."""
    lasting: bool = True
    """Whether another pod may come by this name, as those of a StatefulSet do."""


class Unserved(NamedTuple):
    """A service, or one port of it, that nothing listens for."""

    key: GroupKey
    port: str
    """Such as ``53/UDP``; "" for the whole service."""
    reason: str
    relay: bool
    """Whether something in the cluster could reach it."""


class ServicePlan(NamedTuple):
    """All of one service; the empty one is that of a service which is not there."""

    groups: tuple[Group, ...] = ()
    unserved: tuple[Unserved, ...] = ()


class Locals(NamedTuple):
    """What a user wants of this service's ports on the laptop."""

    number: Callable[[int], int] = lambda port: port
    """The port to listen on for one of the service's."""
    own: Callable[[int], int] = lambda port: 0
    """The port of the laptop that one of the service's leads to; 0 for none."""
    server: Callable[[int], OwnServer] = lambda port: OwnServer.EVERYWHERE
    """What listens on a port of the laptop."""
    most: int = MOST_LISTENERS
    """Ports that one service may have here, on all its addresses together."""


def plan(
    context: str,
    service: Service,
    slices: Iterable[EndpointSlice],
    wishes: Locals,
    *,
    behind: bool = False,
) -> ServicePlan:
    """Plan for a service with these EndpointSlices, which may be ``behind``: those of the service as it was."""
    slices = tuple(slices)
    key = GroupKey(context, service.namespace, service.name)
    if service.external_name:
        pods: tuple[PodEndpoint, ...] = ()
        nowhere = f"it stands for {service.external_name}, outside the cluster"
    else:
        pods = pod_endpoints(slices)
        nowhere = "" if pods or service.selector else _without_pods(slices)
    # Whoever moves a port to a number wants it there, and not what has that number by itself.
    tcp = sorted(tcp_ports(service), key=lambda port: wishes.number(port.port) == port.port)
    unserved = [
        Unserved(key, f"{port.port}/{port.protocol}", "port forwarding carries TCP only", relay=True)
        for port in service.ports
        if port.protocol != "TCP"
    ]
    own = [
        NamedPort(wishes.number(port.port), port.port, own=number, server=wishes.server(number))
        for port in tcp
        if (number := wishes.own(port.port))
    ]
    if nowhere and len(own) < max(len(tcp), 1):
        unserved = [Unserved(key, "", nowhere, relay=True)]
        tcp = []
    elif not service.ports:
        unserved.append(Unserved(key, "", "it declares no ports", relay=False))
    left = [port for port in tcp if not wishes.own(port.port)]
    strange = _strange(service, slices)
    broken = {port: reason for port in left if not (behind or strange) and (reason := _nameless(port, pods))}
    unserved += [Unserved(key, str(port.port), reason, relay=False) for port, reason in broken.items()]
    left = [port for port in left if port not in broken]
    unserved += _doubled(key, tcp, wishes)
    kind = Kind.HEADLESS if service.headless else Kind.SERVICE
    groups = [Group(key, kind, _unique([*own, *_ports(left, pods, wishes, kind)]), affinity=service.affinity_seconds)]
    if service.headless:
        for pod in pods:
            of_pod = key._replace(pod=pod.pod.name)
            hostname = pod.hostname if pod.hostname != pod.pod.name else ""
            ports = _unique(_ports(left, (pod,), wishes, Kind.POD))
            lasting = pod.hostname == pod.pod.name
            groups.append(Group(of_pod, Kind.POD, ports, hostname, lasting=lasting))
    groups, cut = _bounded([group for group in groups if group.ports], wishes.most)
    if cut:
        reason = f"it has more than {wishes.most} ports, on all addresses together, and the rest is left out"
        unserved.append(Unserved(key, "", reason, relay=False))
    return ServicePlan(tuple(groups), tuple(unserved))


def _bounded(groups: Sequence[Group], most: int) -> tuple[list[Group], bool]:
    """As many of the groups, and of the last one's ports, as may be; whether that leaves any out."""
    kept, room = [], most
    for group in groups:
        ports = group.ports[:room]
        if ports:
            kept.append(group._replace(ports=ports))
        room -= len(ports)
    return kept, sum(len(group.ports) for group in groups) > most


def _doubled(key: GroupKey, tcp: Sequence[ServicePort], wishes: Locals) -> list[Unserved]:
    """Ports whose local number an earlier one has."""
    first: dict[int, int] = {}
    found = []
    for port in tcp:
        number = wishes.number(port.port)
        if first.setdefault(number, port.port) != port.port:
            reason = f"local port {number} is that of port {first[number]} already"
            found.append(Unserved(key, str(port.port), reason, relay=False))
    return found


def _without_pods(slices: Sequence[EndpointSlice]) -> str:
    others = not_pods(slices)
    if not others:
        return "it has no selector"
    shown = ", ".join(others[:3]) + (", ..." if len(others) > 3 else "")
    return f"it has no selector, and its endpoints are no pods ({shown})"


def _nameless(port: ServicePort, pods: Sequence[PodEndpoint]) -> str:
    """Why a port leads nowhere although pods are there; "" if it does, or if none are there yet."""
    if not isinstance(port.target, str) or not pods or any(_number(port, pod) for pod in pods):
        return ""
    return f"no container of its pods has a port named {port.target}, its targetPort"


def _strange(service: Service, slices: Sequence[EndpointSlice]) -> bool:
    """Whether the slices have a port that the service has not: one of the two is out of date, whichever came first."""
    names = {port.name for port in service.ports}
    return any(port.name not in names for piece in slices for port in piece.ports or ())


def _number(port: ServicePort, pod: PodEndpoint) -> int:
    """The port's number in this pod; 0 if it has none."""
    # Slices of pods without the named port list no ports, which would mean all of them.
    open_default = port.port if port.target is None else port.target
    return pod.number(port.name, open_default if isinstance(open_default, int) else 0) or 0


def _ports(tcp: Sequence[ServicePort], pods: Sequence[PodEndpoint], wishes: Locals, kind: Kind) -> list[NamedPort]:
    found = [
        NamedPort(
            wishes.number(port.port),
            port.port,
            tuple(Backend(pod.pod, number) for pod in pods if pod.ready and (number := _number(port, pod))),
        )
        for port in tcp
    ]
    if kind is Kind.SERVICE:
        return found
    # A headless name is the pods' own addresses in the cluster, where only the pods' own ports answer.
    for port in tcp:
        numbers = {_number(port, pod) for pod in pods} | ({port.target} if isinstance(port.target, int) else set())
        for number in sorted(numbers - {0}):
            backends = tuple(Backend(pod.pod, number) for pod in pods if pod.ready and _number(port, pod) == number)
            found.append(NamedPort(number, number, backends, direct=True))
    return found


def _unique(ports: Iterable[NamedPort]) -> tuple[NamedPort, ...]:
    """Each number once; the first that wants it has it."""
    found: dict[int, NamedPort] = {}
    for port in ports:
        found.setdefault(port.number, port)
    return tuple(found.values())
