"""The node's namespaces: what is in them, and that nothing is left of them however they end."""

from __future__ import annotations

import os
import signal
import time

import pytest

from fairlead.lab.node.enter import GRACE, SCRATCH_BYTES
from tests.support.labuser import END, LabRun, LabUser
from tests.support.world import within

pytestmark = pytest.mark.lab

SECOND = 1.0
"""In which all is over once the outer process is gone; a busy machine has some more."""


def test_what_is_inside(lab_user: LabUser) -> None:
    with lab_user.run("plain_facts") as run:
        found = run.line()
        assert run.wait() == 7
    link = found.pop("link")
    assert found == {
        "pid": 2,
        "processes": 2,
        "hostname": "lab-node",
        "user": 0,
        "addresses": ["10.244.0.1/24", "127.0.0.1/8", "192.0.2.2/32"],
        "forward": "1",
        "scratch": SCRATCH_BYTES,
        "descriptors": [link],
    }


def test_a_crash_is_shown_and_ends_all(lab_user: LabUser) -> None:
    with lab_user.run("plain_crash") as run:
        assert run.wait() == 125
    assert run.err[-1] == "LookupError: a bug"


def test_init_reaps_orphans(lab_user: LabUser) -> None:
    assert lab_user.found("plain_orphans") == {"left": []}


def over(run: LabRun, limit: float) -> float:
    """Wait until nothing lives inside; how long that took."""
    began = time.monotonic()
    within(limit, lambda: not run.inside(), "the end", pause=0.005)
    return time.monotonic() - began


@pytest.mark.parametrize("scenario", ["plain_wait_for_the_end", "plain_deaf"])
def test_the_death_of_the_outer_process_ends_all(lab_user: LabUser, scenario: str) -> None:
    with lab_user.run(scenario) as run:
        found = run.line()
        run.processes()
        run.process.kill()
        took = over(run, END)
        if scenario == "plain_wait_for_the_end":
            assert took < GRACE, "who listens need not be ended"
        else:
            assert GRACE * 0.9 < took < SECOND + 0.5
    os.rmdir(found["folder"])


@pytest.mark.parametrize("which", [1, 2, 3])
def test_the_death_of_any_process_that_holds_it_ends_all(lab_user: LabUser, which: int) -> None:
    """The one that made it, init, and main."""
    with lab_user.run("busy") as run:
        run.line()
        os.kill(run.processes()[which], signal.SIGKILL)
        over(run, END)
        assert run.wait() != 0


@pytest.mark.parametrize("which", range(4, 10))
def test_the_death_of_any_other_process_ends_what_depends_on_it(lab_user: LabUser, which: int) -> None:
    """Both holders of pods, a server, a shell and its children; then all ends with the outer process."""
    with lab_user.run("busy") as run:
        folder = run.line()["folder"]
        processes = run.processes()
        assert len(processes) == 10
        os.kill(processes[which], signal.SIGKILL)
        within(END, lambda: processes[which] not in run.inside(), "its end", pause=0.005)
        assert set(processes[:4]) <= set(run.processes())
        run.process.send_signal(signal.SIGTERM)
        over(run, END)
    os.rmdir(folder)
