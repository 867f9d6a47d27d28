from __future__ import annotations

import asyncio
import hashlib
import os
import re
import socket
import sys
from collections import Counter
from collections.abc import Coroutine
from typing import Any, cast

import pytest

from fairlead.dial import connection as connection_module
from fairlead.dial import lane as lane_module
from fairlead.dial.connection import State
from fairlead.errors import ApiError, CredentialsError, ForbiddenError, UnreachableError
from fairlead.kit.tasks import Background
from fairlead.net.local import HIGH_WATER
from fairlead.net.stream import CHUNK
from fairlead.policy import silence
from tests.support.dialled import app, backend, rig
from tests.support.vanish import vanish

uvloop = pytest.importorskip("uvloop")
FACTORIES = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(params=sorted(FACTORIES))
def run(request: pytest.FixtureRequest) -> Any:
    def on_loop(main: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=FACTORIES[request.param]) as runner:
            runner.run(main)

    return on_loop


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def count_after_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with length and digest once the client has ended its half."""
    digest, size = hashlib.sha256(), 0
    while data := await reader.read(1 << 18):
        digest.update(data)
        size += len(data)
    writer.write(f"{size} {digest.hexdigest()}".encode())
    writer.close()


async def greet_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"hello")
    writer.close()


async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"x")
    await reader.read()
    writer.close()


def test_bytes_go_both_ways_and_a_half_close_keeps_the_answer(run: Any) -> None:
    async def main() -> None:
        payload = os.urandom(5_000_000)
        async with rig() as it, app(count_after_end) as port:
            it.aim.backends = [backend(port)]
            reader, writer = await it.connect()
            writer.write(payload)
            writer.write_eof()
            assert (await reader.read()).decode() == f"{len(payload)} {hashlib.sha256(payload).hexdigest()}"
            writer.close()
            await it.until(lambda: it.aim.ended == 1)
            assert it.aim.failures == []

    run(main())


def test_a_pod_that_closes_first_delivers_everything_and_then_an_end(run: Any) -> None:
    async def main() -> None:
        async with rig() as it, app(greet_and_close) as port:
            it.aim.backends = [backend(port)]
            reader, writer = await it.connect()
            assert await reader.read() == b"hello"
            writer.close()
            await it.until(lambda: it.aim.ended == 1)
            assert it.aim.failures == []

    run(main())


def test_a_connection_that_is_done_both_ways_ends_though_the_server_keeps_the_error_stream(run: Any) -> None:
    async def main() -> None:
        async with rig() as it, app(greet_and_close) as port:
            it.aim.backends = [backend(port)]
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

        async def end_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"done")
            writer.write_eof()
            got.extend(await reader.read())
            writer.close()

        async with rig() as it, app(end_first) as port:
            it.pod.half_close = True
            it.aim.backends = [backend(port)]
            reader, writer = await it.connect()
            assert await reader.read() == b"done"
            writer.write(bytes(100_000))
            writer.write_eof()
            await it.until(lambda: it.aim.ended == 1)
            await it.until(lambda: len(got) == 100_000)
            writer.close()
            assert it.aim.failures == []

    run(main())


async def end_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer, end that half, and go on reading."""
    writer.write(b"done")
    writer.write_eof()
    await reader.read()
    writer.close()


def refuse_more(it: Any) -> None:
    """The server takes no more of the first connection, and says no more about it."""
    lane = it.pod.lanes[0]
    lane.session.reset(3)
    lane.flush()


def test_bytes_for_a_pod_that_ended_its_half_and_takes_no_more_are_not_lost_in_silence(run: Any) -> None:
    async def main() -> None:
        async with rig() as it, app(end_first) as port:
            it.pod.half_close = it.pod.mute = True
            it.aim.backends = [backend(port)]
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
        async with rig() as it, app(end_first) as port:
            it.pod.half_close = it.pod.mute = True
            it.aim.backends = [backend(port)]
            reader, writer = await it.connect()
            assert await reader.read() == b"done"
            await it.until(lambda: it.aim.connections[0]._handle is None)
            refuse_more(it)
            await it.until(lambda: it.aim.ended == 1)
            writer.close()
            assert it.aim.failures == []

    run(main())


def test_a_refused_dial_resets_that_connection_only(run: Any) -> None:
    async def main() -> None:
        async with rig() as it, app(echo) as port:
            it.aim.backends = [backend(port)]
            alive = await it.connect()
            alive[1].write(b"one")
            assert await alive[0].readexactly(3) == b"one"
            it.aim.backends = [backend(1)]
            reader, writer = await it.connect()
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()
            assert len(it.aim.failures) == 1
            assert "failed to connect to localhost:1" in it.aim.failures[0]
            alive[1].write(b"two")
            assert await alive[0].readexactly(3) == b"two"
            alive[1].close()

    run(main())


