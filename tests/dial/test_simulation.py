"""Whatever happens in whatever order: nothing hangs, no byte is lost or changed in silence, and nothing is left."""

from __future__ import annotations

import asyncio

import pytest

from fairlead.dial import connection as connection_module
from fairlead.dial import hold
from fairlead.dial import lane as lane_module
from fairlead.dial.connection import Connection, State
from fairlead.dial.pool import Lanes
from fairlead.kit.tasks import Background
from fairlead.policy import silence
from tests.support.loop import run_virtual
from tests.support.program import Program
from tests.support.simulated import World
from tests.support.simulated_wire import TCP_TIMEOUT

SEEDS = 200
BATCHES = 8


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a few kilobytes reach every one of them."""
    monkeypatch.setattr(lane_module, "WRITE_HIGH_WATER", 16_000)
    monkeypatch.setattr(lane_module, "MAX_UNSENT", 10_000_000)
    monkeypatch.setattr(hold, "SHARED_UNREAD", 40_000)
    monkeypatch.setattr(hold, "LANE_UNREAD", 60_000)
    monkeypatch.setattr(connection_module, "KEPT", 4000)
    monkeypatch.setattr(silence, "MUCH", 10_000)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_every_seed(batch: int) -> None:
    for seed in range(batch, SEEDS, BATCHES):
        try:
            run_virtual(simulate(seed))
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise


async def simulate(seed: int) -> None:
    async with Background() as tasks:
        world = World(seed, tasks, limit=1 + seed % 4, kernel_tells=seed % 3 > 0)
        await world.disturb(30)
        world.calmed.set()
        await asyncio.sleep(2 * TCP_TIMEOUT)
        for connection, program in world.programs.items():
            check(world, connection, program)
        assert sorted(map(id, world.ended)) == sorted(map(id, world.programs))
        assert not world.waiting
        check_lanes(world)
        await world.lanes.close(1.0)
        assert all(lane.gone.done() for lane in world.lanes_made)
        assert not tasks
    left = [timer for timer in world.loop._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
    assert len(left) <= 1, left  # the test's own limit


def check(world: World, connection: Connection, program: Program) -> None:
    """It is over, and what each side got is what the other sent."""
    apps = world.apps.get(program.port, [])
    about = f"port {program.port}, {[app.kind for app in apps]}, {program.over}, {world.failures.get(connection)!r}"
    assert connection.state is State.OVER, about
    assert program.over, about
    held = (connection._lane, connection._forward, connection._kept, connection._handle)
    assert held == (None, None, None, None), about
    for app in apps:
        assert program.sent.startswith(app.half.got), about
        assert not app.half.fin or (program.eof and app.half.got == program.sent), about
    told = world.failures.get(connection)
    assert told is None or program.over == "aborted", about
    # Without a word only when it had ended its half: it may have had all that it wanted.
    assert told is not None or program.over != "aborted" or program.eof, about
    if program.received:
        assert any(app.sent.startswith(program.received) for app in apps), about
    if program.over == "closed":
        assert any(app.complete and app.sent == program.received for app in apps), about
    # What was handed over before both sides had ended may still be lost with the network, as it may with TCP.
    if program.over == "closed" and apps[-1].kind in ("echo", "sink", "half") and not apps[-1].server.wire.gone:
        assert apps[-1].half.got == program.sent, about


def check_lanes(world: World) -> None:
    """Those that are left are idle, and hold nothing."""
    lanes: Lanes = world.lanes
    assert all(not state.waiting and not state.opening for state in lanes._pods.values())
    for lane in world.lanes_made:
        for held in (lane.riders, lane._unaccepted, lane._ending, lane.hold.blocked, lane._dirty, lane._pongs):
            assert not held
        if not lane.closed:
            assert lane.hold._patience is None
            assert lane.session.streams == 0
            assert lane.hold.reading
            assert lane.writable
            assert not lane.suspect
