"""A group without a listener: ways that are made when they are asked for, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

from fairlead.dial.connection import Connection
from fairlead.features.names.group import NamedGroup
from fairlead.features.names.port import Around
from fairlead.model.named import GroupKey, OwnServer
from fairlead.model.service_events import Forwarding, ServiceEvent, ServiceState, StoppedForwarding
from fairlead.model.target import Backend, PodRef, TargetPort
from fairlead.policy.hostnames import Scope, names_of
from fairlead.policy.plan import Group, Kind, NamedPort
from fairlead.protocol.portforward import Outcome
from tests.support.loop import run_virtual
from tests.support.nolanes import NoLanes

KEY = GroupKey("c", "ns", "web")
A, B = Backend(PodRef("ns", "a", "1"), 8080), Backend(PodRef("ns", "b", "2"), 8080)


def planned(*ports: NamedPort, affinity: float | None = None) -> Group:
    return Group(KEY, Kind.SERVICE, ports, affinity=affinity)


def play(body: Callable[[NamedGroup, list[ServiceEvent]], None]) -> None:
    async def main() -> None:
        told: list[ServiceEvent] = []
        cluster = SimpleNamespace(reach=SimpleNamespace(up=True), lanes=NoLanes())
        around = SimpleNamespace(
            cluster=cluster, buffer=None, tasks=None, wait=30.0, report=told.append, doubt=lambda namespace: None
        )
        group = NamedGroup(KEY, "10.0.0.1", cast("Around", around))
        group.take_names(names_of(KEY, Scope(bare="ns")))
        body(group, told)

    run_virtual(main())


def states(told: list[ServiceEvent]) -> list[tuple[str, str]]:
    return [(event.state, event.reason) for event in told if isinstance(event, ServiceState)]


def test_a_way_is_made_when_it_is_asked_for_and_follows_the_plan() -> None:
    def body(group: NamedGroup, told: list[ServiceEvent]) -> None:
        group.update(planned(NamedPort(80, 80, (A,)), NamedPort(443, 443)))
        assert not group.ports
        way = group.way(80)
        assert way is not None
        assert group.way(80) is way
        assert group.way(81) is None
        assert way.ready(cast("TargetPort", None)) == (A,)
        group.update(planned(NamedPort(80, 80, (A, B))))
        assert way.ready(cast("TargetPort", None)) == (A, B)
        group.update(planned(NamedPort(443, 443)))
        assert group.way(80) is None
        assert not group.ports

    play(body)


def test_what_is_said_needs_no_way() -> None:
    def body(group: NamedGroup, told: list[ServiceEvent]) -> None:
        group.update(planned(NamedPort(80, 80)))
        group.tell()
        group.update(planned(NamedPort(80, 80, (A,)), NamedPort(8080, 8080, (A,), direct=True)))
        group.tell()
        group.tell()
        assert states(told) == [("waiting", "no pod is ready"), ("ready", "")]
        [event] = [event for event in told if isinstance(event, Forwarding)]
        assert (event.target, event.address, event.port, event.to) == ("web", "10.0.0.1", 80, ("a:8080",))
        group.gone()
        assert isinstance(told[-1], StoppedForwarding)

    play(body)


def test_a_port_that_comes_again_is_news() -> None:
    def body(group: NamedGroup, told: list[ServiceEvent]) -> None:
        for ports in ((NamedPort(80, 80, (A,)),), (NamedPort(81, 81, (A,)),), (NamedPort(80, 80, (A,)),)):
            group.update(planned(*ports))
            group.tell()
        assert [event.port for event in told if isinstance(event, Forwarding)] == [80, 81, 80]

    play(body)


def test_one_way_decides_for_the_group() -> None:
    def body(group: NamedGroup, told: list[ServiceEvent]) -> None:
        group.update(planned(NamedPort(80, 80, (A,)), NamedPort(81, 81, (A,))))
        group.tell()
        way = group.way(80)
        assert way is not None
        connection = cast("Connection", SimpleNamespace(backend=A, outcome=Outcome.RESET))
        way.route.failed(connection, A, "refused")
        way.route.answered(connection)
        assert states(told) == [("ready", ""), ("failing", "refused"), ("proved", "")]

    play(body)


def test_a_port_of_the_laptop_is_needed() -> None:
    def body(group: NamedGroup, told: list[ServiceEvent]) -> None:
        absent = NamedPort(80, 80, own=80, server=OwnServer.ABSENT)
        group.update(planned(absent, NamedPort(81, 81, (A,))))
        group.tell()
        group.update(planned(absent._replace(server=OwnServer.LOCALHOST), NamedPort(81, 81, (A,))))
        group.tell()
        assert states(told) == [("waiting", "nothing listens on localhost:80 on this machine"), ("ready", "")]

    play(body)


def test_the_label_is_the_shortest_name_of_its_own() -> None:
    def body(group: NamedGroup, told: list[ServiceEvent]) -> None:
        assert group.label == "web"
        assert group.names[:2] == ("web", "web.ns.svc.cluster.local")
        group.take_names(names_of(KEY, Scope(bare="other")))
        assert group.label == "web.ns"
        group.take_names(())
        assert (group.label, group.names) == ("web.ns", ())

    play(body)


def test_lanes_know_which_pods_left_and_which_came() -> None:
    def body(group: NamedGroup, told: list[ServiceEvent]) -> None:
        lanes = cast("NoLanes", group._around.cluster.lanes)
        group.update(planned(NamedPort(80, 80, (A, B))))
        assert group.way(80) is not None
        group.update(planned(NamedPort(80, 80, (A,))))
        assert lanes.forgotten == [B.pod]
        again = Backend(PodRef("ns", "a", "3"), 8080)
        group.update(planned(NamedPort(80, 80, (again,))))
        assert (lanes.forgotten[1:], lanes.met) == ([A.pod], [again.pod])
        group.update(planned(NamedPort(81, 81, (again,))))
        assert lanes.forgotten[2:] == [again.pod]

    play(body)
