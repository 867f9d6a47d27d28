"""The end of a run is its command's; what the command leaves behind is waited for, or ended with it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.real.conftest import StartRun
from tests.support.run_user import Run, RunUser
from tests.support.world import World, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(60)]
LOUD = "trap 'echo got {0}; exit 5' {0}; echo up; while :; do read -t 100; done"
"""A bash that says which signal it got."""


@pytest.fixture(autouse=True)
def pods(app: World) -> World:
    return app


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("exit 0", 0),
        ("exit 7", 7),
        ("exit 255", 255),
        ("kill -TERM $$", 143),
        ("kill -KILL $$", 137),
        ("curl -sS -o /dev/null http://app/pod && exit 3", 3),
    ],
)
def test_its_exit_code_is_the_commands(script: str, code: int, run: StartRun) -> None:
    with run("sh", "-c", script) as running:
        running.wait_end(code)


@pytest.mark.parametrize(
    ("command", "why"), [("no-such-program", "No such file"), ("./page", "Permission denied"), ("/etc", "denied")]
)
def test_a_command_that_cannot_run(command: str, why: str, run: StartRun, user: RunUser) -> None:
    (user.home / "page").write_text("not a program")
    with run(command) as running:
        running.wait_end(12)
        assert f"cannot run {command}: " in running.said()
        assert why in running.said()


def test_what_it_writes_is_its_own(run: StartRun) -> None:
    with run("sh", "-c", "echo out; echo err >&2") as running:
        running.wait_end(0)
    assert running.out == ["out"]
    assert "err" in running.err


def test_a_command_that_forks_and_ends_well(run: StartRun, user: RunUser) -> None:
    """As a daemon's first process does: the daemon has the network, and the run goes on until its end."""
    later = "until [ -e go ]; do sleep 0.05; done; curl -sS http://app/pod > answer"
    with run("sh", "-c", f"({later}) & exit 0") as running:
        running.wait_line("has ended and left")
        assert running.process.poll() is None
        (user.home / "go").touch()
        within(10, lambda: running.process.poll() is not None, "its end")
        assert (user.home / "answer").read_text() == "app"
        for name in ("go", "answer"):
            (user.home / name).unlink()
        running.check_end(0)


def test_a_daemon_is_ended_with_the_run(run: StartRun) -> None:
    with run("sh", "-c", "setsid sleep 1005 & exit 0") as running:
        running.wait_line("has ended and left sleep (pid ")
        running.process.terminate()
        running.wait_end(0)


def test_what_a_command_that_fails_leaves_is_ended(run: StartRun) -> None:
    """In sessions of their own, too, and those that do not listen to SIGTERM."""
    script = "sleep 1006 & setsid sleep 1007 & exit 9"
    with run("sh", "-c", script) as running:
        running.wait_end(9)


def test_what_does_not_listen_is_killed(run: StartRun, user: RunUser) -> None:
    with run("sh", "-c", "setsid bash -c 'trap : TERM; touch up; while :; do sleep 0.1; done' & exit 0") as running:
        running.wait_line("has ended and left")
        within(10, (user.home / "up").exists, "the trap")
        (user.home / "up").unlink()
        running.process.terminate()
        running.wait_end(0)


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2]
)
def test_a_signal_is_the_commands(number: signal.Signals, run: StartRun) -> None:
    """What becomes of it is the command's to say."""
    name = number.name.removeprefix("SIG")
    with run("bash", "-c", LOUD.format(name)) as running:
        running.wait_line("up")
        running.process.send_signal(number)
        running.wait_line(f"got {name}")
        running.wait_end(5)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_ends_the_command(number: signal.Signals, run: StartRun) -> None:
    with run("sh", "-c", "echo up; exec sleep 1008") as running:
        running.wait_line("up")
        running.process.send_signal(number)
        running.wait_end(128 + number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_the_command_runs(number: signal.Signals, run: StartRun, user: RunUser) -> None:
    """It never does, and nothing is left; at the very first, signals do what they do to any program."""
    quiet = {name: value for name, value in user.env.items() if name != "PYTHONWARNINGS"}
    with run("touch", "ran", env=quiet) as running:
        within(10, lambda: children_of(running), "the process that holds the network", pause=0.001)
        running.process.send_signal(number)
        assert running.process.wait(10) in (128 + number, -number)
        running.check_end()
        assert not (user.home / "ran").exists()


def children_of(running: Run) -> list[str]:
    pid = running.process.pid
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_a_command_that_closes_everything(run: StartRun) -> None:
    """Nothing depends on descriptors that it might close, nor on the folder that it is in."""
    script = "mkdir gone; cd gone; rmdir ../gone; exec 0<&- 1>&- 2>&-; curl -sf -o /dev/null http://app/pod && exit 4"
    with run("bash", "-c", script) as running:
        running.wait_end(4)


def test_nothing_of_ours_is_open_in_the_command(run: StartRun) -> None:
    with run("sh", "-c", "ls /proc/self/fd") as running:
        running.wait_end(0)
        assert running.out == ["0", "1", "2", "3"], "3 is the folder that ls reads"


def test_it_has_no_rights_that_its_user_lacks(run: StartRun) -> None:
    """Nor does anybody trace it."""
    with run("cat", "/proc/self/status") as running:
        running.wait_end(0)
        status = dict(line.split(":\t", 1) for line in running.out if ":\t" in line)
        assert status["TracerPid"] == "0"
        assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}
