"""``kubectl rollout restart`` under load: 50 new connections a second, each one request with its full answer."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable

import pytest

from tests.real.conftest import Start, options
from tests.support import podapp, podclient
from tests.support.running import Forward
from tests.support.world import World, port

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
HTTP = podapp.BASE + podapp.HTTP
RATE = 50
ROLLOUTS = 3
REFUSED = ("failed to connect to localhost", "connection refused", "network namespace for sandbox", "not running")
"""Words of a server that could not dial; what it says of a connection that broke off is another matter."""


def start(world: World, name: str, seconds: float) -> None:
    """3 replicas that serve for so long after SIGTERM, probed every second, never fewer than 3; and a client inside."""
    made = world.workload(
        "Deployment",
        name,
        f"--on-term={seconds}",
        replicas=3,
        more={"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}},
    )
    service = world.service(name, [port(80, "http")])
    world.start(made, service)
    address = world.get("service", name)["spec"]["clusterIP"]
    world.start(world.pod(f"{name}-client", f"--client={address}:80"))


async def kubectl(world: World, *words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        world.kubectl_path, *options(world), *words, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, words
    return out.decode()


async def rollouts(world: World, name: str) -> None:
    for _ in range(ROLLOUTS):
        await kubectl(world, "rollout", "restart", f"deploy/{name}")
        await kubectl(world, "rollout", "status", f"deploy/{name}", "--timeout=100s")
    # Until the last of the old pods has served what it serves.
    names: list[str] = []
    for _ in range(150):
        names = (await kubectl(world, "get", "pods", "-l", f"app={name}", "-o", "name")).split()
        if len(names) == 3:
            return
        await asyncio.sleep(0.2)
    raise AssertionError(f"old pods stay: {names}")


async def load(local: int, done: Callable[[], bool]) -> tuple[int, Counter[str]]:
    """Connections at a fixed rate, whatever becomes of those before; how many, and what went wrong."""
    wrong: Counter[str] = Counter()
    loop = asyncio.get_running_loop()

    async def one(number: int) -> None:
        try:
            await podclient.ask(local, number)
        except (ConnectionError, EOFError, AssertionError) as error:
            wrong[type(error).__name__] += 1

    due, number = loop.time(), 0
    async with asyncio.TaskGroup() as group:
        while not done():
            due += 1 / RATE
            number += 1
            group.create_task(one(number))
            await asyncio.sleep(max(0.0, due - loop.time()))
    return number, wrong


def run(world: World, name: str, running: Forward) -> tuple[int, Counter[str]]:
    """The rollouts under load."""

    async def together() -> tuple[int, Counter[str]]:
        async with asyncio.TaskGroup() as group:
            work = group.create_task(rollouts(world, name))
            loading = group.create_task(load(running.port(HTTP), work.done))
        return loading.result()

    return podclient.run(together(), 240)


def inside(world: World, name: str, start: Start) -> dict[str, int]:
    """What the client in the cluster has counted, which comes through kube-proxy."""
    with start(f"pod/{name}-client", f":{HTTP}") as running:
        counted: dict[str, int] = json.loads(podclient.run(podclient.http(running.port(HTTP), "/stats"))[1])
    return counted


def test_a_program_that_serves_on_after_sigterm(world: World, forward: Start) -> None:
    """Not one failure."""
    start(world, "polite", 5)
    with forward("svc/polite", ":80") as running:
        asked, wrong = run(world, "polite", running)
        print(f"polite: {asked} connections, {dict(wrong)} wrong; kube-proxy: {inside(world, 'polite', forward)}")
        assert wrong == {}
        assert running.told("connection-failed") == []
        assert len(running.told("pod-new")) >= 3 * ROLLOUTS


def test_a_program_that_stops_at_once(world: World, forward: Start) -> None:
    """Not one failure by a refused dial; answers that the program took along are lost, as they are inside."""
    start(world, "rude", 0)
    with forward("svc/rude", ":80") as running:
        asked, wrong = run(world, "rude", running)
        print(f"rude: {asked} connections, {dict(wrong)} lost; kube-proxy: {inside(world, 'rude', forward)}")
        failed = [event["words"] for event in running.told("connection-failed")]
        assert [words for words in failed if any(said in words for said in REFUSED)] == []
        # Asking 50 times a second, three rollouts of three pods can cut off only what is under way at nine moments.
        assert sum(wrong.values()) <= 3 * ROLLOUTS * 3
