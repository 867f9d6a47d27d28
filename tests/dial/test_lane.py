"""A lane on a transport that the test moves: pings, and what becomes of a paused program however it leaves the lane."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fairlead.dial import connection as connection_module
from fairlead.dial import lane as lane_module
from fairlead.dial.connection import Connection
from fairlead.errors import ApiError
from fairlead.kit.tasks import Background
from fairlead.protocol.spdy import frames
from tests.support.dialled import backend
from tests.support.loop import now
from tests.support.program import HIGH_WATER, Program
from tests.support.scene import Scene, play

# -- pings --


def test_a_ping_is_answered_by_its_own_pong_only() -> None:
    async def main(it: Scene) -> None:
        await it.connect(b"hello")
        lane, transport = it.made[0]
        transport.written = b""
        await asyncio.sleep(lane_module.PING_INTERVAL)
        ident = int.from_bytes(transport.written[-4:], "big")
        await asyncio.sleep(lane_module.PING_DEADLINE)
        assert lane.suspect
        it.hear(frames.ping(ident + 4), frames.ping(ident - 2 if ident > 2 else 99))  # the next is asked already
        assert lane.suspect
        it.hear(frames.ping(ident))
        assert not lane.suspect

    play(main)


def test_a_dead_lane_says_when_it_was_last_heard() -> None:
    async def main(it: Scene) -> None:
        await it.connect(b"hello")
        lane, transport = it.made[0]
        await asyncio.sleep(lane_module.PING_INTERVAL + 1)
        it.hear(frames.ping(int.from_bytes(transport.written[-4:], "big")))
        heard = now()
        await asyncio.sleep(1)
        it.lanes.lane_closed(lane, "it broke")
        assert (it.suspected, it.heard_at) == (["it broke"], heard)

    play(main)


def test_a_proof_is_the_answer_to_the_ping_that_asked_for_it() -> None:
    async def main(it: Scene) -> None:
        await it.connect(b"hello")
        lane, transport = it.made[0]
        await asyncio.sleep(lane_module.PING_INTERVAL)  # another ping is under way
        transport.written = b""
        async with Background() as tasks:
            proof = tasks.start(lane.prove(3.0), name="prove")
            await asyncio.sleep(0.01)
            ident = int.from_bytes(transport.written[-4:], "big")
            it.hear(frames.ping(ident - 2))
            await asyncio.sleep(0.01)
            assert not proof.done()
            it.hear(frames.ping(ident))
            await proof
        with pytest.raises(TimeoutError):
            await lane.prove(3.0)
        assert not lane._pongs

    play(main)


def test_a_closed_lane_proves_nothing_and_says_so_at_once() -> None:
    async def main(it: Scene) -> None:
        await it.connect(b"hello")
        async with Background() as tasks:
            proof = tasks.start(_caught(it.lane.prove(3.0)), name="prove")
            await asyncio.sleep(0.01)
            it.lane.kill("dead")
            began = asyncio.get_running_loop().time()
            assert isinstance(await proof, ConnectionError)
            assert isinstance(await _caught(it.lane.prove(3.0)), ConnectionError)
            assert asyncio.get_running_loop().time() == began

    play(main)


async def _caught(proof: Any) -> Exception | None:
    try:
        await proof
    except Exception as error:
        return error
    return None


# -- a pod whose further lane is refused while the ones it has are held --


def test_a_pod_is_not_forgotten_while_it_has_a_lane_that_takes_no_connections() -> None:
    async def main(it: Scene) -> None:
        await it.open(b"hello")
        it.lane.pause_writing()
        it.refuse = ApiError("no more")
        _, second = await it.connect(b"too late")
        it.lane.resume_writing()
        await asyncio.sleep(1)
        it.hear(frames.data(3, b"bye", fin=True), frames.data(1, fin=True))
        assert it.aim.ended == 1
        it.lane.kill("dead")
        assert not second.over
        assert len(it.aim.waiting) == 1

    play(main, limit=2)


def test_a_program_that_was_told_the_end_of_the_answer_gets_no_other_answer() -> None:
    async def main(it: Scene) -> None:
        _, program = await it.open()
        it.hear(frames.data(3, fin=True))
        await asyncio.sleep(connection_module.SETTLE_EMPTY + 1)
        assert program.whole
        it.lane.connection_lost(ConnectionResetError("reset"))
        await asyncio.sleep(0.1)
        assert program.over == "aborted"
        assert len(it.aim.failures) == 1

    play(main)


# -- every reason to be paused, every way to leave --


def full_lane(it: Scene, connection: Connection, program: Program) -> None:
    """The network takes no more."""
    it.lane.pause_writing()
    assert program.paused


def queued(it: Scene, connection: Connection, program: Program) -> None:
    """Much was said in small pieces within one turn of the loop."""
    while not program.paused:
        program.say(bytes(4000))


def unread(it: Scene, connection: Connection, program: Program) -> None:
    """The program reads nothing, and the lane is held for it."""
    program.read(False)
    it.hear(frames.data(3, bytes(2 * HIGH_WATER)))
    assert connection in it.lane.hold.blocked


def both(it: Scene, connection: Connection, program: Program) -> None:
    """Nobody reads."""
    unread(it, connection, program)
    full_lane(it, connection, program)


def nothing(it: Scene, connection: Connection, program: Program) -> None:
    """It is not paused."""


def lane_dies(it: Scene, connection: Connection, program: Program) -> None:
    it.lane.connection_lost(ConnectionResetError("reset"))


def lane_aborted(it: Scene, connection: Connection, program: Program) -> None:
    it.lane.kill("no answer to a ping")


def server_ends(it: Scene, connection: Connection, program: Program) -> None:
    it.lane.eof_received()


def refused(it: Scene, connection: Connection, program: Program) -> None:
    """And another pod is there."""
    it.aim.backends.append(backend(80, "other"))
    it.hear(frames.data(1, b"failed to connect to localhost:80: connection refused", fin=True))


def reset(it: Scene, connection: Connection, program: Program) -> None:
    it.hear(frames.rst_stream(3, 5), frames.rst_stream(1, 5))


def ends(it: Scene, connection: Connection, program: Program) -> None:
    it.hear(frames.data(3, fin=True), frames.data(1, fin=True))


def ending(it: Scene, connection: Connection, program: Program) -> None:
    """It has had its answer and only waits for the server; then the pod is forgotten, and the lane dies."""
    it.hear(frames.data(3, b"answer"))
    program.end()
    pod_forgotten(it, connection, program)
    lane_dies(it, connection, program)


def pod_forgotten(it: Scene, connection: Connection, program: Program) -> None:
    it.lanes.forget(backend(80).pod)


def program_gone(it: Scene, connection: Connection, program: Program) -> None:
    program.vanish()


def run_over(it: Scene, connection: Connection, program: Program) -> None:
    connection.cut()


REASONS = (nothing, full_lane, queued, unread, both)
WAYS = (
    lane_dies, lane_aborted, server_ends, refused, reset, ends, ending, pod_forgotten, program_gone, run_over,
)  # fmt: skip


@pytest.fixture
def small_high_water(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_module, "WRITE_HIGH_WATER", 20_000)
    monkeypatch.setattr(connection_module, "KEPT", 100_000)


@pytest.mark.usefixtures("small_high_water")
@pytest.mark.parametrize("alone", [True, False], ids=["alone", "beside another"])
@pytest.mark.parametrize("said", [b"", b"hello"], ids=["silent", "spoke"])
@pytest.mark.parametrize("way", WAYS, ids=lambda each: each.__name__)
@pytest.mark.parametrize("reason", REASONS, ids=lambda each: each.__name__)
def test_a_paused_program_reads_again_or_is_closed(reason: Any, way: Any, said: bytes, alone: bool) -> None:
    async def main(it: Scene) -> None:
        connection, program = await it.connect(said)
        if not alone:
            await it.connect(b"another")
        it.accept(1, 3)
        lane = it.lane
        assert connection in lane.riders
        reason(it, connection, program)
        way(it, connection, program)
        await asyncio.sleep(0.01)
        stays = way is pod_forgotten
        if stays:
            # It goes on where it is, and what it was paused for ends at last.
            lane.resume_writing()
            program.read(True)
            await asyncio.sleep(0.01)
        else:
            assert connection not in lane.riders
            for held in (lane.hold.blocked, lane._ending, lane._unaccepted):
                assert connection not in held
            assert lane.hold.reading or lane.closed
            assert lane.hold._patience is None or lane.closed
        assert program.over or not program.paused
        assert program.over or connection._lane is not None
        if not program.over:
            assert program.say(b"more")

    play(main)
