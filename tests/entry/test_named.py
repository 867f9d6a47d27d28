"""Listening under names: see also the real tests, where a helper opens low ports."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from fairlead.entry import named
from fairlead.entry.listener import Bound
from tests.support.running import listens

ROOM = 1 << 20


def test_one_that_is_in_use_leaves_the_others_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        found = asyncio.run(named.listen([("127.0.0.1", number), ("127.77.7.7", number)], None))
        held, bound = found["127.0.0.1", number], found["127.77.7.7", number]
        assert isinstance(held, named.Refused)
        assert f"pid {os.getpid()}" in held.text
        assert isinstance(bound, Bound)
        assert listens("127.77.7.7", number)
        bound.close()


def test_connections_keep_their_share_of_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.77.7.8", 0)) as free:
        number = free.getsockname()[1]
    wanted = [(f"127.77.7.{last}", number) for last in (8, 9, 10)]

    # Whether one can be had, and then of each whether it takes too much: which numbers they get is not ours to say.
    marks = iter((ROOM, ROOM, ROOM, 0))
    monkeypatch.setattr(named, "listeners_mark", lambda: next(marks))
    found = asyncio.run(named.listen(wanted, None))
    *bound, error = found.values()
    assert isinstance(error, named.Refused)
    assert "ulimit -n" in error.text
    assert [listens(*endpoint) for endpoint in wanted] == [True, True, False]
    for each in bound:
        assert isinstance(each, Bound)
        each.close()
