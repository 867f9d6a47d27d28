"""A connection without a pod waits for one, and keeps what its client says."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import Any

from fairlead.dial import connection as connection_module
from fairlead.errors import UnreachableError
from fairlead.net.stream import CHUNK
from tests.support.dialled import app, backend, expect_reset, rig, serving
from tests.support.podprograms import count_after_end, counted, echo


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
            assert await reader.read() == counted(payload)
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
            assert await reader.read() == counted(payload)
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
            async with asyncio.timeout(20):
                for reader, writer in clients:
                    assert await reader.read() == counted(payload)
                    writer.close()
            assert it.aim.failures == []

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
            await expect_reset(reader, writer)
            assert ["failed to connect to localhost:1" in words for words in it.aim.failures] == [True]

    run(main())


def test_a_connection_that_waited_in_vain_is_reset_with_the_reason(run: Any) -> None:
    async def main() -> None:
        async with rig(wait=0.05) as it:
            reader, writer = await it.connect()
            await expect_reset(reader, writer)
            assert it.aim.failures == ["nothing runs"]
            assert it.aim.ended == 1
            assert it.aim.waiting == []

    run(main())


def test_who_waited_for_a_server_in_vain_is_told_for_how_long(run: Any) -> None:
    async def main() -> None:
        async with serving(echo, wait=0.3) as it:
            it.broken = UnreachableError("the API server did not answer within 10 s")
            reader, writer = await it.connect()
            await expect_reset(reader, writer)
            assert it.aim.failures == ["the API server did not answer within 10 s; the connection waited 0.3 s"]

    run(main())


def test_an_unreachable_server_is_reported_and_waited_for(run: Any) -> None:
    async def main() -> None:
        async with serving(echo) as it:
            it.broken = UnreachableError("no answer")
            reader, writer = await it.connect()
            writer.write(b"hello")
            await it.until(lambda: len(it.aim.waiting) == 1)
            assert it.suspected
            it.broken = None
            it.aim.waiting[0].dial()
            assert await reader.readexactly(5) == b"hello"
            writer.close()

    run(main())
