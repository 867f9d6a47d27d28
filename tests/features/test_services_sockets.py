"""Ports that cannot be had: what is said of them, and that they cost the others nothing."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from fairlead.entry import named
from fairlead.features.services import sockets
from fairlead.helper.holders import Listener
from fairlead.host import ports
from fairlead.model.events import Note
from fairlead.model.service_events import NotServed, ServiceState
from fairlead.net.descriptors import next_one
from tests.support.loop import run_virtual
from tests.support.namedrun import NamedRun, named_run
from tests.support.objects import SERVICES, SLICES, endpoint, endpoint_slice, service

PORT = 20000 + os.getpid() % 10000


def play(folder: Path, body: Callable[[NamedRun], Awaitable[None]]) -> None:
    async def main() -> None:
        async with named_run(folder) as it:
            await body(it)

    run_virtual(main())


def add(it: NamedRun, name: str, *pods: str, ports: int = 1, **spec: Any) -> None:
    numbers: list[dict[str, Any]] = [{"name": f"p{at}", "port": PORT + at, "protocol": "TCP"} for at in range(ports)]
    it.api.put(SERVICES, service(name, ports=tuple(numbers), **spec))
    it.api.put(SLICES, endpoint_slice(f"{name}-1", list(map(endpoint, pods)), service=name, ports=numbers))


def notes(it: NamedRun) -> list[str]:
    return [event.text for event in it.told if isinstance(event, Note)]


@pytest.mark.parametrize("count", [2, 9])
def test_ports_that_one_program_holds_are_told_together_and_tried_again(count: int, tmp_path: Path) -> None:
    async def body(it: NamedRun) -> None:
        for at in range(count):
            add(it, f"s{at}", "a")
        holder = f"in use by python (pid {os.getpid()}); trying again every 5 s"
        with socket.create_server(("0.0.0.0", PORT)):
            await it.run.read()
            await it.run.start()
            assert not it.helper.lines
            each = [event for event in it.told if isinstance(event, NotServed)]
            if count == 2:
                assert [event.service for event in each] == ["s0", "s1"]
                assert all(event.reason.endswith(f":{PORT} is {holder}") for event in each)
            else:
                assert each == []
                assert notes(it) == [f"9 ports are {holder}: of s0.ns, s1.ns, s2.ns, s3.ns and 5 more"]
            told = len(it.told)
            await asyncio.sleep(20)
            assert len(it.told) == told, "told once"
        await asyncio.sleep(6)
        assert len(it.helper.lines) == count

    play(tmp_path, body)


def test_a_port_that_is_held_makes_its_name_failing(tmp_path: Path) -> None:
    async def body(it: NamedRun) -> None:
        add(it, "web", "a", ports=2)
        with socket.create_server(("0.0.0.0", PORT)):
            await it.run.read()
            await it.run.start()
            [line] = it.helper.lines
            assert "web" in line.names, "the other port is of use"
            [state] = [event for event in it.told if isinstance(event, ServiceState)]
            assert (state.state, state.reason) == ("failing", f"port {PORT} is in use by python (pid {os.getpid()})")
        await asyncio.sleep(6)
        assert [event.state for event in it.told if isinstance(event, ServiceState)] == ["failing", "ready"]

    play(tmp_path, body)


def test_no_name_leads_to_where_another_user_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody can tell which address a name gets, and be there first; passwords are not for him."""
    real = ports.in_the_way

    def others(wanted: Sequence[tuple[str, int]]) -> list[list[Listener]]:
        return [[each._replace(uid=4711) for each in found] for found in real(wanted)]

    async def body(it: NamedRun) -> None:
        add(it, "web", "a", ports=2)
        with socket.create_server(("0.0.0.0", PORT)):
            with monkeypatch.context() as patch:
                patch.setattr(ports, "in_the_way", others)
                await it.run.read()
                await it.run.start()
                assert not it.helper.lines
                [event] = [event for event in it.told if isinstance(event, NotServed)]
                assert "so that no name leads to this address" in event.reason
                assert [event.state for event in it.told if isinstance(event, ServiceState)] == ["failing"]
            await asyncio.sleep(6)
            assert len(it.helper.lines) == 1, "it is one's own now"
            with monkeypatch.context() as patch:
                patch.setattr(ports, "in_the_way", others)
                await asyncio.sleep(6)
                assert not it.helper.lines
        await asyncio.sleep(6)
        assert len(it.helper.lines) == 1

    play(tmp_path, body)


def test_room_that_others_give_back_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the part that pods may not have."""

    async def body(it: NamedRun) -> None:
        mark = next_one() + 40
        monkeypatch.setattr(named, "listeners_mark", lambda: mark)
        for at in range(45):
            add(it, f"s{at}", "a")
        await it.run.read()
        await it.run.start()
        served = len(it.helper.lines)
        assert 30 < served < 45
        for at in range(3):
            name = it.helper.lines[at].names[0]
            it.api.delete(SERVICES, name)
        await asyncio.sleep(12)
        assert len(it.helper.lines) == min(42, served)

    play(tmp_path, body)


def test_nothing_changes_any_more_once_it_ends(tmp_path: Path) -> None:
    async def body(it: NamedRun) -> None:
        add(it, "web", "a")
        await it.run.read()
        await it.run.start()
        add(it, "late", "a")
        await it.run.halt()
        told = len(it.told)
        await asyncio.sleep(10)
        assert len(it.told) == told
        assert len(it.helper.lines) == 1

    play(tmp_path, body)


def test_a_service_with_a_crowd_of_pods_leaves_room_for_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes first in the order of names, and again later; it has what one service may have, and nobody else less."""

    async def body(it: NamedRun) -> None:
        mark = next_one() + 64
        monkeypatch.setattr(named, "listeners_mark", lambda: mark)
        for name in ("a-crowd", "b-crowd"):
            add(it, name, *(f"pod-{at}" for at in range(20)), ports=2, clusterIP="None")
        add(it, "web", "a")
        await it.run.read()
        await it.run.start()
        assert any("web" in line.names for line in it.helper.lines)
        [text] = notes(it)
        assert "ports are not listened on: this process may have" in text
        told = len(it.told)
        await asyncio.sleep(20)
        assert len(it.told) == told, "told once"
        add(it, "late", "a")
        await asyncio.sleep(1)
        assert any("late" in line.names for line in it.helper.lines), "pods never take the last ones"
        it.api.delete(SERVICES, "a-crowd")
        await asyncio.sleep(10)
        assert len([line for line in it.helper.lines if "b-crowd" in line.names[0]]) == 21, "what was freed is used"

    play(tmp_path, body)


def test_one_service_may_take_a_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "listeners_mark", lambda: 80)

    async def body(it: NamedRun) -> None:
        add(it, "crowd", *(f"pod-{at}" for at in range(30)), clusterIP="None")
        await it.run.read()
        await it.run.start()
        assert len(it.helper.lines) == 20
        [event] = [event for event in it.told if isinstance(event, NotServed)]
        assert event.reason.startswith("it has more than 20 ports")

    play(tmp_path, body)
