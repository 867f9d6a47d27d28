from __future__ import annotations

import errno
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from fairlead.errors import MachineError
from fairlead.helper import hostsfile, requests, serve, turn
from fairlead.helper.names import MOST_CLASHES, Names, Outcome
from fairlead.helper.serve import MOST_DEAD, Server
from fairlead.helper.wire import Message, Reader, encode
from fairlead.host.helper import UNDONE
from fairlead.policy.hostsblock import Entry, Mention


class Fake:
    """The names of a run, which fail as they are told to, the end ``fails`` times."""

    def __init__(self, fails: Sequence[Exception] = ()) -> None:
        self.fails = list(fails)
        self.undone = 0
        self.write: Callable[[Sequence[Entry]], Outcome] = lambda entries: Outcome()

    def undo(self) -> None:
        self.undone += 1
        if self.fails:
            raise self.fails.pop(0)


def test_it_ends_before_who_waits_for_it_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that waits for others as long as it may comes first, and each try of the end takes as long."""
    clock = [0.0]
    longest = turn.PATIENCE + hostsfile.BRIEFLY + 2 * hostsfile.PATIENCE

    class Slow(Fake):
        def undo(self) -> None:
            clock[0] += longest
            super().undo()

    names = Slow([RuntimeError()] * 9)
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    play(monkeypatch, names)
    assert names.undone == 1
    assert clock[0] + longest < UNDONE


def play(monkeypatch: pytest.MonkeyPatch, names: Fake, *asked: Message) -> list[Message]:
    """All that the helper says to someone who asks this and goes."""
    ours, theirs = socket.socketpair()
    quiet, never = socket.socketpair()
    monkeypatch.setattr(serve, "_termination", lambda: quiet)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    said: list[bytes] = []

    def ask() -> None:
        for each in asked:
            theirs.sendall(encode(each))
        theirs.shutdown(socket.SHUT_WR)
        said.extend(iter(lambda: theirs.recv(1 << 20), b""))

    asking = threading.Thread(target=ask)
    with theirs, never:
        asking.start()
        Server(ours, cast("Names", names), os.getuid()).run()
        asking.join()
    return Reader().feed(b"".join(said))


def hosts(wanted: Sequence[Entry]) -> Message:
    return {"id": 1, "op": "hosts", "with": wanted}


def test_a_reply_fits_where_the_request_did(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though each name is another run's, and names clash that are as long as can be."""
    many = [
        Entry(f"127.9.{each >> 7}.{each & 127}", tuple(f"n{each}-{x}" for x in range(64))) for each in range(12_000)
    ]
    kept, rest = requests.fitting(many)
    assert rest
    names = Fake()
    left = [(name, 4_000_000) for entry in kept for name in entry.names]
    clash = Mention("n" * 253, "f" * 39, 10**6)
    names.write = lambda entries: Outcome(left, [clash] * MOST_CLASHES, [4_000_000] * 10**6)
    _, reply, _ = play(monkeypatch, names, hosts(kept))
    assert reply["left"] == [[4_000_000, [name for name, _ in left]]]
    assert len(reply["dead"]) == MOST_DEAD


def _fail(error: Exception) -> Callable[[Sequence[Entry]], Outcome]:
    def write(entries: Sequence[Entry]) -> Outcome:
        raise error

    return write


def test_what_the_machine_refuses_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    for error, told in (
        (MachineError("it is locked"), "it is locked"),
        (OSError(errno.EMFILE, os.strerror(errno.EMFILE)), "the helper cannot do it: Too many open files"),
    ):
        names = Fake()
        names.write = _fail(error)
        replies = play(monkeypatch, names, hosts([]), hosts([]))
        assert [reply.get("error") for reply in replies] == [None, told, told, ""]
        assert names.undone == 1


@pytest.mark.parametrize("fails", [0, 2, 3])
def test_whatever_goes_wrong_everything_is_undone(fails: int, monkeypatch: pytest.MonkeyPatch) -> None:
    names = Fake([OSError(errno.EAGAIN, "no process"), KeyError("x"), RuntimeError()][:fails])
    names.write = _fail(ZeroDivisionError())
    asked: list[Any] = [hosts([])]
    hello, undone = play(monkeypatch, names, *asked)
    assert set(hello) == {"hello"}
    assert names.undone == min(fails + 1, 3)
    assert undone == {"undone": fails < 3, "error": "" if fails < 3 else "RuntimeError"}