def test_a_refused_dial_is_tried_on_another_pod_with_its_first_bytes(run: Any) -> None:
    async def main() -> None:
        async with rig() as it, app(echo) as port:
            it.aim.backends = [backend(1, "a"), backend(port, "b")]
            reader, writer = await it.connect()
            writer.write(b"first bytes")
            assert await reader.readexactly(11) == b"first bytes"
            writer.close()
            assert it.aim.failures == []
            assert it.pod.dialled == [1, port]

    run(main())


def test_a_reset_without_words_is_never_tried_again(run: Any) -> None:
    async def main() -> None:
        async with rig() as it:
            it.pod.reset.add(7)
            it.aim.backends = [backend(7, "a"), backend(8, "b")]
            reader, writer = await it.connect()
            writer.write(b"an order")
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()
            assert it.pod.dialled == [7]

    run(main())


def test_more_first_bytes_than_are_kept_are_sent_once(run: Any) -> None:
    async def main() -> None:
        async with rig() as it:
            it.pod.refuse[7] = "refused"
            it.aim.backends = [backend(7, "a"), backend(8, "b")]
            gate = asyncio.Event()
            original = it.lanes.board

            def late(passenger: Any, pod: Any) -> None:
                original(passenger, pod)
                gate.set()

            it.lanes.board = late  # type: ignore[method-assign]
            reader, writer = await it.connect()
            writer.write(bytes(connection_module.KEPT + 1))
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()
            assert it.pod.dialled in ([7], [7, 8])  # both are right: the refusal may come before the 65,537th byte

    run(main())


def test_a_connection_waits_for_a_pod_and_keeps_what_the_client_sends(run: Any) -> None:
    async def main() -> None:
        payload = os.urandom(300_000)
        async with rig() as it, app(count_after_end) as port:
            reader, writer = await it.connect()
            writer.write(payload)
            writer.write_eof()
            await it.until(lambda: len(it.aim.waiting) == 1)
            it.aim.backends = [backend(port)]
            it.aim.waiting[0].dial()
            assert (await reader.read()).decode() == f"{len(payload)} {hashlib.sha256(payload).hexdigest()}"
            writer.close()

    run(main())


def test_what_is_kept_of_a_client_that_says_much_while_it_waits_is_bounded(run: Any) -> None:
    async def main() -> None:
        payload = os.urandom(8_000_000)
        async with rig() as it, app(count_after_end) as port:
            # Said before it is accepted: then the first pause is made inside connection_made.
            sock = socket.create_connection(("127.0.0.1", it.port))
            sock.setblocking(False)
            first = sock.send(payload)
            assert first > connection_module.KEPT
            reader, writer = await asyncio.open_connection(sock=sock)
            writer.write(payload[first:])
            writer.write_eof()
            await it.until(lambda: len(it.aim.waiting) == 1)
            await asyncio.sleep(0.1)
            kept = it.aim.connections[0]._kept
            assert kept is not None
            assert connection_module.KEPT <= len(kept) < connection_module.KEPT + 2 * CHUNK
            it.aim.backends = [backend(port)]
            it.aim.waiting[0].dial()
            assert (await reader.read()).decode() == f"{len(payload)} {hashlib.sha256(payload).hexdigest()}"
            writer.close()

    run(main())


def test_a_connection_that_waited_goes_on_waiting_when_the_new_pod_does_not_listen_yet(run: Any) -> None:
    async def main() -> None:
        async with rig() as it, app(echo) as port:
            reader, writer = await it.connect()
            writer.write(b"hello")
            await it.until(lambda: len(it.aim.waiting) == 1)
            it.pod.refuse[port] = "connection refused"
            it.aim.backends = [backend(port)]
            it.aim.waiting.pop().dial()
            await it.until(lambda: len(it.aim.waiting) == 1)
            del it.pod.refuse[port]
            it.aim.waiting.pop().dial()
            assert await reader.readexactly(5) == b"hello"
            writer.close()
            assert it.aim.failures == []

    run(main())


def test_a_connection_that_waited_for_a_pod_that_never_listens_is_told_the_servers_words(run: Any) -> None:
    async def main() -> None:
        async with rig(wait=0.3) as it:
            reader, writer = await it.connect()
            await it.until(lambda: len(it.aim.waiting) == 1)
            it.aim.backends = [backend(1)]
            it.aim.waiting.pop().dial()
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()
            assert ["failed to connect to localhost:1" in words for words in it.aim.failures] == [True]

    run(main())


def test_a_connection_that_waited_in_vain_is_reset_with_the_reason(run: Any) -> None:
    async def main() -> None:
        async with rig(wait=0.05) as it:
            reader, writer = await it.connect()
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()
            assert it.aim.failures == ["nothing runs"]
            assert it.aim.ended == 1
            assert it.aim.waiting == []

    run(main())


