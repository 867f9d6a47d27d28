"""Which lane a connection gets, how many there are, and how they are closed."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from fairlead.dial import lane as lane_module
from fairlead.errors import ApiError, UnreachableError
from tests.support.dialled import app, backend, rig, serving
from tests.support.podprograms import echo, greet_and_close, hold


def test_long_connections_have_a_lane_each(run: Any) -> None:
    async def main() -> None:
        async with serving(hold) as it:
            clients = [await it.connect() for _ in range(20)]
            for reader, _ in clients:
                assert await reader.readexactly(1) == b"x"
            assert it.pod.accepted == 20
            for _, writer in clients:
                writer.close()

    run(main())


def test_beyond_the_limit_lanes_are_shared_evenly(run: Any) -> None:
    async def main() -> None:
        async with serving(hold, limit=3) as it:
            clients = [await it.connect() for _ in range(30)]
            for reader, _ in clients:
                assert await reader.readexactly(1) == b"x"
            loads = Counter(connection._lane for connection in it.aim.connections)
            assert list(loads.values()) == [10, 10, 10]
            for _, writer in clients:
                writer.close()

    run(main())


def test_short_connections_one_after_another_need_one_lane(run: Any) -> None:
    async def main() -> None:
        async with serving(greet_and_close) as it:
            for done in range(20):
                reader, writer = await it.connect()
                assert await reader.read() == b"hello"
                writer.close()
                await it.until(lambda done=done: it.aim.ended == done + 1)  # type: ignore[misc]
            assert it.pod.accepted == 1

    run(main())


def test_a_connection_that_had_its_answer_leaves_its_lane_before_the_server_says_so(run: Any) -> None:
    async def main() -> None:
        async def answer_and_stay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readexactly(4))
            async with asyncio.timeout(20):
                await closing.wait()
            writer.close()

        closing = asyncio.Event()
        async with serving(answer_and_stay) as it:
            for number in range(10):
                _, writer = await it.echoed(b"ping")
                writer.close()
                await it.until(lambda number=number: it.aim.connections[number]._ending)  # type: ignore[misc]
            assert it.pod.accepted == 1
            assert it.aim.ended == 0
            it.pod.lanes[0].writer.transport.abort()
            await it.until(lambda: it.aim.ended == 10)
            assert it.aim.failures == []
            closing.set()

    run(main())


def test_a_refused_further_lane_is_not_asked_for_again_at_once(run: Any) -> None:
    async def main() -> None:
        async with serving(hold) as it:
            first = await it.connect()
            assert await first[0].readexactly(1) == b"x"
            it.broken = ApiError("too many", code=429)
            second = await it.connect()
            assert await second[0].readexactly(1) == b"x"
            assert it.opened == 2
            for _, writer in (first, second):
                writer.close()

    run(main())


def test_a_warm_lane_that_cannot_be_had_is_reason_for_suspicion(run: Any) -> None:
    async def main() -> None:
        async with rig() as it:
            it.broken = UnreachableError("connection refused")
            with pytest.raises(UnreachableError):
                await it.lanes.warm(backend(80).pod)
            assert it.suspected == ["connection refused"]

    run(main())


def test_an_unused_lane_is_closed_and_a_warm_one_is_kept(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_module, "PING_INTERVAL", 0.05)
    monkeypatch.setattr(lane_module, "IDLE_CLOSE", 0.1)

    async def main() -> None:
        async with rig() as it, app(greet_and_close) as port:
            await it.lanes.warm(backend(port).pod)
            it.aim.backends = [backend(port, "other")]
            reader, writer = await it.connect()
            assert await reader.read() == b"hello"
            writer.close()
            warm, used = it.pod.lanes
            await it.until(used.writer.is_closing)
            assert not warm.writer.is_closing()

    run(main())


def test_a_lane_that_opens_while_the_pool_closes_is_closed_too(run: Any) -> None:
    async def main() -> None:
        async with rig() as it, app(hold) as port:
            it.aim.backends = [backend(port)]
            opening = asyncio.gather(it.lanes.warm(backend(port).pod), return_exceptions=True)
            await asyncio.sleep(0)
            await it.lanes.close(1.0)
            await opening
            await it.until(lambda: [lane.writer.is_closing() for lane in it.pod.lanes] == [True])

    run(main())


def test_a_busy_server_does_not_hold_the_end(run: Any) -> None:
    """From the moment when the end is near nothing of what it sends is read."""

    async def main() -> None:
        async with serving(echo) as it:
            reader, writer = await it.echoed(b"one")
            it.lanes.quiet()
            writer.write(b"two")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await reader.read(1)
            await it.lanes.close(1.0)
            writer.close()

    run(main())
