"""SIGKILL for a run or for what holds its network, at any moment from the first one on: nothing is left."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.real.conftest import StartRun
from tests.support.run_user import Run, RunUser
from tests.support.world import World, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(60)]
KILLS = 20
LATEST = 1.2
"""Seconds after the start, when the command has long been running on a machine that is not busy."""
TOLD = 1.0
"""Seconds until the command gets SIGTERM: promised."""
COMMAND = "trap 'read -r now _ < /proc/uptime; echo $now > told; exit 0' TERM; : > up; while :; do read -t 100; done"


@pytest.fixture(autouse=True)
def clean_home(app: World, user: RunUser) -> None:
    for name in ("up", "told"):
        (user.home / name).unlink(missing_ok=True)


@pytest.mark.parametrize("seed", range(KILLS))
def test_killed_at_any_moment(seed: int, run: StartRun, user: RunUser) -> None:
    chance = random.Random(seed)
    before = user.machine()
    with run("bash", "-c", COMMAND) as running:
        time.sleep(chance.uniform(0, LATEST))  # any moment: the point of the test
        ran = kill(running, "holder" if seed % 2 else "supervisor", user.home / "up")
        killed = time.clock_gettime(time.CLOCK_BOOTTIME)
        running.process.wait(5)
        user.wait_nothing_left()
        if ran:
            told = float((user.home / "told").read_text())
            assert told - killed < TOLD, "seconds until SIGTERM"
        for name in ("up", "told"):
            (user.home / name).unlink(missing_ok=True)
        assert user.machine() == before
        assert "Traceback" not in running.said(), running.said()


def kill(running: Run, who: str, up: Path) -> bool:
    """Whether the command ran by then."""
    holder = holder_of(running)
    ran = up.exists()
    try:
        os.kill(holder if who == "holder" and holder else running.process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it ended meanwhile
    return ran


def holder_of(running: Run) -> int:
    """The first child of the supervisor, if it has one by now."""
    pid = running.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0]) if children else 0


def test_both_are_killed(run: StartRun, user: RunUser) -> None:
    """Nobody is left who could end the command: the kernel tells it that its parent is gone."""
    with run("bash", "-c", COMMAND) as running:
        within(20, (user.home / "up").exists, "the command runs")
        for pid in (holder_of(running), running.process.pid):
            os.kill(pid, signal.SIGKILL)
        running.process.wait(5)
        user.wait_nothing_left()
        assert (user.home / "told").exists()
