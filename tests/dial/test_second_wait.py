"""A connection that waited for its first pod, lost its lane while it was silent, and is refused by the pod it finds."""

from __future__ import annotations

import asyncio

import pytest

from fairlead.dial.connection import Connection, State
from fairlead.errors import UnreachableError
from fairlead.protocol.spdy import frames
from fairlead.protocol.spdy.headers import HeaderEncoder
from tests.support.dialled import backend
from tests.support.program import Program
from tests.support.scene import Scene, play

REFUSED = b"failed to connect to localhost:80: connection refused"
WAIT = 5.0
"""Seconds that connections of a scene wait."""


@pytest.mark.parametrize("listens_later", [True, False])
def test_it_waits_anew(listens_later: bool) -> None:
    async def main(it: Scene) -> None:
        async with it.serving():
            it.aim.backends = []
            connection, program = await it.connect()
            _, other = await _two_lanes(it, connection)
            other.vanish()
            await asyncio.sleep(WAIT * 3)  # however long ago it was accepted
            it.made[0][0].kill("broke")
            await asyncio.sleep(0)
            assert stands(connection) is State.OPEN  # at once, on the lane that idles
            lane = it.made[1][0]
            it.hear(frames.syn_reply(5, HeaderEncoder().encode({})), frames.data(5, REFUSED, fin=True), lane=lane)
            assert stands(connection) is State.WAITING
            assert connection in it.aim.waiting
            await asyncio.sleep(WAIT - 0.1)
            assert program.over == ""
            if listens_later:
                connection.dial()
                assert stands(connection) is State.OPEN
            await asyncio.sleep(0.2)
            assert (program.over, it.aim.failures) == (("", []) if listens_later else ("aborted", [REFUSED.decode()]))

    play(main, limit=2)


async def _two_lanes(it: Scene, first: Connection) -> tuple[Connection, Program]:
    """A pod comes: the connection that waited for it is on the first lane, another one on the second."""
    it.aim.backends = [backend(80)]
    first.dial()
    await asyncio.sleep(0.01)
    found = await it.connect()
    assert [len(lane.riders) for lane, _ in it.made] == [1, 1]
    return found


def test_the_reason_of_an_earlier_wait_is_forgotten() -> None:
    async def main(it: Scene) -> None:
        it.refuse = UnreachableError("the API server cannot be reached")
        connection, _ = await it.connect()
        assert it.aim.waiting
        it.refuse = None
        connection.dial()
        await asyncio.sleep(0.01)
        assert stands(connection) is State.OPEN
        it.aim.backends = []
        it.lane.kill("broke")
        await asyncio.sleep(WAIT + 0.1)
        assert it.aim.failures == ["nothing runs"]

    play(main)


def stands(connection: Connection) -> State:
    """A call, since a type checker takes a property for unchanged."""
    return connection.state
