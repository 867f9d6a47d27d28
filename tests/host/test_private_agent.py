"""The process inside, as far as it needs no namespace: what it answers, and when it ends."""

from __future__ import annotations

import errno
import os
import signal
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from fairlead.host.private import agent, rest, setup, wire
from fairlead.host.private.setup import StepError
from fairlead.host.private.shown import Shown


@pytest.fixture
def link(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """An agent that serves; it has to end when this closes."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    near.settimeout(10)
    monkeypatch.setattr(agent, "processes_in", lambda namespace: list(range(5)))
    monkeypatch.setattr(agent, "end_all", lambda namespace: None)
    thread = threading.Thread(target=agent.Agent(far, Shown()).serve)
    thread.start()
    try:
        yield near
    finally:
        near.close()
        thread.join(10)
        far.close()
        assert not thread.is_alive()


def ask(link: socket.socket, said: dict[str, Any]) -> tuple[dict[str, Any], list[int]]:
    wire.send(link, said)
    return wire.receive(link)


def plain(family: int) -> socket.socket:
    return socket.socket(family, socket.SOCK_STREAM)


def test_sockets(link: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "outgoing", plain)
    said, given = ask(link, {"sockets": [socket.AF_INET] * 3})
    assert said == {}
    assert len(given) == 3
    for each in given:
        with socket.socket(fileno=each) as sock:
            assert sock.family == socket.AF_INET


def test_sockets_that_cannot_be_had_end_nothing(link: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    left = [2]

    def scarce(family: int) -> socket.socket:
        if not left[0]:
            raise OSError(errno.ENOBUFS, "No buffer space available")
        left[0] -= 1
        return plain(family)

    monkeypatch.setattr(setup, "outgoing", scarce)
    for count in 2, 0:
        said, given = ask(link, {"sockets": [socket.AF_INET] * 3})
        assert (said, len(given)) == ({}, count)
        for each in given:
            os.close(each)
    assert ask(link, {"end": None}) == ({}, [])


def test_rules(link: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(setup, "change_rules", seen.append)
    assert ask(link, {"rules": "add"}) == ({}, [])
    assert seen == ["add"]

    def fail(commands: str) -> None:
        raise StepError("nft", 1, "\0" * 16_000)

    monkeypatch.setattr(setup, "change_rules", fail)
    assert ask(link, {"rules": "x"}) == ({"failed": "nft", "errno": 1, "text": "\0" * 16_000}, [])


def test_who_is_left_is_named_as_far_as_anybody_reads_it(link: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "processes_in", lambda namespace: [os.getpid(), *range(5_000_000, 5_100_000)])
    said, _ = ask(link, {"left": None})
    assert said["left"][0].endswith(f"(pid {os.getpid()})")
    assert said["left"][1] == "a process (pid 5000000)"
    assert len(said["left"]) <= 100


def test_files(link: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, bytes]] = []
    monkeypatch.setattr(Shown, "show", lambda shown, path, data: seen.append((path, data)))
    held = os.memfd_create("hosts")
    os.write(held, b"127.0.0.1 localhost\n")
    before = len(os.listdir("/proc/self/fd"))
    wire.send(link, {"show": "hosts"}, [held])
    assert wire.receive(link) == ({}, [])
    assert seen == [("/etc/hosts", b"127.0.0.1 localhost\n")]
    assert ask(link, {"show": "hosts"})[0]["failed"] == "mounts", "there was no descriptor"

    def full(shown: Shown, path: str, data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Shown, "show", full)
    wire.send(link, {"show": "resolv"}, [held])
    assert wire.receive(link)[0]["errno"] == errno.ENOSPC
    os.close(held)
    assert len(os.listdir("/proc/self/fd")) == before - 1


class Processes:
    """Each ends by ``TERM``, by ``KILL``, ``NEVER``, or may not be ended (``NOT_OURS``)."""

    def __init__(self) -> None:
        self.left: dict[int, str] = {}
        self.heard: list[tuple[int, int]] = []
        self.now = 0.0

    def kill(self, process: int, number: int) -> None:
        self.heard.append((process, number))
        if self.left[process] == "NOT_OURS":
            raise PermissionError
        if self.left[process] == "TERM" or (self.left[process] == "KILL" and number == signal.SIGKILL):
            del self.left[process]

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Processes:
    made = Processes()
    monkeypatch.setattr(rest, "processes_in", lambda namespace: list(made.left))
    monkeypatch.setattr("fairlead.host.private.rest.os.kill", made.kill)
    monkeypatch.setattr("fairlead.host.private.rest.time.sleep", made.sleep)
    monkeypatch.setattr("fairlead.host.private.rest.time.monotonic", lambda: made.now)
    return made


HERE = os.stat("/proc/self/ns/user")


def test_nobody_is_left(world: Processes) -> None:
    rest.end_all(HERE)
    assert (world.heard, world.now) == ([], 0.0)


def test_each_is_asked_once_and_killed_later(world: Processes) -> None:
    world.left = {1: "TERM", 2: "KILL"}
    rest.end_all(HERE, 1.0)
    assert world.heard == [(1, signal.SIGTERM), (2, signal.SIGTERM), (2, signal.SIGKILL)]
    assert 1.0 < world.now < 1.2


def test_what_nothing_ends_is_not_waited_for_and_stops_nothing(world: Processes) -> None:
    world.left = {1: "NOT_OURS", 2: "NEVER", 3: "TERM", 4: "KILL"}
    rest.end_all(HERE, 1.0)
    assert list(world.left) == [1, 2]
    assert 2.0 <= world.now < 2.2


def test_one_that_ended_meanwhile(monkeypatch: pytest.MonkeyPatch, world: Processes) -> None:
    def gone(process: int, number: int) -> None:
        world.left.clear()
        raise ProcessLookupError

    monkeypatch.setattr("fairlead.host.private.rest.os.kill", gone)
    world.left = {1: "TERM"}
    rest.end_all(HERE, 1.0)
    assert world.now < 0.1


def test_processes_of_this_namespace_are_found() -> None:
    found = rest.processes_in(HERE)
    assert os.getppid() in found
    assert os.getpid() not in found
    other = os.stat("/")
    assert rest.processes_in(other) == []
