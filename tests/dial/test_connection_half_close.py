"""Each half of a connection ends by itself, and a whole one ends at once."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

from tests.support.dialled import Rig, app, backend, rig, serving
from tests.support.podprograms import count_after_end, counted, end_half, greet_and_close


def refuse_more(it: Rig) -> None:
    """The server takes no more of the first connection, and says no more about it."""
    lane = it.pod.lanes[0]
    lane.session.reset(3)
    lane.flush()


def test_bytes_go_both_ways_and_a_half_close_keeps_the_answer(run: Any) -> None:
    async def main() -> None:
        payload = os.urandom(5_000_000)
        async with serving(count_after_end) as it:
            reader, writer = await it.connect()
            writer.write(payload)
            writer.write_eof()
            assert await reader.read() == counted(payload)
            writer.close()
            await it.until(lambda: it.aim.ended == 1)
            assert it.aim.failures == []

    run(main())


def test_a_pod_that_closes_first_delivers_everything_and_then_an_end(run: Any) -> None:
    async def main() -> None:
        async with serving(greet_and_close) as it:
            reader, writer = await it.connect()
            assert await reader.read() == b"hello"
            writer.close()
            await it.until(lambda: it.aim.ended == 1)
            assert it.aim.failures == []

    run(main())


def test_a_connection_that_is_done_both_ways_ends_though_the_server_keeps_the_error_stream(run: Any) -> None:
    async def main() -> None:
        async with serving(greet_and_close) as it:
            reader, writer = await it.connect()
            it.pod.mute = it.pod.half_close = True
            assert await reader.read() == b"hello"
            writer.close()
            await it.until(lambda: it.aim.ended == 1)
            assert it.aim.failures == []

    run(main())


def test_a_pod_that_is_done_sending_may_go_on_receiving(run: Any) -> None:
    async def main() -> None:
        got = bytearray()

        async def end_half_and_keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"done")
            writer.write_eof()
            got.extend(await reader.read())
            writer.close()

        async with serving(end_half_and_keep) as it:
            it.pod.half_close = True
            reader, writer = await it.connect()
            assert await reader.read() == b"done"
            writer.write(bytes(100_000))
            writer.write_eof()
            await it.until(lambda: it.aim.ended == 1)
            await it.until(lambda: len(got) == 100_000)
            writer.close()
            assert it.aim.failures == []

    run(main())


def test_bytes_for_a_pod_that_ended_its_half_and_takes_no_more_are_not_lost_in_silence(run: Any) -> None:
    async def main() -> None:
        async with serving(end_half) as it:
            it.pod.half_close = it.pod.mute = True
            reader, writer = await it.connect()
            assert await reader.read() == b"done"
            lane = it.aim.connections[0]._lane
            assert lane is not None
            refuse_more(it)
            await it.until(lambda: lane.session.streams == 1)  # the error stream
            writer.write(b"more")
            await it.until(lambda: it.aim.ended == 1)
            with pytest.raises(ConnectionError):
                while True:
                    writer.write(b"and more")
                    await writer.drain()
                    await asyncio.sleep(0.01)
            writer.close()
            assert ["last bytes are lost" in words for words in it.aim.failures] == [True]

    run(main())


def test_a_connection_whose_pod_ended_its_half_and_takes_no_more_ends(run: Any) -> None:
    async def main() -> None:
        async with serving(end_half) as it:
            it.pod.half_close = it.pod.mute = True
            reader, writer = await it.connect()
            assert await reader.read() == b"done"
            await it.until(lambda: it.aim.connections[0]._handle is None)
            refuse_more(it)
            await it.until(lambda: it.aim.ended == 1)
            writer.close()
            assert it.aim.failures == []

    run(main())


def test_a_client_that_resets_ends_the_pods_side(run: Any) -> None:
    async def main() -> None:
        gone = asyncio.Event()

        async def watch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while await reader.read(100):
                    pass
            except ConnectionError:
                pass
            gone.set()
            writer.close()

        async with rig() as it, app(watch) as port:
            it.aim.backends = [backend(port)]
            _, writer = await it.connect()
            writer.write(b"hello")
            await it.until(lambda: it.pod.dialled == [port])
            writer.transport.abort()
            async with asyncio.timeout(5):
                await gone.wait()
            await it.until(lambda: it.aim.ended == 1)

    run(main())
