"""Lanes that miss pings: the dead ones end, the blocked ones live, and the question is asked again and again."""

from __future__ import annotations

import asyncio

import pytest

from fairlead.dial import pool as pool_module
from fairlead.dial.connection import Connection, State
from fairlead.dial.lane import IDLE_CLOSE, PING_DEADLINE, PING_INTERVAL, Lane
from fairlead.errors import (
    CredentialsError,
    FairleadError,
    MachineError,
    NotFoundError,
    ProtocolError,
    UnreachableError,
)
from fairlead.model.target import PodRef
from fairlead.policy import silence
from fairlead.protocol.spdy import frames
from tests.support.dialled import backend
from tests.support.loop import now
from tests.support.scene import Scene, play

NOTICED = PING_INTERVAL + PING_DEADLINE
"""Seconds until a ping is missed, at most."""
PROVED = pool_module.WITNESS_TIMEOUT + pool_module.PROOF_TIMEOUT
"""Seconds until it is known what that means, at most."""

COMPARED = 2 * NOTICED + 2 * PING_INTERVAL + PROVED
"""Seconds until a lane is dead that does not answer while another one does: noticed, and as long again for TCP."""


def stands(connection: Connection) -> State:
    """Where it stands now, whatever was asserted before."""
    return connection.state


async def fresh_lane(it: Scene) -> Lane:
    """The lane that is opened to prove that the server is there, as soon as it is."""
    while len(it.made) < 2:
        await asyncio.sleep(0.1)
    return it.made[1][0]


def test_an_outage_ends_no_connection() -> None:
    """Nothing answers: that says nothing of one lane, which goes on when the network does, as with kubectl."""

    async def main(it: Scene) -> None:
        connection, _ = await it.open(b"GET")
        async with it.serving():
            await asyncio.sleep(10)
            it.online = False
            await asyncio.sleep(600)
            loads = [it.lane.load]
            assert stands(connection) is State.OPEN
            it.online = True
            await asyncio.sleep(PING_INTERVAL + 1)
            loads.append(it.lane.load)
            assert loads == [None, 1], "meanwhile it takes no new connections"
            assert stands(connection) is State.OPEN

    play(main, limit=4)


def test_a_server_that_hangs_is_suspected_also_where_something_was_just_sent() -> None:
    """A session is open, and nobody says a word: the user is to hear of the server all the same."""

    async def main(it: Scene) -> None:
        connection, _ = await it.open(b"SELECT 1")
        async with it.serving():
            it.online = False
            await asyncio.sleep(NOTICED + PROVED + 1)
            assert "a new connection to the pod does not answer" in it.suspected
            assert stands(connection) is State.OPEN

    play(main, limit=4)


def test_a_blocked_lane_that_is_dead_after_an_outage_is_found() -> None:
    """It was found blocked once, by a fresh lane that answered; that was not for ever."""

    async def main(it: Scene) -> None:
        connection, program = await it.open(b"GET")
        async with it.serving():
            it.leave_unread(program)
            await asyncio.sleep(600)
            assert it.lane.suspect
            assert stands(connection) is State.OPEN
            it.online = False
            program.read(True)
            await asyncio.sleep(600)
            assert stands(connection) is State.OPEN
            it.deaf.append(it.lane)
            it.online = True
            await asyncio.sleep(silence.MAX_GRACE + 2 * PING_INTERVAL + PROVED)
            assert stands(connection) is State.OVER
            assert "it does not answer, and another one does" in it.aim.failures[0]

    play(main, limit=4)


def test_a_blocked_lane_that_is_read_again_and_finds_no_network_is_dead() -> None:
    async def main(it: Scene) -> None:
        connection, program = await it.open(b"GET")
        async with it.serving():
            it.leave_unread(program)
            await asyncio.sleep(15)
            it.deaf.append(it.lane)
            await asyncio.sleep(60)
            assert stands(connection) is State.OPEN  # a fresh lane answers, and it may still be the reader
            program.read(True)
            await asyncio.sleep(COMPARED)
            assert stands(connection) is State.OVER

    play(main, limit=4)


