"""``--local``: the laptop's own server as a service, under the service's port number too."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fairlead.dial.connection import Connection
from fairlead.features.services.served import ServedGroup
from fairlead.model.service_events import Forwarding, ServiceState
from fairlead.model.target import Backend, PodRef
from fairlead.policy.mapping import parse_mappings, parse_own
from fairlead.protocol.portforward import Outcome
from tests.support.loop import run_virtual
from tests.support.namedrun import NamedRun, named_run
from tests.support.objects import SERVICES, SLICES, endpoint, endpoint_slice, service

PORT = 20000 + os.getpid() % 10000


def play(folder: Path, body: Callable[[NamedRun, ServedGroup], Awaitable[None]], **settings: Any) -> None:
    async def main() -> None:
        async with named_run(folder, **settings) as it:
            it.api.put(SERVICES, service("web", ports=({"name": "http", "port": PORT, "protocol": "TCP"},)))
            it.api.put(SLICES, endpoint_slice("web-1", [endpoint("a")]))
            await it.run.read()
            await it.run.start()
            [served] = it.run._served.values()
            await body(it, served)

    run_virtual(main())


def states(it: NamedRun) -> list[str]:
    return [event.state for event in it.told if isinstance(event, ServiceState)]


def test_a_server_on_all_addresses_answers_by_itself(tmp_path: Path) -> None:
    """Whichever of the two was started first, and also after it was started again."""

    async def body(it: NamedRun, served: ServedGroup) -> None:
        assert it.helper.lines[0].address == served.address
        [event] = [event for event in it.told if isinstance(event, ServiceState)]
        assert event.reason == f"nothing listens on localhost:{PORT} on this machine"
        for _ in range(2):
            with socket.create_server(("0.0.0.0", PORT)) as mine:
                await asyncio.sleep(3)
                with socket.create_connection((served.address, PORT)):
                    mine.accept()[0].close()
            await asyncio.sleep(3)
        assert states(it) == ["waiting", "ready", "waiting", "ready", "waiting"]
        assert len([event for event in it.told if isinstance(event, Forwarding)]) == 2, "its return is news"

    play(tmp_path, body, local=parse_own([f"web={PORT}"]))


def test_a_server_on_localhost_alone_is_led_to(tmp_path: Path) -> None:
    """And once it has gone, one on all addresses can take its place."""

    async def body(it: NamedRun, served: ServedGroup) -> None:
        with socket.create_server(("127.0.0.1", PORT)):
            await asyncio.sleep(3)
            assert list(served.ports) == [PORT]
        await asyncio.sleep(3)
        with socket.create_server(("0.0.0.0", PORT)):
            await asyncio.sleep(3)
            assert not served.ports
            assert states(it)[-1] == "ready"

    play(tmp_path, body, local=parse_own([f"web={PORT}"]))


def test_a_name_is_not_ready_before_its_server_is_there(tmp_path: Path) -> None:
    async def body(it: NamedRun, served: ServedGroup) -> None:
        assert states(it) == ["waiting"]
        with socket.create_server(("127.0.0.1", PORT + 10_000)):
            await asyncio.sleep(3)
            assert states(it) == ["waiting", "ready"]

    play(tmp_path, body, local=parse_own([f"web={PORT + 10_000}"]))


def test_a_port_that_somebody_develops_is_needed_beside_the_others(tmp_path: Path) -> None:
    """The others go on to lead to pods; that this one leads nowhere is said all the same."""

    async def body(it: NamedRun, served: ServedGroup) -> None:
        more = ({"name": "http", "port": PORT, "protocol": "TCP"}, {"name": "own", "port": 81, "protocol": "TCP"})
        it.api.put(SERVICES, service("web", ports=more))
        await asyncio.sleep(1)
        [event] = [event for event in it.told if isinstance(event, ServiceState) and event.state == "waiting"]
        assert (event.reason, event.wait) == (f"nothing listens on localhost:{PORT} on this machine", 0)
        with socket.create_server(("127.0.0.1", PORT)):
            await asyncio.sleep(3)
            assert states(it)[-1] == "ready"
        await asyncio.sleep(3)
        assert states(it)[-1] == "waiting"

    play(tmp_path, body, local=parse_own([f"web:81={PORT}"]), mappings=parse_mappings([f"web:81:{PORT + 10_000}"]))


# -- states --


def went(served: ServedGroup, pod: str, failure: str = "") -> None:
    """A connection to this pod has had an answer, or failed."""
    route = served.ports[PORT].route
    backend = Backend(PodRef("ns", pod, f"uid-{pod}"), 8080)
    connection = cast("Connection", SimpleNamespace(backend=backend, outcome=Outcome.RESET))
    if failure:
        route.failed(connection, backend, failure)
    else:
        route.answered(connection)


def test_a_name_is_proved_when_bytes_came_back_and_failing_with_the_last_reason(tmp_path: Path) -> None:
    async def body(it: NamedRun, served: ServedGroup) -> None:
        went(served, "a")
        went(served, "a")
        went(served, "a", "one")
        went(served, "a", "one")
        went(served, "a", "two")
        went(served, "a")
        found = [(event.state, event.reason) for event in it.told if isinstance(event, ServiceState)]
        assert found == [("ready", ""), ("proved", ""), ("failing", "one"), ("failing", "two"), ("proved", "")]
        at = [event.at for event in it.told if isinstance(event, ServiceState) and event.state == "proved"]
        assert all(each.startswith("20") and each.endswith("Z") for each in at)

    play(tmp_path, body)


@pytest.mark.parametrize("failure", ["", "refused"])
def test_what_a_pod_has_shown_goes_with_it(failure: str, tmp_path: Path) -> None:
    async def body(it: NamedRun, served: ServedGroup) -> None:
        went(served, "a", failure)
        it.api.put(SLICES, endpoint_slice("web-1", [endpoint("a"), endpoint("b")]))
        await asyncio.sleep(1)
        assert states(it)[-1] != "ready"
        it.api.put(SLICES, endpoint_slice("web-1", [endpoint("b")]))
        await asyncio.sleep(1)
        assert states(it)[-1] == "ready"

    play(tmp_path, body)
