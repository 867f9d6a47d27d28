"""``kubectl rollout restart`` under load: 50 new connections a second from inside, each with its full answer."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.rollouts import rollouts, start
from tests.support.run_user import Inside
from tests.support.world import World, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(150)]
RATE = 50


@pytest.mark.parametrize(("name", "seconds", "times"), [("polite", 4, 2), ("rude", 0, 1)])
def test_a_rollout(name: str, seconds: int, times: int, app: World, inside: Inside) -> None:
    """Of a program that serves on after SIGTERM, nothing fails; one that stops at once takes its answers along."""
    start(app, name, seconds)
    within(2, lambda: inside.call("addresses", name), "its name")
    inside.call("load", name, 80, RATE)
    asyncio.run(rollouts(app, name, times))
    asked, wrong = inside.call("load_end")
    print(f"{name}: {asked} connections, {wrong} wrong")
    assert asked > RATE
    assert sum(wrong.values()) <= (0 if seconds else times * 3 * 3)