def test_a_blocked_lane_that_is_read_again_lives() -> None:
    async def main(it: Scene) -> None:
        connection, program = await it.open(b"GET")
        async with it.serving():
            it.leave_unread(program)
            await asyncio.sleep(3600)
            program.read(True)
            await asyncio.sleep(1)
            assert not it.lane.suspect
            assert stands(connection) is State.OPEN
            # Proving it cost a lane a minute at most: while there is one, it is asked again.
            assert len(it.made) <= 2 + 3600 / IDLE_CLOSE

    play(main, limit=4)


@pytest.mark.parametrize("said", [b"", b"SELECT 1"], ids=["idle", "in flight"])
def test_a_lane_of_the_network_before_is_dead_whatever_was_in_flight(said: bytes) -> None:
    async def main(it: Scene) -> None:
        connection, program = await it.open(b"warm")
        it.hear(frames.data(3, b"hello"))
        async with it.serving():
            await asyncio.sleep(10)
            it.deaf.append(it.lane)
            if said:
                program.say(said)
            began = now()
            while stands(connection) is State.OPEN:
                await asyncio.sleep(0.1)
            assert now() - began <= COMPARED

    play(main, limit=4)


def test_an_upload_that_the_pod_does_not_take_blocks_and_does_not_kill() -> None:
    async def main(it: Scene) -> None:
        connection, program = await it.open(bytes(10_000))
        async with it.serving():
            await asyncio.sleep(10)
            it.deaf.append(it.lane)
            for _ in range(1 + silence.MUCH // 10_000):
                program.say(bytes(10_000))
            await asyncio.sleep(3600)
            assert stands(connection) is State.OPEN

    play(main, limit=4)


def test_a_lane_that_is_read_again_while_another_one_is_asked_has_its_time_to_answer() -> None:
    async def main(it: Scene) -> None:
        connection, program = await it.open(b"GET")
        it.leave_unread(program)
        fresh = await fresh_lane(it)
        program.read(True)
        it.hear(frames.ping(next(iter(fresh._pongs))), lane=fresh)
        await asyncio.sleep(PING_DEADLINE - 0.5)
        assert stands(connection) is State.OPEN
        async with it.serving():
            it.deaf.append(it.lane)
            await asyncio.sleep(COMPARED)
            assert stands(connection) is State.OVER

    play(main, limit=4)


def test_a_lane_that_fills_up_with_every_ping_answered_is_asked_all_the_same() -> None:
    async def main(it: Scene) -> None:
        connection, _ = await it.open(b"upload")
        it.lane.pause_writing()
        it.refuse = NotFoundError("no such pod", code=404)
        await asyncio.sleep(NOTICED + PING_INTERVAL + PROVED)
        assert connection.state is State.OVER

    play(main, limit=4)


def test_a_slow_download_is_a_sign_of_life() -> None:
    """The pong stands behind megabytes that a slow network has yet to bring."""

    async def main(it: Scene) -> None:
        connection, _ = await it.open()
        for _ in range(100):
            await asyncio.sleep(1)
            it.hear(frames.data(3, b"some more"))
            assert not it.lane.suspect
        assert stands(connection) is State.OPEN
        assert len(it.made) == 1

    play(main, limit=4)


@pytest.mark.parametrize(
    ("error", "dead"),
    [
        (UnreachableError("refused"), False),
        (ProtocolError("nonsense"), False),
        (NotFoundError("no such pod", code=404), True),
        (MachineError("no descriptors"), False),
        (CredentialsError("the token has expired"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_proof_that_could_not_be_had_kills_only_if_the_pod_is_gone(error: FairleadError, dead: bool) -> None:
    async def main(it: Scene) -> None:
        connection, _ = await it.open(b"GET")
        it.refuse = error
        await asyncio.sleep(NOTICED + 60)
        assert (stands(connection) is State.OVER) is dead
        if dead:
            return
        # It is asked again, and one day there is an answer.
        it.refuse = NotFoundError("no such pod", code=404)
        await asyncio.sleep(PING_INTERVAL + 1)
        assert stands(connection) is State.OVER

    play(main, limit=2)


def test_a_pod_is_not_forgotten_while_a_fresh_lane_to_it_is_being_asked() -> None:
    async def main(it: Scene) -> None:
        await it.open(b"upload")
        fresh = await fresh_lane(it)
        await asyncio.sleep(0.01)
        it.lane.kill("reset by the network")
        it.hear(frames.ping(next(iter(fresh._pongs))), lane=fresh)
        await asyncio.sleep(0.01)
        connection, _ = await it.connect(b"another")
        assert connection._lane is fresh
        assert len(it.made) == 2
        fresh.eof_received()
        assert not it.lanes._pods

    play(main, limit=2)


def test_nothing_is_kept_of_a_pod_that_was_gone_when_the_proof_ended() -> None:
    async def main(it: Scene) -> None:
        await it.open(b"upload")
        await fresh_lane(it)
        await asyncio.sleep(0.01)
        it.lane.kill("reset by the network")
        await asyncio.sleep(PROVED)
        assert not it.lanes._pods
        assert not it.lanes._pod_of

    play(main, limit=2)


def test_a_warm_lane_that_dies_is_not_asked_whether_it_is_wanted() -> None:
    async def main(it: Scene) -> None:
        pod: PodRef = backend(80).pod
        await it.lanes.warm(pod)
        async with it.serving():
            await asyncio.sleep(IDLE_CLOSE + 10)
            assert it.lanes._pod_of
            it.online = False
            await asyncio.sleep(NOTICED + 1)
            assert it.lane.closed

    play(main)


# -- a lane that has ended is fed no more --


def test_what_follows_the_end_of_a_session_in_one_read_reaches_nobody() -> None:
    async def main(it: Scene) -> None:
        connection, program = await it.open(b"GET /")
        it.hear(frames.goaway(0), frames.data(3, b"answer"))
        assert stands(connection) is State.OVER
        assert it.aim.failures == ["the server ended the session with the pod"]
        assert program.over == "aborted"
        assert not program.received

    play(main)


@pytest.mark.parametrize("streams", [(3,), (3, 1)], ids=["data", "both"])
def test_an_end_after_the_end_of_the_session_is_no_answer(streams: tuple[int, ...]) -> None:
    """Nothing was said, so another lane is taken; while there is no pod, its own patience runs."""

    async def main(it: Scene) -> None:
        connection, program = await it.open()
        backends, it.aim.backends = it.aim.backends, []
        it.hear(frames.goaway(0), *(frames.data(stream, fin=True) for stream in streams))
        await asyncio.sleep(1)
        assert stands(connection) is State.WAITING
        assert not program.over
        it.aim.backends = backends
        connection.dial()
        await asyncio.sleep(1)
        assert stands(connection) is State.OPEN
        assert len(it.made) == 2

    play(main)


# -- tries --


def test_a_pod_that_was_gone_again_and_again_uses_up_no_tries() -> None:
    async def main(it: Scene) -> None:
        it.refuse = NotFoundError("no such pod", code=404)
        it.aim.backends = [backend(80, "old")]
        connection, _ = await it.connect()
        connection._wait = 60.0
        for _ in range(9):
            await asyncio.sleep(0.1)
            connection.dial()
        await asyncio.sleep(0.1)
        it.refuse = None
        it.aim.backends = [backend(80, "new-1"), backend(80, "new-2")]
        connection.dial()
        await asyncio.sleep(0.1)
        it.accept(1, 3)
        it.hear(
            frames.data(3, fin=True),
            frames.data(1, b"failed to connect to localhost:80: connection refused", fin=True),
        )
        await asyncio.sleep(1)
        assert connection.backend == backend(80, "new-2")
        assert not it.aim.failures

    play(main, limit=4)