def test_without_the_right_to_forward_the_connection_fails_with_the_servers_words(run: Any) -> None:
    async def main() -> None:
        async with rig() as it:
            it.broken = ForbiddenError("you may not create pods/portforward")
            it.aim.backends = [backend(80)]
            reader, writer = await it.connect()
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()
            assert it.aim.failures == ["you may not create pods/portforward"]

    run(main())


def test_an_unreachable_server_is_reported_and_waited_for(run: Any) -> None:
    async def main() -> None:
        async with rig() as it, app(echo) as port:
            it.broken = UnreachableError("no answer")
            it.aim.backends = [backend(port)]
            reader, writer = await it.connect()
            writer.write(b"hello")
            await it.until(lambda: len(it.aim.waiting) == 1)
            assert it.suspected
            it.broken = None
            it.aim.waiting[0].dial()
            assert await reader.readexactly(5) == b"hello"
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


def test_a_lane_that_opens_while_the_pool_closes_is_closed_too(run: Any) -> None:
    async def main() -> None:
        async with rig() as it, app(hold) as port:
            it.aim.backends = [backend(port)]
            opening = asyncio.gather(it.lanes.warm(backend(port).pod), return_exceptions=True)
            await asyncio.sleep(0)
            await it.lanes.close(1.0)
            await opening
            await it.until(lambda: all(lane.writer.is_closing() for lane in it.pod.lanes))

    run(main())


def test_a_busy_server_does_not_hold_the_end(run: Any) -> None:
    """From the moment when the end is near nothing of what it sends is read."""

    async def main() -> None:
        async with rig() as it, app(echo) as port:
            it.aim.backends = [backend(port)]
            reader, writer = await it.connect()
            writer.write(b"one")
            assert await reader.readexactly(3) == b"one"
            it.lanes.quiet()
            writer.write(b"two")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await reader.read(1)
            await it.lanes.close(1.0)
            writer.close()

    run(main())


def test_a_refused_further_lane_is_not_asked_for_again_at_once(run: Any) -> None:
    async def main() -> None:
        async with rig() as it, app(hold) as port:
            it.aim.backends = [backend(port)]
            first = await it.connect()
            assert await first[0].readexactly(1) == b"x"
            it.broken = ApiError("too many", code=429)
            second = await it.connect()
            assert await second[0].readexactly(1) == b"x"
            assert it.opened == 2
            for _, writer in (first, second):
                writer.close()

    run(main())


def test_the_reason_why_no_lane_can_be_had_is_told(run: Any) -> None:
    async def main() -> None:
        async with rig(wait=0.2) as it:
            it.aim.backends = [backend(80)]
            for error, seconds in ((CredentialsError("the token has expired"), 0.1), (ApiError("no node"), 1.0)):
                it.broken = error
                began = asyncio.get_running_loop().time()
                reader, writer = await it.connect()
                with pytest.raises(ConnectionResetError):
                    await reader.read()
                assert asyncio.get_running_loop().time() - began < seconds
                assert it.aim.failures[-1] == error.what
                writer.close()

    run(main())


def test_many_connections_that_waited_share_a_lane_with_all_their_first_bytes(run: Any) -> None:
    async def main() -> None:
        payload = os.urandom(100_000)
        async with rig(limit=1, wait=20) as it, app(count_after_end) as port:
            clients = [await it.connect() for _ in range(120)]
            for _, writer in clients:
                writer.write(payload)
                writer.write_eof()
            await it.until(lambda: len(it.aim.waiting) == 120)
            it.aim.backends = [backend(port)]
            for connection in list(it.aim.waiting):
                connection.dial()
            expected = f"{len(payload)} {hashlib.sha256(payload).hexdigest()}".encode()
            async with asyncio.timeout(20):
                for reader, writer in clients:
                    assert await reader.read() == expected
                    writer.close()
            assert it.aim.failures == []

    run(main())


def test_a_quiet_connection_on_a_dead_lane_is_found(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_module, "PING_INTERVAL", 0.1)
    monkeypatch.setattr(lane_module, "PING_DEADLINE", 0.1)

    async def main() -> None:
        async with rig() as it, app(echo) as port:
            it.aim.backends = [backend(port)]
            reader, writer = await it.connect()
            writer.write(b"one")
            assert await reader.readexactly(3) == b"one"
            lane = it.aim.connections[0]._lane
            await it.until(lambda: not lane._pulse.said)  # type: ignore[union-attr]
            it.pod.lanes[0].silent = True
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()

    run(main())


def test_long_connections_have_a_lane_each(run: Any) -> None:
    async def main() -> None:
        async with rig() as it, app(hold) as port:
            it.aim.backends = [backend(port)]
            clients = [await it.connect() for _ in range(20)]
            for reader, _ in clients:
                assert await reader.readexactly(1) == b"x"
            assert it.pod.accepted == 20
            for _, writer in clients:
                writer.close()

    run(main())


