"""But for the network, all inside is as outside: a program and its user notice nothing."""

from __future__ import annotations

import os
import resource
import socket
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.real.conftest import StartRun
from tests.support import inside as program
from tests.support.run_user import HOSTS, Inside, RunUser
from tests.support.world import World, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(60)]
SOON = 2.0


@pytest.fixture(autouse=True)
def pods(app: World) -> World:
    return app


@pytest.fixture
def folder(user: RunUser) -> Iterator[Path]:
    """One that the user alone may enter, with a name that a careless program would break at."""
    made = user.home / "my files; $HOME 'é'"
    made.mkdir(mode=0o700)
    os.chown(made, user.uid, user.gid)
    yield made
    for path in sorted(made.rglob("*"), reverse=True):
        path.unlink()
    made.rmdir()


def odd() -> None:
    """What a parent may have set."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 4096))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_STACK, (4 << 20, 16 << 20))
    os.nice(3)
    os.umask(0o027)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def usual() -> None:
    pass


def outside(user: RunUser, **more: Any) -> Any:
    """What the same program sees without us."""
    process = user.popen([user.inside], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **more)
    out, _ = process.communicate(program.asked("state", ()))
    return program.answered(out)


@pytest.mark.parametrize("before", [usual, odd])
def test_what_a_process_is_given(before: Callable[[], None], user: RunUser, folder: Path, app: World) -> None:
    """Ids, folder, environment, umask, priority, limits, signals, processors, the machine's name."""
    env = {**user.env, "EMPTY": "", "LINES OF": "one\ntwo\x01", "BYTES": "\udcff", "LD_LIBRARY_PATH": "unused"}
    expected = outside(user, cwd=folder, env=env, first=before)
    with Inside(user, ["-n", app.namespace], cwd=folder, env=env, first=before) as running:
        assert running.call("state") == expected
    assert expected["folder"] == str(folder)
    assert expected["ids"] == [[user.uid] * 3, [user.gid] * 3, []]
    assert before is usual or expected["limits"]["RLIMIT_NOFILE"] == [1024, 4096]


def test_files_are_the_users(run: StartRun, user: RunUser, folder: Path) -> None:
    with run("sh", "-c", "umask 077; echo mine > file; ls -ln file; test ! -r /etc/shadow", cwd=folder) as running:
        running.process.wait(20)
        running.before["files"] = user.files()
        running.check_end(0)
        assert running.out[0].split()[:4] == ["-rw-------", "1", str(user.uid), str(user.gid)]
    made = (folder / "file").stat()
    assert (made.st_uid, made.st_gid, stat.S_IMODE(made.st_mode)) == (user.uid, user.gid, 0o600)


def test_a_folder_that_is_gone(run: StartRun, user: RunUser) -> None:
    """It is where it is, as outside."""
    script = 'mkdir gone && cd gone && rmdir ../gone && exec "$0" run -n "$1" -- readlink /proc/self/cwd'
    process = user.popen(["sh", "-c", script, user.program, "default"], stdout=subprocess.PIPE, text=True)
    said, _ = process.communicate(timeout=30)
    assert said == f"{user.home}/gone (deleted)\n"
    user.wait_nothing_left()


@pytest.mark.parametrize("kind", ["pipe", "nothing", "closed", "file"])
def test_standard_input(kind: str, run: StartRun, user: RunUser) -> None:
    script = "if read -r line; then echo got $line; else echo end; fi"
    if kind == "pipe":
        with run("sh", "-c", script, stdin=subprocess.PIPE) as running:
            assert running.process.stdin is not None
            running.process.stdin.write("a line\n")
            running.wait_end(0)
            assert running.out == ["got a line"]
    elif kind == "file":
        with open("/etc/hostname") as file, run("sh", "-c", script, stdin=file) as running:
            running.wait_end(0)
            assert running.out == [f"got {Path('/etc/hostname').read_text().strip()}"]
    else:
        first = (lambda: os.close(0)) if kind == "closed" else usual
        with run("sh", "-c", script, first=first) as running:
            running.wait_end(0)
            assert running.out == ["end"]


# -- names --


def test_names_of_the_laptop(app: World, user: RunUser) -> None:
    """Those of loopback, its own, and those of its hosts file, also when that changes."""
    with Inside(user, ["-n", app.namespace]) as running:
        assert running.call("addresses", "localhost") == ["127.0.0.1"]
        assert running.call("addresses", "localhost", socket.AF_INET6) == ["::1"]
        assert running.call("addresses", "old-db") == ["192.0.2.77"]
        assert running.call("text", "/etc/hosts").encode().endswith(HOSTS)
        running.before["hosts"] = changed = HOSTS.replace(b"old-db", b"new-db")
        user.hosts.write_bytes(changed)
        within(SOON, lambda: running.call("addresses", "new-db") == ["192.0.2.77"], "the new name")
        assert running.call("addresses", "old-db") == []
        assert running.call("pod", "app", 80) == "app"
    user.hosts.write_bytes(HOSTS)


def test_it_may_be_run_in_itself(run: StartRun, app: World, user: RunUser) -> None:
    """Or in a script that is: what is inside reaches the API server as outside."""
    with run(user.program, "run", "-n", app.namespace, "--", "curl", "-sS", "http://app/pod") as running:
        running.wait_end(0)
        assert running.out == ["app"]
