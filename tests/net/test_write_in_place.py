"""A lane gives a TLS transport a view of a buffer that is used again at once: it must have been encrypted by then."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from typing import Any

import pytest

from fairlead.kube.tls import TlsSettings, make_context
from tests.support.loop import LOOPS, run_on
from tests.support.tlsfiles import certificates

SIZE, ROUNDS = 200_000, 100


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_a_tls_transport_takes_bytes_at_once(loop: str, version: ssl.TLSVersion) -> None:
    """Also when nobody reads, so that megabytes are waiting in it."""
    sent, got = run_on(loop, write_and_overwrite(version))
    assert got == sent


async def write_and_overwrite(version: ssl.TLSVersion) -> tuple[str, str]:
    """The digests of what was written and of what arrived."""
    got, may_read, done = hashlib.sha256(), asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await may_read.wait()
        left = SIZE * ROUNDS
        while left:
            data = await reader.read(1 << 18)
            got.update(data)
            left -= len(data)
        writer.close()
        done.set()

    files = certificates()
    ours = files.server_context(ask_client=False)
    ours.minimum_version = ours.maximum_version = version
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=ours)
    transport: Any
    transport, _ = await asyncio.get_running_loop().create_connection(
        asyncio.Protocol,
        *server.sockets[0].getsockname(),
        ssl=make_context(TlsSettings(ca_data=files.ca)),
        server_hostname="localhost",
    )
    sent, buffer = hashlib.sha256(), bytearray(SIZE)
    for number in range(ROUNDS):
        buffer[:] = bytes([number]) * SIZE
        sent.update(buffer)
        transport.write(memoryview(buffer))
        buffer[:] = bytes(SIZE)
        if number % 10 == 0:
            await asyncio.sleep(0)
    assert transport.get_write_buffer_size() > SIZE
    may_read.set()
    async with asyncio.timeout(10):
        await done.wait()
    transport.abort()
    server.close()
    return sent.hexdigest(), got.hexdigest()
