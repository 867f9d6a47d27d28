from __future__ import annotations

import asyncio

from fairlead.kit.clock import Clock, SystemClock
from fairlead.kit.tasks import Background
from tests.support.clock import FakeClock, settle
from tests.support.loop import run, run_virtual


def test_the_system_clock_is_the_loops_clock() -> None:
    async def main() -> None:
        clock: Clock = SystemClock()
        before = clock.now()
        await clock.sleep(3600)
        assert clock.now() - before == 3600
        await clock.sleep(-1)
        assert clock.now() - before == 3600

    run_virtual(main())


def test_the_fake_clock_wakes_each_sleeper_at_its_own_moment() -> None:
    async def main() -> None:
        clock = FakeClock(100)
        woken: list[tuple[str, float]] = []

        async def sleeper(name: str, seconds: float) -> None:
            await clock.sleep(seconds)
            woken.append((name, clock.now()))

        async with Background() as background:
            for name, seconds in (("late", 5), ("early", 2), ("now", 0), ("never", 99)):
                background.start(sleeper(name, seconds), name=name)
            await settle()
            assert woken == [("now", 100)]
            await clock.advance(10)
            assert woken == [("now", 100), ("early", 102), ("late", 105)]
            assert (clock.now(), clock.sleepers) == (110, 1)

    run_virtual(main())


def test_virtual_time_does_not_overtake_data_between_two_sockets() -> None:
    async def main() -> None:
        served: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            served.append(await reader.readexactly(5))
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server, asyncio.timeout(5):
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"hello")
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
        assert served == [b"hello"]

    run_virtual(main())


def test_the_real_loop_is_limited() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    try:
        run(main(), limit=0.01)
    except TimeoutError:
        return
    raise AssertionError("not limited")
