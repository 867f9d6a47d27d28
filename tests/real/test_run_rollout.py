"""``kubectl rollout restart`` under load: 50 new connections a second from inside, each with its full answer."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.rollouts import rollouts, start
from tests.support.run_user import Inside
from tests.support.world import World, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(150)]
RATE = 50


def test_rollouts(app: World, inside: Inside) -> None:
    """Of a program that serves on after SIGTERM, nothing fails."""
    start(app, "polite", 4)
    within(2, lambda: inside.call("addresses", "polite"), "its name")
    inside.call("load", "polite", 80, RATE)
    asyncio.run(rollouts(app, "polite", 2))
    asked, wrong = inside.call("load_end")
    assert asked > RATE
    assert wrong == {}
