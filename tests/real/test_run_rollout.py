"""``kubectl rollout restart`` under load: 50 new connections a second from inside, each with its full answer."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.support.podclient import HANG
from tests.support.rollouts import REFUSED, rollouts, start
from tests.support.run_user import START, Inside
from tests.support.world import World, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(150)]
RATE = 50
ROLLOUTS = 2


def asked_during(app: World, inside: Inside, name: str) -> dict[str, int]:
    """What went wrong of the load during the rollouts, by the name of the error; after them, nothing does."""
    inside.call("load", name, 80, RATE)
    asyncio.run(rollouts(app, name, ROLLOUTS))
    asked, wrong = inside.call("load_end", limit=HANG + START)
    assert asked > RATE
    inside.call("load", name, 80, RATE)
    time.sleep(1)
    assert inside.call("load_end", limit=HANG + START)[1] == {}
    found: dict[str, int] = wrong
    return found


def test_a_program_that_serves_on_after_sigterm(app: World, inside: Inside) -> None:
    """Nothing fails."""
    start(app, "polite", 4)
    within(2, lambda: inside.call("addresses", "polite"), "its name")
    assert asked_during(app, inside, "polite") == {}


def test_a_program_that_stops_at_once(app: World, inside: Inside) -> None:
    """Not one fails by a refused dial, and nothing hangs; what it had begun to answer is lost, and who was silent."""
    start(app, "rude", 0)
    within(2, lambda: inside.call("addresses", "rude"), "its name")
    silent = [f"silent {number}" for number in range(6)]
    for key in silent:
        inside.call("hold", key, "rude", 80)
    wrong = asked_during(app, inside, "rude")
    ends = [inside.call("ended", key, HANG, limit=HANG + START) for key in silent]
    print(f"rude: {wrong} lost; {ends}")
    assert "TimeoutError" not in wrong
    assert set(ends) <= {"", "ECONNRESET"}
    assert [line for line in inside.err if any(said in line for said in REFUSED)] == []
    # On a busy machine it takes half a second to hear that a pod ends, each of which has a third of the load.
    assert sum(wrong.values()) <= 3 * ROLLOUTS * RATE / 3 / 2
