"""Until it is resumed, a connection that says much at once is read in small pieces: somebody has to keep them."""

from __future__ import annotations

import asyncio
import socket

import pytest

from fairlead.net.buffer import ReadBuffer
from fairlead.net.local import LocalConnection
from fairlead.net.stream import FIRST
from tests.support.loop import LOOPS, run_on

SAID = bytes(range(256)) * 4096


class Full:
    """Keeps what it is given and wants no more, until the test resumes."""

    def __init__(self, local: LocalConnection) -> None:
        self.local = local
        self.got = bytearray()
        self.patient = True

    def send(self, buffer: memoryview, start: int, end: int) -> None:
        self.got += buffer[start:end]
        if self.patient:
            self.local.pause_reading()

    def send_eof(self) -> None: ...

    def local_blocked(self) -> None: ...

    def local_drained(self) -> None: ...

    def local_lost(self) -> None: ...


@pytest.mark.parametrize("loop_name", LOOPS)
def test_what_a_crowd_says_before_it_has_a_place_is_little(loop_name: str) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        made: asyncio.Future[Full] = loop.create_future()

        def accept(local: LocalConnection) -> Full:
            made.set_result(Full(local))
            return made.result()

        listening = socket.create_server(("127.0.0.1", 0))
        client = socket.create_connection(listening.getsockname())
        client.setblocking(False)
        client.send(SAID)  # as much as the kernel takes
        server = await loop.create_server(lambda: LocalConnection(ReadBuffer(), accept), sock=listening)
        full = await made
        try:
            rest = loop.create_task(loop.sock_sendall(client, SAID))
            for _ in range(50):
                await asyncio.sleep(0)
            assert FIRST <= len(full.got) <= 2 * FIRST  # uvloop's first read begins with the accept
            full.patient = False
            full.local.resume_reading()
            while not rest.done():
                await asyncio.sleep(0.002)
        finally:
            client.close()
            server.close()
            full.local.abort()
            while not full.local.lost:
                await asyncio.sleep(0)

    async def limited() -> None:
        async with asyncio.timeout(10):
            await main()

    run_on(loop_name, limited())
