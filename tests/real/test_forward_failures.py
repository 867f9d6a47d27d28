"""One connection's failure touches that connection only; one stalled reader or writer stalls nobody else."""

from __future__ import annotations

import asyncio
import random
import socket
import time

import pytest

from tests.real.conftest import Start
from tests.support import podapp, podclient
from tests.support.running import Forward
from tests.support.world import World, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]
P = podapp.BASE
NOTHING = P + 99


def test_a_refused_port(app: World, forward: Start) -> None:
    """One line, in the server's own words, with what they mean; the local socket is reset; others go on."""
    with forward("pod/app", f":{NOTHING}", f":{P}", json=False) as running:
        within(5, lambda: len(running.out) == 4, "its lines")
        with podclient.dial(running.port(P)) as other:
            other.sendall(b"before")
            assert other.recv(100) == b"before"
            podclient.run(podclient.ends_with_reset(running.port(NOTHING)))
            line = running.wait_said("failed", 5)
            assert "connection refused" in line
            assert f"nothing listens on port {NOTHING} in the pod" in line
            other.sendall(b"after")
            assert other.recv(100) == b"after"
        assert running.err == [line]


def test_a_refused_port_where_the_local_program_says_nothing(app: World, forward: Start) -> None:
    with forward("pod/app", f":{NOTHING}") as running, podclient.dial(running.port(NOTHING), timeout=5) as sock:
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
        running.wait_told("connection-failed", 5)


def test_transfers_beside_refused_and_reset_connections(app: World, forward: Start) -> None:
    """200 transfers go on while 100 connections are refused and 100 are reset."""
    with forward("pod/app", *[f":{P + offset}" for offset in range(9)], f":{NOTHING}") as running:
        assert running.told("connection-failed") == []

        async def reset(number: int) -> None:
            async with podclient.connection(running.port(P + podapp.RESET)) as (reader, writer):
                writer.write(b"%d\n" % (number * 100))
                try:
                    await reader.read(-1)
                except ConnectionError:
                    pass

        async def all_of_them() -> None:
            work = [podclient.download(running.port(P + podapp.SOURCE), 500_000 + n) for n in range(100)]
            work += [podclient.upload(running.port(P + podapp.SINK), 500_000 + n) for n in range(100)]
            work += [podclient.ends_with_reset(running.port(NOTHING)) for _ in range(100)]
            work += [reset(number) for number in range(100)]
            random.Random(1).shuffle(work)
            await podclient.together(*work)

        podclient.run(all_of_them())
        assert running.told_times("connection-failed", 100, remote=NOTHING)
        assert {event["remote"] for event in running.told("connection-failed")} <= {NOTHING, P + podapp.RESET}


def paused_reader(running: Forward, size: int, seed: int) -> socket.socket:
    """A connection whose local end asks for a lot and reads none of it."""
    sock = podclient.dial(running.port(P + podapp.SOURCE), timeout=60)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    sock.sendall(f"{size} {seed}\n".encode())
    return sock


async def downloads(running: Forward, count: int, size: int, at_once: int, *more: int) -> None:
    """``count`` of about ``size`` bytes each, and beside them one of each size in ``more``."""
    slots = asyncio.Semaphore(at_once)

    async def one(size: int) -> None:
        async with slots:
            await podclient.download(running.port(P + podapp.SOURCE), size)

    sizes = [size + number for number in range(count)]
    await podclient.together(*[one(size) for size in (*more, *sizes)])


def test_a_paused_reader_on_a_lane_of_its_own(app: World, forward: Start) -> None:
    """It stalls nobody, whatever it leaves unread, and loses nothing."""
    size = 40 << 20
    with forward("pod/app", f":{P + podapp.SOURCE}") as running:
        with paused_reader(running, size, 5) as paused:
            podclient.run(downloads(running, 20, 2 << 20, 20))
            time.sleep(6)  # longer than the patience with which a shared lane treats such a reader
            podclient.run(downloads(running, 20, 1 << 20, 20))
            assert running.told("connection-failed") == []
            got = bytearray()
            while data := paused.recv(1 << 18):
                got += data
            assert bytes(got) == b"".join(podapp.blocks(size, 5))
        assert running.told("connection-failed") == []


def test_a_paused_reader_on_a_shared_lane(app: World, forward: Start) -> None:
    """It is reset, with one line, after 5 s in which it left 8 MiB unread and others waited; they lose nothing."""
    with forward("pod/app", f":{P + podapp.SOURCE}", "--lanes", "1") as running:
        # One that stays keeps the lane shared and read: whoever is alone on its lane may pause for ever.
        with podclient.dial(running.port(P + podapp.SOURCE)), paused_reader(running, 200 << 20, 6) as paused:
            podclient.run(downloads(running, 200, 200_000, 200))
            failed = running.wait_told("connection-failed", 30)
            assert "8 MiB" in failed["words"]
            with pytest.raises(ConnectionResetError):
                while paused.recv(1 << 20):
                    pass
        assert running.told_times("connection-failed", 1)
        podclient.run(downloads(running, 4, 200_000, 4))


def test_two_hundred_on_shared_lanes_beside_a_paused_reader(app: World, forward: Start) -> None:
    """The 32 lanes of the default: the paused one has come first and has a lane, until that is shared."""
    with forward("pod/app", f":{P + podapp.SOURCE}") as running:
        with paused_reader(running, 100 << 20, 7):
            podclient.run(downloads(running, 20, 1 << 20, 20))
            assert running.told("connection-failed") == []
            podclient.run(downloads(running, 200, 300_000, 200))
        assert len(running.told("connection-failed")) <= 1


def test_a_pod_program_that_stops_reading_for_a_minute(app: World, forward: Start) -> None:
    """In mid-upload. Its own bytes arrive afterwards, and 20 other connections to that pod are not even late."""
    size, stall = 60 << 20, 60
    with forward("pod/app", f":{P + podapp.SLOW}", f":{P}", f":{P + podapp.SOURCE}") as running:

        async def stalled(begun: asyncio.Event) -> None:
            async with podclient.connection(running.port(P + podapp.SLOW)) as (reader, writer):
                writer.write(f"{size} {1 << 20} {stall}\n".encode())
                for number, block in enumerate(podapp.blocks(size, 8)):
                    writer.write(block)
                    if number == 2:
                        begun.set()
                    await writer.drain()
                answer = await reader.readline()
            # The program counts what it took after the pause, and sums up all.
            assert answer.split()[1].decode() == podapp.digest(size, 8)

        async def neighbour(done: asyncio.Event) -> float:
            slowest = 0.0
            async with podclient.connection(running.port(P)) as (reader, writer):
                while not done.is_set():
                    began = time.monotonic()
                    await podclient.echo_on(reader, writer, 20_000)
                    slowest = max(slowest, time.monotonic() - began)
                    try:
                        await asyncio.wait_for(done.wait(), 1)
                    except TimeoutError:
                        pass
            return slowest

        async def all_of_them() -> list[float]:
            begun, done = asyncio.Event(), asyncio.Event()
            async with asyncio.TaskGroup() as group:
                upload = group.create_task(stalled(begun))
                await begun.wait()
                others = [group.create_task(neighbour(done)) for _ in range(20)]
                try:
                    while not upload.done():
                        await podclient.download(running.port(P + podapp.SOURCE), 1 << 20)
                        await asyncio.wait([upload], timeout=3)
                finally:
                    done.set()
            return [task.result() for task in others]

        slowest = podclient.run(all_of_them(), 150)
        assert max(slowest) < 5
        assert running.told("connection-failed") == []
        assert running.memory < 200 << 20
