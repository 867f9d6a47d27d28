"""Bytes: all of them, in order, in both directions, for every kind of server, and for many connections at once."""

from __future__ import annotations

import asyncio
import resource
import socket
import time

import pytest

from tests.real.conftest import Start
from tests.support import podapp, podclient
from tests.support.world import World, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]
GIB = 1 << 30
P = podapp.BASE


def test_a_gibibyte_each_way(app: World, forward: Start) -> None:
    with forward("pod/app", f":{P + podapp.SOURCE}", f":{P + podapp.SINK}") as running:

        async def both() -> None:
            await podclient.together(
                podclient.download(running.port(P + podapp.SOURCE), GIB),
                podclient.upload(running.port(P + podapp.SINK), GIB),
            )

        podclient.run(both(), 200)
        assert running.memory < 200 << 20
        assert running.told("connection-failed") == []


def test_a_thousand_connections_under_a_low_limit(app: World, forward: Start) -> None:
    """Each with its own bytes; the process raises its own limit from 1024."""
    need, hard = 3000, resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(need, hard), hard))
    low = ["sh", "-c", 'ulimit -Sn 1024; exec "$@"', "sh"]
    try:
        with forward("pod/app", f":{P}", f":{P + podapp.HTTP}", wrap=low) as running:
            threads = running.threads

            async def together() -> None:
                gate = asyncio.Barrier(1000)
                slots = asyncio.Semaphore(100)

                async def one(number: int) -> None:
                    async with podclient.connection(running.port(P)) as (reader, writer):
                        async with slots:
                            await podclient.echo_on(reader, writer, 500 + number)
                        await gate.wait()  # now all thousand are open
                        async with slots:
                            await podclient.echo_on(reader, writer, 500 + number)

                await podclient.together(*[one(number) for number in range(1000)])

            podclient.run(together())
            assert running.told("connection-failed") == []
            assert running.told_times("handling", 1000)
            assert running.threads <= threads + 8
            podclient.run(podclient.echo(running.port(P)))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_child_gets_the_old_limit_back(app: World, forward: Start) -> None:
    low = ["sh", "-c", 'ulimit -Sn 1024; exec "$@"', "sh"]
    words = ["pod/app", f":{P}", "--", "sh", "-c", "ulimit -Sn"]
    with forward(*words, wrap=low, json=False, ready=False) as running:
        running.wait_end(0, 30)
        assert "1024" in running.out


@pytest.mark.parametrize("path", ["length/300000", "chunked/3000000", "close/3000000", "length/0"])
def test_http(path: str, app: World, forward: Start) -> None:
    size = int(path.rpartition("/")[2])
    with forward("svc/app", ":http") as running:
        status, body = podclient.run(podclient.http(running.port(P + podapp.HTTP), f"/{path}"))
        assert status == 200
        assert body == b"".join(podapp.blocks(size, 4))


def test_a_server_that_speaks_first(app: World, forward: Start) -> None:
    """The stream is opened at accept, and does not wait for first bytes."""
    port = P + podapp.BANNER
    with forward("pod/app", f":{port}") as running, podclient.dial(running.port(port), timeout=10) as sock:
        assert sock.recv(100) == b"220 hello\r\n"
        sock.sendall(b"over to you")
        assert sock.recv(100) == b"over to you"


@pytest.mark.parametrize("offset", [podapp.CLOSE, podapp.HALF], ids=["whole", "half"])
def test_a_pod_that_closes_first(offset: int, app: World, forward: Start) -> None:
    """All its bytes and then the end, which the cluster itself gives away a second late."""
    with forward("pod/app", f":{P + offset}") as running:
        began = time.monotonic()
        with podclient.dial(running.port(P + offset), timeout=10) as sock:
            got = b""
            while data := sock.recv(65536):
                got += data
        assert got == b"".join(podapp.blocks(100_000, 1 if offset == podapp.CLOSE else 2))
        assert time.monotonic() - began < 4
        assert running.told("connection-failed") == []


def test_a_local_program_that_closes_its_side_first(app: World, forward: Start) -> None:
    """What it sent arrives; what comes within the cluster's second of grace comes back."""
    with forward("pod/app", f":{P}") as running:
        with podclient.dial(running.port(P), timeout=10) as sock:
            sent = b"".join(podapp.blocks(300_000, 7))
            sock.sendall(sent[:1000])
            sock.shutdown(socket.SHUT_WR)
            got = b""
            while data := sock.recv(65536):
                got += data
        assert got == sent[:1000]
        assert running.told("connection-failed") == []


def test_a_reset_after_some_bytes(app: World, forward: Start) -> None:
    """A pod program that breaks off ends that connection within about a second, and no other."""
    with forward("pod/app", f":{P + podapp.RESET}", f":{P}") as running:

        async def both() -> None:
            async with podclient.connection(running.port(P)) as (reader, writer):
                await podclient.echo_on(reader, writer)
                began = time.monotonic()
                async with podclient.connection(running.port(P + podapp.RESET)) as (broken, ask):
                    ask.write(b"5000\n")
                    try:
                        got = await broken.read(-1)
                    except ConnectionError:
                        got = b""
                    assert b"".join(podapp.blocks(5000, 3)).startswith(got)
                assert time.monotonic() - began < 4
                await podclient.echo_on(reader, writer)

        podclient.run(both())


def test_a_program_that_listens_on_ipv6_alone(app: World, forward: Start) -> None:
    with forward("pod/app", f":{P + podapp.SIX}") as running:
        podclient.run(podclient.echo(running.port(P + podapp.SIX), 100_000))


def test_a_pod_on_the_nodes_network(world: World, forward: Start) -> None:
    spec = world.pod_spec(base=17000, hostNetwork=True)
    spec["containers"][0]["ports"] = []
    world.start(world.pod("onnode", spec=spec))
    with forward("pod/onnode", f":{17000 + podapp.ECHO}", f":{17000 + podapp.SOURCE}") as running:
        podclient.run(podclient.echo(running.port(17000)))
        podclient.run(podclient.download(running.port(17000 + podapp.SOURCE), 1_000_000))


def test_a_program_that_begins_to_listen_late(world: World, forward: Start) -> None:
    """Refused until it listens, and served from then on; nothing else is touched."""
    world.start(world.pod("late"))
    with forward("pod/late", f":{P + podapp.LATE}", f":{P + podapp.HTTP}") as running:
        port = running.port(P + podapp.LATE)
        podclient.run(podclient.ends_with_reset(port))
        running.wait_told("connection-failed", 5)
        podclient.run(podclient.http(running.port(P + podapp.HTTP), f"/listen/{podapp.LATE}"))
        podclient.run(podclient.echo(port))


def test_a_thousand_connections_in_a_row(app: World, forward: Start) -> None:
    """The header compression of a lane holds, and nothing piles up."""
    with forward("pod/app", f":{P}", "--lanes", "1") as running:

        async def many() -> None:
            for number in range(1000):
                await podclient.echo(running.port(P), 100 + number)

        podclient.run(podclient.echo(running.port(P)))
        before = running.descriptors
        podclient.run(many())
        within(5, lambda: running.descriptors <= before + 1, "descriptors are given back")
        assert running.told("connection-failed") == []
