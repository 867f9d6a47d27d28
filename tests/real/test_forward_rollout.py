"""``kubectl rollout restart`` under load: 50 new connections a second, each one request with its full answer."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

import pytest

from tests.real.conftest import Start
from tests.support import podapp, podclient
from tests.support.rollouts import REFUSED, rollouts, start
from tests.support.running import Forward
from tests.support.world import World

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
HTTP = podapp.BASE + podapp.HTTP
RATE = 50
ROLLOUTS = 3


def run(world: World, name: str, running: Forward) -> tuple[int, Counter[str]]:
    """The rollouts under load."""

    async def together() -> tuple[int, Counter[str]]:
        async with asyncio.TaskGroup() as group:
            work = group.create_task(rollouts(world, name, ROLLOUTS))
            loading = group.create_task(podclient.load(running.port(HTTP), RATE, work.done))
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
        assert "TimeoutError" not in wrong
        # Asking 50 times a second, three rollouts of three pods can cut off only what is under way at nine moments.
        assert sum(wrong.values()) <= 3 * ROLLOUTS * 3
