"""Connections to a pod that somebody reaches by its own address."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fairlead.dial.connection import Connection
from fairlead.features.names import port as module
from fairlead.features.run.pod_way import PodWay
from fairlead.model.events import Note
from fairlead.model.service_events import ConnectionFailed, Handling, ServiceEvent
from fairlead.model.target import Backend, PodRef, TargetPort
from fairlead.net.local import LocalConnection
from fairlead.protocol.portforward import Outcome
from tests.support.loop import run_virtual

POD = PodRef("ns", "a", "uid-a")
TO = Backend(POD, 8080)


class Dialled:
    """A connection that goes nowhere."""

    made: list[Dialled]

    def __init__(self, local: object, route: object, lanes: object, *, wait: float) -> None:
        self.local, self.route, self.lanes, self.wait = local, route, lanes, wait
        self.client = "10.9.9.9"
        self.dials = self.cuts = 0
        self.was_reset = True
        self.backend: Backend | None = None
        self.outcome = Outcome.RESET
        Dialled.made.append(self)

    def dial(self) -> None:
        self.dials += 1

    def cut(self) -> None:
        self.cuts += 1


def is_busy(way: PodWay) -> bool:
    return way.route.busy


def play(
    body: Callable[[PodWay, list[ServiceEvent], list[str], Dialled], None],
    monkeypatch: pytest.MonkeyPatch,
    *,
    up: bool = True,
) -> None:
    async def main() -> None:
        told: list[ServiceEvent] = []
        doubts: list[str] = []
        Dialled.made = []
        monkeypatch.setattr(module, "Connection", Dialled)
        around = SimpleNamespace(
            cluster=SimpleNamespace(lanes="lanes", reach=SimpleNamespace(up=up)),
            wait=7.0,
            report=told.append,
            doubt=doubts.append,
        )
        way = PodWay("c", POD, 8080, cast("Any", around))
        assert way.accept(cast("LocalConnection", "local")) is cast("Any", Dialled.made[0])
        body(way, told, doubts, Dialled.made[0])

    run_virtual(main())


def test_a_connection_is_told_and_dialled(monkeypatch: pytest.MonkeyPatch) -> None:
    def body(way: PodWay, told: list[ServiceEvent], doubts: list[str], made: Dialled) -> None:
        assert told == [Handling("a.ns", "", "a", "ns", "c", 8080)]
        assert (made.local, made.route, made.lanes, made.wait, made.dials) == ("local", way.route, "lanes", 7.0, 1)
        assert not way.route.busy

    play(body, monkeypatch)


def test_the_pod_is_taken_as_it_is_and_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def body(way: PodWay, told: list[ServiceEvent], doubts: list[str], made: Dialled) -> None:
        connection = cast("Connection", made)
        assert way.route.choose(frozenset(), connection) == TO
        assert is_busy(way)
        assert not way.route.has_another(frozenset({TO}))
        assert way.route.choose(frozenset({TO}), connection) is None
        assert not is_busy(way), "a connection that is over is counted out"
        assert way.stopped(POD) is None
        assert way.route.choose(frozenset(), connection) == TO
        way.route.over(connection, TO)
        assert not is_busy(way)

    play(body, monkeypatch)


def test_a_failure_names_pod_port_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def body(way: PodWay, told: list[ServiceEvent], doubts: list[str], made: Dialled) -> None:
        way.route.failed(cast("Connection", made), TO, "connection refused")
        failed = told[-1]
        assert isinstance(failed, ConnectionFailed)
        assert (failed.target, failed.pod, failed.namespace, failed.context) == ("a.ns", "a", "ns", "c")
        assert (failed.port, failed.tried) == (8080, "a:8080")
        assert "refused" in failed.words
        assert doubts == ["ns"], "the list is looked at again"

    play(body, monkeypatch)


@pytest.mark.parametrize("up", [True, False])
def test_a_failure_without_a_pod(monkeypatch: pytest.MonkeyPatch, up: bool) -> None:
    def body(way: PodWay, told: list[ServiceEvent], doubts: list[str], made: Dialled) -> None:
        connection = cast("Connection", made)
        why = way.route.why_waiting(connection)
        assert why == ("pod a is not reached" if up else "the API server does not answer")
        way.route.failed(connection, None, why)
        failed = told[-1]
        assert isinstance(failed, ConnectionFailed)
        assert failed.tried == ""
        assert doubts == []

    play(body, monkeypatch, up=up)


def test_other_news_go_on_and_who_waits_is_cut_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def body(way: PodWay, told: list[ServiceEvent], doubts: list[str], made: Dialled) -> None:
        way._report(Note("x"))
        assert told[-1] == Note("x")
        way.route.wait_for_backend(cast("Connection", made))
        assert way.route.busy
        way.route.wake()
        assert made.dials == 2
        way.route.wait_for_backend(cast("Connection", made))
        way.route.close()
        assert made.cuts == 1

    play(body, monkeypatch)


def test_it_is_named_as_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def body(way: PodWay, told: list[ServiceEvent], doubts: list[str], made: Dialled) -> None:
        assert way.target == "a.ns:8080"
        assert way.ready(cast("TargetPort", None)) == (TO,)

    play(body, monkeypatch)
