from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import socket
import threading
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fairlead.kit.lines import CHUNK, MOST_WAITING, Lines

Open = Callable[[int], Lines]


@pytest.fixture
def opened() -> Iterator[Open]:
    """What makes lines that are closed at the end of the test."""
    made: list[Lines] = []

    def make(descriptor: int) -> Lines:
        made.append(Lines(descriptor))
        return made[-1]

    yield make
    for lines in made:
        lines.close()


def test_a_closed_reader_is_no_error(opened: Open) -> None:
    read, write = os.pipe()
    lines = opened(write)
    lines.write("one")
    assert os.read(read, 100) == b"one\n"
    os.close(read)
    lines.write("two")
    lines.write("three")
    os.close(write)


def test_a_sleeping_reader_stops_nobody_and_gets_whole_lines_when_it_wakes(opened: Open) -> None:
    read, write = os.pipe()
    os.set_blocking(read, False)
    lines = opened(write)
    long = "x" * (CHUNK + 100)
    for number in range(200):
        lines.write(f"{number} {long}")
    got = b""
    for _ in range(200):
        try:
            got += os.read(read, 1 << 20)
        except BlockingIOError:
            break
        lines.write("awake")
    found = got.decode().splitlines()
    assert [line for line in found if line != "awake"] == [f"{number} {long}" for number in range(200)]
    os.close(read)
    os.close(write)


@pytest.mark.parametrize(("reads_after", "all_of_it"), [(0.05, True), (None, False)])
def test_the_last_lines_wait_a_moment_for_a_slow_reader(
    reads_after: float | None, all_of_it: bool, opened: Open
) -> None:
    read, write = os.pipe()
    lines, got = opened(write), []
    for number in range(100):
        lines.write(f"{number} {'x' * CHUNK}")
    assert lines._waiting

    def wake() -> None:
        while data := os.read(read, 1 << 16):
            got.append(data)

    reader = threading.Timer(reads_after or 0, wake)
    if reads_after:
        reader.start()
    began = time.monotonic()
    lines.flush(5 if reads_after else 0.1)
    assert time.monotonic() - began < 4
    assert (not lines._waiting) is all_of_it
    os.close(write)
    lines.close()
    if reads_after:
        reader.join()
        assert b"".join(got).count(b"\n") == 100
    os.close(read)


def test_what_is_kept_for_a_sleeping_reader_is_bounded(opened: Open) -> None:
    read, write = os.pipe()
    lines = opened(write)
    for number in range(3 * MOST_WAITING):
        lines.write(f"{number} {'x' * 200}")
    assert len(lines._waiting) == MOST_WAITING
    os.close(read)
    os.close(write)


def terminal() -> tuple[int, int]:
    """Both ends of a terminal that changes nothing; ours may be read without waiting."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    return master, slave


def pair() -> tuple[int, int]:
    """Both ends of a socket, as some supervisors give a service for its output."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    return ours.detach(), theirs.detach()


def everything(descriptor: int) -> bytes:
    """All that can be read now."""
    got = b""
    try:
        while more := os.read(descriptor, 1 << 16):
            got += more
    except BlockingIOError:
        pass
    return got


@pytest.mark.timeout(10)
@pytest.mark.parametrize("place", [terminal, pair])
@pytest.mark.parametrize("again", [True, False], ids=["opened again", "not ours to open"])
def test_a_terminal_or_socket_whose_reader_sleeps(
    place: Callable[[], tuple[int, int]], again: bool, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says that it is writable while it has room for a part of a line; the flags that others see stay."""
    if not again:
        monkeypatch.setattr("fairlead.kit.lines._reopened", lambda _: None)
    ours, theirs = place()
    flags = fcntl.fcntl(theirs, fcntl.F_GETFL)
    lines = opened(theirs)
    long = "x" * 150
    written = 0
    while len(lines._waiting) < 10:
        lines.write(f"{written} {long}")
        written += 1
    assert fcntl.fcntl(theirs, fcntl.F_GETFL) == flags
    got = b""
    while lines._waiting or lines._rest:
        got += everything(ours)
        lines.flush(0.01)
    got += everything(ours)
    assert got.decode().splitlines() == [f"{number} {long}" for number in range(written)]
    os.close(ours)
    lines.write("nobody is there")
    os.close(theirs)


def test_a_pipe_that_another_writer_fills_in_between(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    lines = opened(write)
    lines.write("first")
    assert lines._way is not None
    os.set_blocking(write, False)
    try:
        while os.write(write, bytes(CHUNK)):
            pass
    except BlockingIOError:
        os.set_blocking(write, True)
    monkeypatch.setattr(lines._way, "writable", lambda _: True)
    lines.write("second")
    os.set_blocking(read, False)
    everything(read)
    lines.flush(1.0)
    assert everything(read) == b"second\n"
    os.close(read)
    os.close(write)


def test_a_file_that_others_write_to_keeps_what_they_wrote(opened: Open, tmp_path: Path) -> None:
    """As in ``{ echo before; fairlead ...; } >file 2>&1``: the place in the file is everybody's."""
    with (tmp_path / "log").open("w") as file:
        os.write(file.fileno(), b"before\n")
        one, other = opened(file.fileno()), opened(os.dup(file.fileno()))
        one.write("one")
        other.write("other")
        os.write(file.fileno(), b"after\n")
    assert (tmp_path / "log").read_text().splitlines() == ["before", "one", "other", "after"]
    os.close(other._descriptor)


def test_a_pipe_that_is_never_written_to_is_not_held_open(opened: Open) -> None:
    """Where standard output is the joined connection, its reader has to see its end."""
    read, write = os.pipe()
    lines = opened(write)
    os.close(write)
    assert os.read(read, 1) == b""
    lines.write("to nobody")
    os.close(read)


def test_while_an_event_loop_runs_a_reader_that_wakes_gets_the_rest_without_another_line(opened: Open) -> None:
    read, write = os.pipe()
    os.set_blocking(read, False)
    lines, got = opened(write), bytearray()

    async def run() -> None:
        for number in range(300):
            lines.write(f"{number} {'x' * CHUNK}")
        assert lines._waiting
        while not got.endswith(b"\n") or b"\n299 " not in got:
            try:
                got.extend(os.read(read, 1 << 20))
            except BlockingIOError:
                await asyncio.sleep(0.001)

    asyncio.run(asyncio.wait_for(run(), 5))
    assert [int(line.split()[0]) for line in got.splitlines()] == list(range(300))
    os.close(read)
    os.close(write)


def test_how_many_lines_wait_can_be_told() -> None:
    read, write = os.pipe()
    lines = Lines(write, most=2)
    for number in range(100):
        lines.write(f"{number} {'x' * CHUNK}")
    assert [line.split()[0] for line in lines._waiting] == [b"98", b"99"]
    lines.close()
    os.close(read)
    os.close(write)
