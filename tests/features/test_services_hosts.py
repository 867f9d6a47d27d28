"""What a run of services does when its hosts file does not do as it is told, and what it needs to be able to."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from fairlead.errors import MachineError
from fairlead.host.privilege import LowPort
from fairlead.model.service_events import NotServed, Ready
from fairlead.policy.addresses import parse_reservations
from fairlead.policy.mapping import parse_mappings, parse_own, parse_patterns
from tests.support.loop import run_virtual
from tests.support.namedrun import NamedRun, named_run, taken
from tests.support.objects import SERVICES, SLICES, endpoint, endpoint_slice, service

PORT = 20000 + os.getpid() % 10000
WEB = LowPort(PORT, "web", PORT)


def port(number: int, target: int = 8080) -> dict[str, Any]:
    return {"name": f"p{number}", "port": number, "targetPort": target, "protocol": "TCP"}


def play(folder: Path, body: Callable[[NamedRun], Awaitable[None]], **settings: Any) -> None:
    async def main() -> None:
        async with named_run(folder, **settings) as it:
            it.api.put(SERVICES, service("web", ports=(port(PORT),)))
            it.api.put(SLICES, endpoint_slice("web-1", [endpoint("a")]))
            await body(it)

    run_virtual(main())


def listens(address: str) -> bool:
    return taken(address, PORT)


def test_nothing_is_ready_whose_names_could_not_be_written(tmp_path: Path) -> None:
    async def body(it: NamedRun) -> None:
        it.helper.broken = 1.0
        await it.run.read()
        with pytest.raises(MachineError, match="the disk is full"):
            await it.run.start()
        assert not [event for event in it.told if isinstance(event, Ready)]

    play(tmp_path, body)


@pytest.mark.parametrize("how", ["broken", "gone"])
def test_a_name_that_cannot_be_removed_goes_on_leading_to_us(how: str, tmp_path: Path) -> None:
    """A stranger could listen on its address otherwise."""

    async def body(it: NamedRun) -> None:
        await it.run.read()
        await it.run.start()
        (line,) = it.helper.lines
        helper = it.hosts.helper
        it.helper.broken = 1.0
        if how == "gone":
            it.hosts.helper = None
        it.api.delete(SERVICES, "web")
        await asyncio.sleep(30)
        assert listens(line.address)
        it.helper.broken, it.hosts.helper = 0.0, helper
        it.hosts.again()
        await asyncio.sleep(6)
        assert it.helper.lines == ()
        assert not listens(line.address)

    play(tmp_path, body)


def test_a_service_that_is_back_before_its_name_could_be_removed(tmp_path: Path) -> None:
    async def body(it: NamedRun) -> None:
        await it.run.read()
        await it.run.start()
        (line,) = it.helper.lines
        it.helper.broken = 1.0
        it.api.delete(SERVICES, "web")
        await asyncio.sleep(10)
        it.api.put(SERVICES, service("web", ports=(port(PORT),)))
        it.helper.broken = 0.0
        await asyncio.sleep(10)
        assert it.helper.lines == (line,)
        assert listens(line.address)

    play(tmp_path, body)


@pytest.mark.parametrize(
    ("settings", "lowest"),
    [
        ({}, LowPort(80, "low", 80)),
        ({"only": parse_patterns("--only", ["web"])}, WEB),
        ({"mappings": parse_mappings(["80:30080"])}, WEB),
        ({"mappings": parse_mappings([f"{PORT}:79"])}, LowPort(79, "web", PORT)),
        ({"exclude": parse_patterns("--exclude", ["low"]), "local": parse_own(["web=3000"])}, WEB),
    ],
)
def test_the_lowest_port_is_of_what_is_served(settings: dict[str, Any], lowest: LowPort, tmp_path: Path) -> None:
    async def body(it: NamedRun) -> None:
        it.api.put(SERVICES, service("low", ports=(port(80),)))
        it.api.put(SERVICES, service("out", type="ExternalName", externalName="x.example", ports=(port(22),)))
        await it.run.read()
        assert it.run.lowest_port == lowest

    play(tmp_path, body, **settings)


def test_a_headless_service_listens_on_its_pods_ports_too(tmp_path: Path) -> None:
    async def body(it: NamedRun) -> None:
        it.api.put(SERVICES, service("web", ports=(port(PORT, 81),), clusterIP="None"))
        await it.run.read()
        assert it.run.lowest_port == LowPort(81, "web")

    play(tmp_path, body)


def test_a_reserved_name_that_goes_from_one_pod_to_the_next(tmp_path: Path) -> None:
    """Both claim it while one takes the other's place, and both are listened for."""
    address = f"127.93.{os.getpid() % 250}.{os.getpid() // 250 % 250 + 1}"

    async def body(it: NamedRun) -> None:
        it.api.put(SERVICES, service("web", ports=(port(PORT, PORT),), clusterIP="None"))
        old, new = ({**endpoint(name), "hostname": "same"} for name in "ab")

        def have(*pods: object) -> None:
            it.api.put(SLICES, endpoint_slice("web-1", pods, ports=[port(PORT)]))

        have(old)
        await it.run.read()
        await it.run.start()
        owner = {name: line.address for line in it.helper.lines for name in line.names}
        assert owner["same.web"] == owner["a.web"] == address
        have(old, new)
        await asyncio.sleep(1)
        owner = {name: line.address for line in it.helper.lines for name in line.names}
        assert owner["same.web"] == owner["a.web"] == address != owner["b.web"]
        assert listens(owner["a.web"])
        assert listens(owner["b.web"])
        have(new)
        await asyncio.sleep(1)
        assert listens(owner["b.web"])
        assert {name: line.address for line in it.helper.lines for name in line.names}["same.web"] == owner["b.web"]
        have(old)
        await asyncio.sleep(6)
        assert not [event for event in it.told if isinstance(event, NotServed)], "one takes the other's place at once"

    play(tmp_path, body, reserve=parse_reservations([f"same.web={address}"]))
