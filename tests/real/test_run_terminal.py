"""A shell in a private network has its terminal: size, keys, jobs; and the shell outside has its own back."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.support.run_user import RunUser
from tests.support.world import World, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(90)]
LIMIT = 15.0
CTRL_C, CTRL_D, CTRL_Z = "\x03", "\x04", "\x1a"
OUTER, INNER = "out> ", "in> "


class Shell:
    """The user's bash on a pseudo-terminal, where ``fairlead`` is a command."""

    def __init__(self, user: RunUser) -> None:
        self.user = user
        self._shown = ""
        self._master, slave = pty.openpty()
        self.resize(24, 80)

        def take_terminal() -> None:
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        env = {**user.env, "PS1": OUTER, "TERM": "dumb", "HISTFILE": "", "PATH": f"{user.folder}:{user.env['PATH']}"}
        bash = ["bash", "--norc", "--noprofile", "-i"]
        self.process: subprocess.Popen[bytes] = user.popen(
            bash, env=env, first=take_terminal, stdin=slave, stdout=slave, stderr=slave
        )
        os.close(slave)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def press(self, text: str) -> None:
        os.write(self._master, text.encode())

    def wait(self, words: str) -> str:
        """Wait until these words are shown; what was shown up to their end, without what was waited for before."""
        until = time.monotonic() + LIMIT
        while words not in self._shown:
            left = until - time.monotonic()
            assert left > 0, f"{words!r} not within {LIMIT:g} s: {self._shown!r}"
            if select.select([self._master], [], [], left)[0]:
                self._shown += os.read(self._master, 65536).decode()
        before, _, self._shown = self._shown.partition(words)
        return before + words

    def does(self, line: str, prompt: str = OUTER) -> str:
        """What a command line shows, and then the prompt; the line itself is shown too, maybe twice."""
        self.press(f"echo be''gin; {line}; echo e''nd\n")
        self.wait("begin\r\n")
        shown = self.wait("end\r\n").removesuffix("end\r\n").replace("\r\n", "\n").strip()
        self.wait(prompt)
        return shown

    def code(self, prompt: str = OUTER) -> int:
        """That of the last command."""
        self.press("echo co''de $?.\n")
        self.wait("code ")
        found = self.wait(".").removesuffix(".")
        self.wait(prompt)
        return int(found)

    def leaves(self, line: str = "exit") -> None:
        """End the inner shell."""
        self.press(f"{line}\n")
        self.wait(OUTER)

    def starts(self, line: str, command: str) -> int:
        """Type a line, and wait until this command (as /proc has it) is what the keys mean; its process."""
        self.press(f"{line}\n")
        self.wait("\n")
        found: int = within(LIMIT, lambda: self._foreground(command), f"{command} in the foreground", pause=0.01)
        return found

    def _foreground(self, command: str) -> int:
        group = os.tcgetpgrp(self._master)
        for pid, words in self.user.processes().items():
            try:
                if words.strip() == command and os.getpgid(pid) == group and not is_stopped(pid):
                    return pid
            except OSError:
                continue  # it has ended
        return 0

    def stops(self, process: int, prompt: str = OUTER) -> None:
        """Ctrl-Z. A shell sees only its own child stop: what reads the terminal below that may still take a key."""
        self.press(CTRL_Z)
        assert "Stopped" in self.wait(prompt)
        within(LIMIT, lambda: is_stopped(process), "stopped", pause=0.01)

    def __enter__(self) -> Self:
        self.wait(OUTER)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._master)
        self.process.kill()
        self.process.wait()


def is_stopped(process: int) -> bool:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@pytest.fixture
def shell(app: World, user: RunUser) -> Iterator[Shell]:
    before = user.machine()
    with Shell(user) as made:
        yield made
    user.wait_nothing_left()
    assert user.machine() == before


@pytest.fixture
def inner(app: World, shell: Shell) -> Shell:
    """A bash in a run, in the shell."""
    shell.press(f"fairlead run -n {app.namespace} -- env PS1='{INNER}' bash --norc --noprofile -i\n")
    shell.wait("\n")
    shell.wait(INNER)
    return shell


def test_the_size_of_the_window(inner: Shell) -> None:
    inner.resize(40, 100)
    assert inner.does("stty size", INNER) == "40 100"
    inner.does("trap 'echo re''sized' WINCH", INNER)
    inner.resize(50, 132)
    inner.press("\n")
    inner.wait("resized")
    inner.wait(INNER)
    assert inner.does("stty size", INNER) == "50 132"
    inner.leaves()
    assert inner.does("stty size") == "50 132"


