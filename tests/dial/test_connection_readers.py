"""Clients that do not read: on a lane of their own they stall nobody, on a shared one not for long."""

from __future__ import annotations

import asyncio
import re
from typing import Any, cast

import pytest

from fairlead.dial import hold
from fairlead.dial.connection import State
from fairlead.errors import ApiError
from fairlead.kit.tasks import Background
from fairlead.net.local import HIGH_WATER
from fairlead.net.stream import CHUNK
from tests.support.dialled import Rig, serving
from tests.support.podprograms import pour


def stop_reading(writer: asyncio.StreamWriter) -> None:
    cast("asyncio.Transport", writer.transport).pause_reading()


def read_again(writer: asyncio.StreamWriter) -> None:
    cast("asyncio.Transport", writer.transport).resume_reading()


async def take(it: Rig, size: int) -> int:
    reader, writer = await it.connect()
    writer.write(f"{size}\n".encode())
    got = 0
    while data := await reader.read(1 << 18):
        got += len(data)
    writer.close()
    return got


def test_a_reader_that_pauses_on_its_own_lane_stalls_nobody_and_loses_nothing(run: Any) -> None:
    async def main() -> None:
        size = 40_000_000
        async with serving(pour) as it:
            reader, writer = await it.connect()
            writer.write(f"{size}\n".encode())
            assert await reader.readexactly(1) == b"\0"
            stop_reading(writer)
            paused = it.aim.connections[0]
            await it.until(lambda: not paused._lane.hold.reading)  # type: ignore[union-attr]
            assert await asyncio.gather(*(take(it, 1_000_000) for _ in range(10))) == [1_000_000] * 10
            assert paused.local.unsent < 2 * 1024 * 1024
            read_again(writer)
            got = 1
            while data := await reader.read(1 << 18):
                got += len(data)
            assert got == size
            writer.close()

    run(main())


def test_a_reader_that_stalls_a_shared_lane_for_too_long_is_reset(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hold, "SHARED_PATIENCE", 0.3)

    async def main() -> None:
        async with serving(pour, limit=1) as it:
            reader, writer = await it.connect()
            writer.write(b"100000000\n")
            assert await reader.readexactly(1) == b"\0"
            stop_reading(writer)
            assert await take(it, 30_000_000) == 30_000_000
            read_again(writer)
            with pytest.raises(ConnectionResetError):
                while await reader.read(1 << 18):
                    pass
            writer.close()
            assert len(it.aim.failures) == 1
            assert re.search(r"left (8|9) MiB unread", it.aim.failures[0])

    run(main())


@pytest.mark.parametrize("refused", [False, True], ids=["the limit", "the server refuses more"])
def test_where_no_lane_is_left_a_reader_that_pauses_shares_its_own(
    run: Any, monkeypatch: pytest.MonkeyPatch, refused: bool
) -> None:
    """Others need not wait for it, and it loses nothing within what all may leave unread."""
    size = 30_000_000
    monkeypatch.setattr(hold, "SHARED_UNREAD", size)
    monkeypatch.setattr(hold, "LANE_UNREAD", size)

    async def main() -> None:
        async with serving(pour, limit=32 if refused else 1) as it:
            reader, writer = await it.connect()
            writer.write(f"{size}\n".encode())
            assert await reader.readexactly(1) == b"\0"
            stop_reading(writer)
            lane = it.aim.connections[0]._lane
            assert lane is not None
            await it.until(lambda: not lane.hold.reading)
            it.broken = ApiError("too many", code=429)
            for _ in range(5):
                assert await take(it, 1000) == 1000
            read_again(writer)
            got = 1
            while data := await reader.read(1 << 18):
                got += len(data)
            assert got == size
            writer.close()

    run(main())


def test_what_all_readers_of_a_shared_lane_leave_unread_is_bounded(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them stays under what one may leave."""
    bound = 2 * 1024 * 1024
    monkeypatch.setattr(hold, "SHARED_PATIENCE", 0.3)
    monkeypatch.setattr(hold, "LANE_UNREAD", bound)

    async def main() -> None:
        async with serving(pour, limit=1) as it:
            paused = []
            for _ in range(12):
                reader, writer = await it.connect()
                cast("asyncio.Transport", writer.transport).set_write_buffer_limits(0)
                stop_reading(writer)
                writer.write(b"7000000\n")
                paused.append((reader, writer))
            most = 0

            def unread() -> int:
                return sum(each.local.unsent for each in it.aim.connections if each.state is not State.OVER)

            async def watch() -> None:
                nonlocal most
                while True:
                    most = max(most, unread())
                    await asyncio.sleep(0.01)

            async with Background() as tasks:
                tasks.start(watch(), name="watch")
                assert await take(it, 30_000_000) == 30_000_000
            # What is not blocked does not count: up to HIGH_WATER each.
            assert bound < most < bound + 12 * HIGH_WATER + CHUNK
            assert it.aim.failures
            assert all(re.search(r"left \d+ MiB unread", words) for words in it.aim.failures)
            for _, writer in paused:
                writer.transport.abort()
            await it.until(lambda: it.aim.ended == 13)

    run(main())
