"""Lanes that break or fall silent, on real sockets: what they carried ends, moves or lives on."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from fairlead.dial import lane as lane_module
from fairlead.policy import silence
from tests.support.dialled import app, backend, expect_reset, rig, serving
from tests.support.podprograms import echo
from tests.support.vanish import vanish


@pytest.fixture
def often_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lanes are pinged ten times a second."""
    monkeypatch.setattr(lane_module, "PING_INTERVAL", 0.1)
    monkeypatch.setattr(lane_module, "PING_DEADLINE", 0.1)


def test_a_lost_lane_resets_what_it_carried_and_the_next_connection_gets_a_new_one(run: Any) -> None:
    async def main() -> None:
        async with serving(echo) as it:
            reader, writer = await it.echoed(b"hello")
            it.pod.lanes[0].writer.transport.abort()
            await expect_reset(reader, writer)
            again = await it.echoed(b"again")
            again[1].close()
            assert len(it.aim.failures) == 1

    run(main())


def test_a_connection_on_which_nothing_was_said_survives_its_lane(run: Any) -> None:
    async def main() -> None:
        async with rig() as it, app(echo) as port:
            it.aim.backends = [backend(port)]
            reader, writer = await it.connect()
            await it.until(lambda: it.pod.dialled == [port])
            it.pod.lanes[0].writer.transport.abort()
            await it.until(lambda: it.pod.dialled == [port, port])
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            writer.close()
            assert it.aim.failures == []

    run(main())


def test_an_idle_lane_that_misses_its_ping_is_dead(run: Any, often_asked: None) -> None:
    async def main() -> None:
        async with rig() as it:
            await it.lanes.warm(backend(80).pod)
            it.pod.lanes[0].silent = True
            await it.until(lambda: it.suspected == ["no answer to a ping"])

    run(main())


def test_a_quiet_connection_on_a_dead_lane_is_found(run: Any, often_asked: None) -> None:
    async def main() -> None:
        async with serving(echo) as it:
            reader, writer = await it.echoed(b"one")
            lane = it.aim.connections[0]._lane
            await it.until(lambda: not lane._pulse.said)  # type: ignore[union-attr]
            it.pod.lanes[0].silent = True
            await expect_reset(reader, writer)

    run(main())


def test_a_busy_lane_that_misses_its_ping_is_kept_while_a_fresh_one_answers(run: Any, often_asked: None) -> None:
    async def main() -> None:
        async with serving(echo) as it:
            reader, writer = await it.echoed(b"one")
            blocked = it.pod.lanes[0]
            blocked.silent = True
            writer.write(bytes(silence.MUCH))
            await it.until(lambda: it.pod.accepted == 2)
            await it.until(lambda: it.aim.connections[0]._lane.suspect)  # type: ignore[union-attr]
            blocked.silent = False
            await it.until(lambda: not it.aim.connections[0]._lane.suspect)  # type: ignore[union-attr]
            assert await reader.readexactly(silence.MUCH) == bytes(silence.MUCH)
            writer.write(b"two")
            assert await reader.readexactly(3) == b"two"
            writer.close()
            assert it.aim.failures == []

    run(main())


@pytest.mark.skipif(sys.platform != "linux", reason="TCP_INFO as Linux has it")
def test_a_lane_whose_peer_acknowledges_nothing_is_dead_whatever_was_sent(
    run: Any, often_asked: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the laptop changes its network in mid-upload: a fresh lane answers at once."""
    monkeypatch.setattr(silence, "UNACKNOWLEDGED", 0.3)

    async def main() -> None:
        async with serving(echo) as it:
            reader, writer = await it.echoed(b"one")
            vanish(it.pod.lanes[0].writer.transport.get_extra_info("socket"))
            writer.write(bytes(silence.MUCH))
            await expect_reset(reader, writer)
            assert "another one does" in it.aim.failures[0]

    run(main())
