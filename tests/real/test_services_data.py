"""What goes through names: much of it, broken ends, pods that are replaced under load, and pods that are lost."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter

import pytest

from tests.real.conftest import StartServices
from tests.support import podapp, podclient
from tests.support.serving import CHANGED, Services
from tests.support.world import World, port, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]
P = podapp.BASE
MIB = 1 << 20
RATE = 50
STREAM = 12.0
"""Seconds of a download that began before a rollout."""


@pytest.fixture(scope="module")
def all_ports(app: World) -> World:
    """One pod, with all that the test program does behind one name."""
    ports = [port(P + offset) for offset in (podapp.SOURCE, podapp.SINK, podapp.SLOW, podapp.RESET, podapp.HALF)]
    app.apply(app.service("all", [port(80, "http"), *ports, port(7999)], app="app"))
    return app


def test_errors_of_some_do_not_hurt_others(all_ports: World, services: StartServices) -> None:
    """Transfers beside connections to a port that nobody listens on, and others that the server resets."""
    with services("--only", "all") as running:
        address = running.names()["all"]

        async def broken(number: int) -> None:
            try:
                async with podclient.connection(number, address) as (reader, writer):
                    writer.write(b"1000\n")
                    while await reader.read(65536):
                        pass
            except ConnectionError:
                pass

        async def whole() -> None:
            transfers = [podclient.download(P + podapp.SOURCE, 20 * MIB, address) for _ in range(5)]
            transfers += [podclient.upload(P + podapp.SINK, 20 * MIB, address) for _ in range(5)]
            refused = [broken(7999) for _ in range(50)]
            reset = [broken(P + podapp.RESET) for _ in range(50)]
            await podclient.together(*transfers, *refused, *reset)
            assert await podclient.pod_of(80, address) == "app"

        podclient.run(whole())
        assert len(running.told("connection-failed", port=7999)) >= 1
        assert {event["port"] for event in running.told("connection-failed")} <= {7999, P + podapp.RESET}
        running.wait_told("service-state", 5, service="all", state="failing")


def test_one_that_stops_reading_holds_nobody_up(all_ports: World, services: StartServices) -> None:
    with services("--only", "all") as running:
        address = running.names()["all"]

        async def check() -> None:
            async with podclient.connection(P + podapp.SOURCE, address) as (_, writer):
                writer.write(b"200000000 1\n")  # and is never read
                before = running.memory
                await podclient.together(
                    *[podclient.download(P + podapp.SOURCE, 50 * MIB, address) for _ in range(2)],
                    *[podclient.upload(P + podapp.SINK, 2 * MIB, address) for _ in range(20)],
                )
                assert running.memory - before < 64 * MIB

        podclient.run(check())


def test_half_closed(all_ports: World, services: StartServices) -> None:
    """The program's end of its side arrives as such; containerd cuts what is sent more than a second after it."""
    with services("--only", "all") as running:

        async def check() -> None:
            async with podclient.connection(P + podapp.HALF, running.names()["all"]) as (reader, _):
                assert await reader.readexactly(100_000) == b"".join(podapp.blocks(100_000, 2))
                assert await reader.read() == b""

        podclient.run(check())


async def kubectl(world: World, *words: str) -> None:
    await asyncio.to_thread(world.kubectl, *words, limit=120)


def test_rollouts_under_load(world: World, services: StartServices) -> None:
    """No connection fails, name and address stay, and a download from an old pod comes to its end."""
    rolling = {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}
    made = world.workload("Deployment", "rolls", f"--on-term={STREAM + 3}", replicas=3, more=rolling)
    made["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 40
    world.start(made, world.service("rolls", [port(80, "http"), port(81, P + podapp.SOURCE)]))
    size = 100 * MIB
    with services("--only", "rolls") as running:
        address, old = running.names()["rolls"], running.pods_of("rolls", times=30)
        assert len(old) == 3

        async def slowly() -> None:
            """Its bytes are asked for over so long a time."""
            count, began = 0, time.monotonic()
            async with podclient.connection(81, address) as (reader, writer):
                writer.write(f"{size} 7\n".encode())
                while data := await reader.read(MIB):
                    count += len(data)
                    await asyncio.sleep(max(0.0, began + STREAM * count / size - time.monotonic()))
            assert count == size

        async def rollouts() -> None:
            for _ in range(2):
                await kubectl(world, "rollout", "restart", "deploy/rolls")
                await kubectl(world, "rollout", "status", "deploy/rolls", "--timeout=100s")

        async def whole() -> tuple[int, Counter[str]]:
            async with asyncio.TaskGroup() as group:
                stream = group.create_task(slowly())
                work = group.create_task(rollouts())
                loading = group.create_task(podclient.load(80, RATE, lambda: work.done() and stream.done(), address))
            return loading.result()

        asked, wrong = podclient.run(whole(), 170)
        print(f"{asked} connections, {dict(wrong)} wrong")
        assert wrong == {}
        assert running.told("connection-failed") == []
        assert running.names()["rolls"] == address
        assert running.pods_of("rolls", times=30).isdisjoint(old)


def test_a_lost_pod(world: World, services: StartServices) -> None:
    """Its name goes on to resolve, connections wait, and the first is served soon after the next pod is ready."""
    world.start(world.workload("Deployment", "lost", "--delay=2"), world.service("lost", [port(80, "http")]))
    with services("--only", "lost") as running:
        address = running.names()["lost"]
        for round_ in range(1, 4):
            old = running.pod_of("lost")
            world.kill(old)
            running.wait_told("service-state", 5, round_, service="lost", state="waiting")
            with socket.create_connection((address, 80), timeout=30) as waits:
                waits.sendall(b"GET /pod HTTP/1.1\r\n\r\n")
                new = ready_pod(world, running)
                ready = time.monotonic()
                assert new.encode() in waits.recv(1000)
                assert time.monotonic() - ready < CHANGED
            assert running.names()["lost"] == address


def ready_pod(world: World, running: Services) -> str:
    """Wait until a pod is ready, and return it."""

    def look() -> str:
        for pod in world.pods("lost"):
            for condition in pod["status"].get("conditions", []):
                if condition["type"] == "Ready" and condition["status"] == "True":
                    return str(pod["metadata"]["name"])
        return ""

    found: str = within(30, look, f"a pod is ready ({running.said()[-1000:]})")
    return found
