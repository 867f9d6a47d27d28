"""The status line, through a real terminal device."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import signal
import struct
import termios
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from fairlead.cli.services_render import ServicesScreen
from fairlead.cli.services_text import Manner
from fairlead.cli.status_line import text
from fairlead.kit.tasks import Background, stop
from fairlead.model.events import Note
from fairlead.model.summary import Summary
from fairlead.session.services import Status
from tests.support.terminal import Terminal

FULL = Summary(ready=47, proved=12, waiting=2, failing=1, relay=3, open=5)


@pytest.mark.parametrize(
    ("summary", "columns", "shown"),
    [
        (FULL, 100, "12 proved, 47 ready, 2 waiting, 1 failing, 3 need the relay, 5 connections"),
        (FULL, 60, "12 proved, 47 ready, 2 waiting, 1 failing, 3 need the relay"),
        (FULL, 39, "47 ready, 2 waiting, 1 failing"),
        (FULL, 10, "1 failing"),
        (FULL, 5, "1 fai"),
        (FULL._replace(lost=True), 39, "the API server is away, 1 failing"),
        (Summary(ready=1, relay=1, open=1), 80, "1 ready, 1 needs the relay, 1 connection"),
        (Summary(), 80, "no services"),
    ],
)
def test_what_matters_most_is_left_where_there_is_little_room(summary: Summary, columns: int, shown: str) -> None:
    assert text(summary, columns) == shown


class Device:
    """A terminal device that is standard output and error."""

    def __init__(self) -> None:
        self.ours, self.theirs = pty.openpty()
        os.set_blocking(self.ours, False)
        self.size(80)

    @contextmanager
    def standard(self) -> Iterator[None]:
        """Standard output and error are this terminal."""
        kept = {number: os.dup(number) for number in (1, 2)}
        try:
            for number in kept:
                os.dup2(self.theirs, number)
            yield
        finally:
            for number, before in kept.items():
                os.dup2(before, number)
                os.close(before)

    def size(self, columns: int) -> None:
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def read(self) -> bytes:
        got = b""
        try:
            while True:
                got += os.read(self.ours, 65536)
        except BlockingIOError:
            return got

    def close(self) -> None:
        os.close(self.ours)
        os.close(self.theirs)


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[Device]:
    monkeypatch.setenv("TERM", "xterm")
    made = Device()
    yield made
    made.close()


def on(device: Device, run: Callable[[ServicesScreen, Status, Background], Coroutine[Any, Any, None]]) -> None:
    """Run this with a screen on the device."""

    async def whole(screen: ServicesScreen) -> None:
        status = screen.status
        assert status is not None
        async with Background() as tasks:
            await run(screen, status, tasks)

    with device.standard():
        screen = ServicesScreen("text", clock=lambda: "12:00:00")
        asyncio.run(whole(screen))
        screen.finish()


async def rows(device: Device, terminal: Terminal, last: str) -> list[str]:
    """What stands there once the last row is this one."""
    async with asyncio.timeout(5):
        while True:
            terminal.feed(device.read())
            if terminal.rows and terminal.rows[-1] == last:
                return terminal.rows
            await asyncio.sleep(0.005)


def test_lines_stand_above_it_whatever_comes_and_it_is_gone_at_the_end(device: Device) -> None:
    now, terminal = [FULL], Terminal(80)

    async def run(screen: ServicesScreen, status: Status, tasks: Background) -> None:
        screen.show(Note("before"))
        task = tasks.start(status(lambda: now[0]), name="status")
        expected = ["INFO[12:00:00] Before"]
        assert await rows(device, terminal, text(FULL, 79)) == [*expected, text(FULL, 79)]
        screen.show(Note("x" * 200))
        screen.say("error: on stderr")
        long = "INFO[12:00:00] X" + "x" * 199
        expected += [long[:80], long[80:160], long[160:], "error: on stderr"]
        assert await rows(device, terminal, text(FULL, 79)) == [*expected, text(FULL, 79)]
        now[0] = Summary(waiting=1)
        assert await rows(device, terminal, "1 waiting") == [*expected, "1 waiting"]
        for number in range(300):
            screen.show(Note(f"n{number}"))
        expected += [f"INFO[12:00:00] N{number}" for number in range(300)]
        assert (await rows(device, terminal, "1 waiting")) == [*expected, "1 waiting"]
        await stop(task)
        screen.show(Note("after"))
        assert await rows(device, terminal, "INFO[12:00:00] After") == [*expected, "INFO[12:00:00] After"]

    on(device, run)


@pytest.mark.parametrize("reflows", [True, False])
def test_it_is_right_after_a_resize(device: Device, reflows: bool) -> None:
    terminal = Terminal(80)

    async def run(screen: ServicesScreen, status: Status, tasks: Background) -> None:
        screen.show(Note("one"))
        task = tasks.start(status(lambda: FULL), name="status")
        await rows(device, terminal, text(FULL, 79))
        for columns in (40, 120):
            if reflows:
                terminal.resize(columns)
            device.size(columns)
            os.kill(os.getpid(), signal.SIGWINCH)
            if not reflows:
                terminal.columns = columns
            assert await rows(device, terminal, text(FULL, columns - 1)) == [
                "INFO[12:00:00] One",
                text(FULL, columns - 1),
            ]
        screen.show(Note("two"))
        both = ["INFO[12:00:00] One", "INFO[12:00:00] Two"]
        assert await rows(device, terminal, text(FULL, 119)) == [*both, text(FULL, 119)]
        await stop(task)
        assert await rows(device, terminal, "INFO[12:00:00] Two") == both

    on(device, run)


def test_a_terminal_that_is_stopped_is_not_drawn_on_again_and_again(device: Device) -> None:
    count = [0]

    def summary() -> Summary:
        count[0] += 1
        return Summary(open=count[0])

    async def run(screen: ServicesScreen, status: Status, tasks: Background) -> None:
        termios.tcflow(device.theirs, termios.TCOOFF)
        for number in range(100):
            screen.show(Note(f"n{number} {'x' * 200}"))
        waiting = len(screen._lines[1]._waiting)
        assert waiting
        task = tasks.start(status(summary), name="status")
        async with asyncio.timeout(5):
            while count[0] < 3:
                os.kill(os.getpid(), signal.SIGWINCH)
                await asyncio.sleep(0.01)
        assert len(screen._lines[1]._waiting) == waiting
        termios.tcflow(device.theirs, termios.TCOON)
        await stop(task)

    on(device, run)


@pytest.mark.parametrize(
    ("output", "term", "command"), [("json", "xterm", False), ("text", "dumb", False), ("text", "xterm", True)]
)
def test_there_is_none_for_programs_and_beside_a_command(
    device: Device, monkeypatch: pytest.MonkeyPatch, output: str, term: str, command: bool
) -> None:
    monkeypatch.setenv("TERM", term)
    with device.standard():
        screen = ServicesScreen(output, Manner(command=command), lines_to=2 if command else 1)
        assert screen.status is None
        screen.show(Note("one"))
        screen.finish()
    assert b"\x1b" not in device.read()


def test_there_is_none_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen = ServicesScreen("text")
    assert screen.status is None
    screen.finish()


def test_in_the_background_nothing_is_drawn_and_lines_are_plain(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elsewhere than in the foreground it would stand in the midst of what is typed to the shell."""
    monkeypatch.setattr(os, "tcgetpgrp", lambda descriptor: -1)
    terminal = Terminal(80)

    async def run(screen: ServicesScreen, status: Status, tasks: Background) -> None:
        task = tasks.start(status(lambda: FULL), name="status")
        await asyncio.sleep(0)
        screen.show(Note("one"))
        assert await rows(device, terminal, "INFO[12:00:00] One") == ["INFO[12:00:00] One"]
        monkeypatch.setattr(os, "tcgetpgrp", lambda descriptor: os.getpgrp())
        os.kill(os.getpid(), signal.SIGCONT)
        assert await rows(device, terminal, text(FULL, 79)) == ["INFO[12:00:00] One", text(FULL, 79)]
        await stop(task)

    on(device, run)
