"""SIGKILL for a run, its helper or both at any moment, from the first one on, while others write the hosts file too."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fairlead.policy.hostsblock import blocks
from tests.real.conftest import StartServices
from tests.support.running import FAIRLEAD
from tests.support.serving import USUAL, Services
from tests.support.world import World, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(60)]
KILLS = 50
LATEST = 1.2
"""Seconds after the start, when all has long been written."""
TEMP = Path("/tmp")
OTHERS = ("fairlead-etc-",)
"""What tests beside this one make in the temp folder."""


@contextmanager
def another_writer(path: Path, chance: random.Random) -> Iterator[list[bytes]]:
    """Somebody who adds lines at the end, as installers do; what was added."""
    added: list[bytes] = []
    over = threading.Event()

    def write() -> None:
        while not over.wait(chance.uniform(0.02, 0.2)):
            line = f"\n10.1.1.{len(added) + 1} other-{len(added)}".encode()
            with open(path, "ab") as file:
                file.write(line)
            added.append(line)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield added
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("seed", range(KILLS))
def test_killed_at_any_moment(seed: int, app: World, services: StartServices) -> None:
    chance = random.Random(seed)
    before = temporary()
    # Without a folder for the time of a session, too: there is none in containers, nor after su.
    running = services(env={"XDG_RUNTIME_DIR": ""} if seed % 2 else {})
    with another_writer(running.hosts_file, random.Random(seed)) as added:
        time.sleep(chance.uniform(0, LATEST))  # any moment: the point of the test
        whole = kill(running, ("main", "helper", "both")[seed % 3])
        if whole:
            end(running)
    content = running.hosts_file.read_bytes()
    theirs = USUAL + b"".join(added)
    if not whole:
        assert content.endswith(theirs), "theirs is whole"
        assert all(block.owner.pid == running.process.pid for block in blocks(content))
        done = subprocess.run(
            [*FAIRLEAD, "clean", f"--hosts-file={running.hosts_file}"],
            env={**os.environ, **running.folders},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done
    assert running.hosts_file.read_bytes() == theirs
    running.kill()
    assert temporary() <= before
    assert running.files(running.runtime) == []


def temporary() -> set[Path]:
    """What has our name where anybody may leave files."""
    return {path for path in TEMP.glob("fairlead*") if not path.name.startswith(OTHERS)}


def kill(running: Services, who: str) -> bool:
    """Whether what is left of the run still undoes all."""
    helpers = running.helpers()
    if who != "helper":
        running.process.kill()
        running.process.wait()
    if who != "main":
        for pid in helpers:
            os.kill(pid, signal.SIGKILL)
    return who != "both"


def end(running: Services) -> None:
    """Wait until all is undone: by the helper that is left, or by the run at an orderly end."""
    running.process.send_signal(signal.SIGINT)
    running.process.wait(15)
    within(5, lambda: not running.helpers(), "the helper's end")