def test_beyond_the_limit_lanes_are_shared_evenly(run: Any) -> None:
    async def main() -> None:
        async with rig(limit=3) as it, app(hold) as port:
            it.aim.backends = [backend(port)]
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
        async with rig() as it, app(greet_and_close) as port:
            it.aim.backends = [backend(port)]
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
        async with rig() as it, app(answer_and_stay) as port:
            it.aim.backends = [backend(port)]
            for number in range(10):
                reader, writer = await it.connect()
                writer.write(b"ping")
                assert await reader.readexactly(4) == b"ping"
                writer.close()
                await it.until(lambda number=number: it.aim.connections[number]._ending)  # type: ignore[misc]
            assert it.pod.accepted == 1
            assert it.aim.ended == 0
            it.pod.lanes[0].writer.transport.abort()
            await it.until(lambda: it.aim.ended == 10)
            assert it.aim.failures == []
            closing.set()

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


async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send as many bytes as the client's first line says."""
    left = int(await reader.readline())
    block = bytes(range(256)) * 1024
    try:
        while left > 0:
            writer.write(block[:left])
            left -= len(block)
            await writer.drain()
    except ConnectionError:
        pass
    writer.close()


def stop_reading(writer: asyncio.StreamWriter) -> None:
    cast("asyncio.Transport", writer.transport).pause_reading()


def read_again(writer: asyncio.StreamWriter) -> None:
    cast("asyncio.Transport", writer.transport).resume_reading()


async def take(it: Any, size: int) -> int:
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
        async with rig() as it, app(pour) as port:
            it.aim.backends = [backend(port)]
            reader, writer = await it.connect()
            writer.write(f"{size}\n".encode())
            assert await reader.readexactly(1) == b"\0"
            stop_reading(writer)
            paused = it.aim.connections[0]
            await it.until(lambda: not paused._lane._reading)  # type: ignore[union-attr]
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
    monkeypatch.setattr(lane_module, "SHARED_PATIENCE", 0.3)

    async def main() -> None:
        async with rig(limit=1) as it, app(pour) as port:
            it.aim.backends = [backend(port)]
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


def test_what_all_readers_of_a_shared_lane_leave_unread_is_bounded(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them stays under what one may leave."""
    bound = 2 * 1024 * 1024
    monkeypatch.setattr(lane_module, "SHARED_PATIENCE", 0.3)
    monkeypatch.setattr(lane_module, "LANE_UNREAD", bound)

    async def main() -> None:
        async with rig(limit=1) as it, app(pour) as port:
            it.aim.backends = [backend(port)]
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


def test_a_lost_lane_resets_what_it_carried_and_the_next_connection_gets_a_new_one(run: Any) -> None:
    async def main() -> None:
        async with rig() as it, app(echo) as port:
            it.aim.backends = [backend(port)]
            reader, writer = await it.connect()
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            it.pod.lanes[0].writer.transport.abort()
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()
            again = await it.connect()
            again[1].write(b"again")
            assert await again[0].readexactly(5) == b"again"
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


def test_an_idle_lane_that_misses_its_ping_is_dead(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_module, "PING_INTERVAL", 0.1)
    monkeypatch.setattr(lane_module, "PING_DEADLINE", 0.1)

    async def main() -> None:
        async with rig() as it:
            await it.lanes.warm(backend(80).pod)
            it.pod.lanes[0].silent = True
            await it.until(lambda: it.suspected == ["no answer to a ping"])

    run(main())


def test_a_busy_lane_that_misses_its_ping_is_kept_while_a_fresh_one_answers(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane_module, "PING_INTERVAL", 0.1)
    monkeypatch.setattr(lane_module, "PING_DEADLINE", 0.1)

    async def main() -> None:
        async with rig() as it, app(echo) as port:
            it.aim.backends = [backend(port)]
            reader, writer = await it.connect()
            writer.write(b"one")
            assert await reader.readexactly(3) == b"one"
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
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the laptop changes its network in mid-upload: a fresh lane answers at once."""
    monkeypatch.setattr(lane_module, "PING_INTERVAL", 0.1)
    monkeypatch.setattr(lane_module, "PING_DEADLINE", 0.1)
    monkeypatch.setattr(silence, "UNACKNOWLEDGED", 0.3)

    async def main() -> None:
        async with rig() as it, app(echo) as port:
            it.aim.backends = [backend(port)]
            reader, writer = await it.connect()
            writer.write(b"one")
            assert await reader.readexactly(3) == b"one"
            vanish(it.pod.lanes[0].writer.transport.get_extra_info("socket"))
            writer.write(bytes(silence.MUCH))
            with pytest.raises(ConnectionResetError):
                await reader.read()
            assert "a new one does" in it.aim.failures[0]
            writer.close()

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
