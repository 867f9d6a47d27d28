"""Programs that run in a pod, for ``dialled.app``."""

from __future__ import annotations

import asyncio
import hashlib


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def count_after_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with length and digest once the client has ended its half."""
    data = await reader.read()
    writer.write(counted(data))
    writer.close()


def counted(data: bytes) -> bytes:
    """What ``count_after_end`` answers."""
    return f"{len(data)} {hashlib.sha256(data).hexdigest()}".encode()


async def greet_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"hello")
    writer.close()


async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say one byte, and stay for as long as the client does."""
    writer.write(b"x")
    await reader.read()
    writer.close()


async def end_half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer, end that half, and go on reading."""
    writer.write(b"done")
    writer.write_eof()
    await reader.read()
    writer.close()


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