def test_ctrl_c_ends_what_runs_and_not_the_shell(inner: Shell) -> None:
    for _ in range(2):
        inner.starts("sleep 1001", "sleep 1001")
        inner.press(CTRL_C)
        inner.wait(INNER)
    assert inner.code(INNER) == 130
    assert inner.does("curl -sS http://app/pod && echo", INNER) == "app"
    inner.leaves("exit 7")
    assert inner.code() == 7


def test_jobs_of_the_inner_shell(inner: Shell) -> None:
    inner.stops(inner.starts("sleep 1002", "sleep 1002"), INNER)
    assert "Stopped" in inner.does("jobs", INNER)
    inner.does("bg", INNER)
    assert "Running" in inner.does("jobs", INNER)
    inner.starts("fg", "sleep 1002")
    inner.press(CTRL_C)
    inner.wait(INNER)
    assert inner.does("jobs", INNER) == ""
    inner.press(CTRL_D)
    inner.wait(OUTER)


def test_a_shell_that_suspends_itself(inner: Shell) -> None:
    """The outer shell has the terminal, and gives it back; the network is there as before."""
    for _ in range(2):
        inner.press("suspend\n")
        assert "Stopped" in inner.wait(OUTER)
        assert "Stopped" in inner.does("jobs")
        inner.press("fg\n")
        inner.wait(INNER)
        assert inner.does("curl -sS http://app/pod && echo", INNER) == "app"
    inner.leaves("exit 3")
    assert inner.code() == 3


def test_a_plain_program_is_stopped_and_continued(app: World, shell: Shell) -> None:
    run = f"fairlead run -n {app.namespace} --"
    cat = shell.starts(f"{run} cat", "cat")
    shell.press("before\n")
    shell.wait("before\r\nbefore")
    for _ in range(3):
        shell.stops(cat)
        assert shell.starts("fg", "cat") == cat
    shell.press("after\n")
    shell.wait("after\r\nafter")
    shell.press(CTRL_D)
    shell.wait(OUTER)
    assert shell.code() == 0


def test_what_the_shell_gives(app: World, shell: Shell) -> None:
    """Lists, files and locks that a command finds by their numbers."""
    run = f"fairlead run -n {app.namespace} --"
    assert shell.does(f"{run} diff <(echo a) <(echo b)") == "1c1\n< a\n---\n> b"
    assert shell.does(f"{run} sh -c 'cat <&7; echo told >&8' 7<<<here 8>&1") == "here\ntold"


def test_a_folder_that_may_not_be_entered(app: World, shell: Shell) -> None:
    shell.does("mkdir closed; cd closed; chmod 0 .")
    said = shell.does(f"fairlead run -n {app.namespace} -- true; echo $?")
    shell.does("chmod 700 .; cd ..; rmdir closed")
    assert "/closed, which you may not enter (start it from" in said
    assert said.endswith("12")


def test_quit_is_the_commands(app: World, shell: Shell) -> None:
    """A JVM tells by it what it does, and goes on."""
    shell.press(
        f"fairlead run -n {app.namespace} -- bash -c \"trap 'exit 6' QUIT; echo u''p; while :; do read; done\"\n"
    )
    shell.wait("up\r\n")
    shell.press("\x1c")
    shell.wait(OUTER)
    assert shell.code() == 6


def test_a_plain_program_in_the_background(app: World, shell: Shell) -> None:
    """It may be stopped, go on in the background, and be fetched back."""
    shell.stops(shell.starts(f"fairlead run -n {app.namespace} -- sleep 1003", "sleep 1003"))
    shell.does("bg")
    assert "Running" in shell.does("jobs")
    shell.starts("fg", "sleep 1003")
    shell.press(CTRL_C)
    shell.wait(OUTER)
    assert shell.code() == 130


def test_the_terminal_goes_away(inner: Shell) -> None:
    """As when its window is closed: all of it ends; see the fixture."""
    inner.starts("sleep 1004", "sleep 1004")


def test_a_script_stops_with_the_run_that_a_key_ended(shell: Shell) -> None:
    """As with any program: bash goes on with the next line where a program only says that it was interrupted."""
    shell.starts("for i in 1 2 3; do fairlead run -- sleep 47; echo next; done", "sleep 47")
    shell.press(CTRL_C)
    assert "next" not in shell.wait(OUTER)
    assert shell.code() == 130
