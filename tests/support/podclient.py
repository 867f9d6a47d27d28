"""Clients for the ports of ``podapp``: each checks every byte of what comes back."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from tests.support.podapp import blocks, digest

T = TypeVar("T")
_seeds = itertools.count(1)
LIMIT = 120.0
"""Seconds that no single check may take, however busy the machine is."""
HANG = 20.0
"""Seconds after which a request of a load has gone wrong, as whoever asked would think."""


def run(work: Coroutine[Any, Any, T], limit: float = LIMIT) -> T:
    """Run one coroutine to its end."""

    async def limited() -> T:
        async with asyncio.timeout(limit):
            return await work

    return asyncio.run(limited())


async def together(*work: Coroutine[Any, Any, T]) -> list[T]:
    """Run them side by side; the first error ends all and is raised alone."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]


@asynccontextmanager
async def connection(
    port: int, host: str = "127.0.0.1"
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection that is closed at the end."""
    reader, writer = await asyncio.open_connection(host, port, limit=1 << 20)
    try:
        yield reader, writer
    finally:
        writer.close()
        try:
            await writer.wait_closed()
        except ConnectionError:
            pass


async def echo(port: int, size: int = 1000, host: str = "127.0.0.1") -> None:
    """Send bytes of our own and have them back."""
    async with connection(port, host) as (reader, writer):
        await echo_on(reader, writer, size)


async def echo_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, size: int = 1000) -> None:
    """The same on an open connection."""
    sent = b"".join(blocks(size, next(_seeds)))
    writer.write(sent)
    assert await reader.readexactly(size) == sent


async def download(port: int, size: int, host: str = "127.0.0.1") -> None:
    """The whole of what the source sends, and its end."""
    seed = next(_seeds)
    whole, count = hashlib.sha256(), 0
    async with connection(port, host) as (reader, writer):
        writer.write(f"{size} {seed}\n".encode())
        while data := await reader.read(1 << 18):
            whole.update(data)
            count += len(data)
    assert count == size
    assert whole.hexdigest() == digest(size, seed)


async def upload(port: int, size: int, host: str = "127.0.0.1") -> None:
    """The sink says that it has got it all."""
    seed = next(_seeds)
    async with connection(port, host) as (reader, writer):
        writer.write(f"{size}\n".encode())
        for block in blocks(size, seed):
            writer.write(block)
            await writer.drain()
        assert (await reader.readline()).decode().split() == [str(size), digest(size, seed)]


async def http(port: int, path: str, host: str = "127.0.0.1") -> tuple[int, bytes]:
    """One request; the status and the body, which is as long as it should be and has the right checksum."""
    async with connection(port, host) as (reader, writer):
        writer.write(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        status = int(head.split()[1])
        headers = dict(line.lower().split(": ", 1) for line in head.strip().split("\r\n")[1:])
        if "content-length" in headers:
            body = await reader.readexactly(int(headers["content-length"]))
            assert hashlib.sha256(body).hexdigest() == headers["x-sha256"]
        elif headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(await reader.readline(), 16):
                body += (await reader.readexactly(size + 2))[:-2]
            assert await reader.readline() == b"\r\n"
        else:
            body = await reader.read(-1)
    return status, body


async def ask(port: int, number: int, size: int = 2000, host: str = "127.0.0.1") -> str:
    """One new connection, one request with its own number, its full checked answer; the pod that gave it."""
    status, body = await http(port, f"/echo/{number}/{size}", host)
    assert status == 200
    said, pod, rest = body.split(b" ", 2)
    assert int(said) == number
    assert rest == b"".join(blocks(size, number))
    return pod.decode()


async def load(port: int, rate: float, done: Callable[[], bool], host: str = "127.0.0.1") -> tuple[int, Counter[str]]:
    """New connections at a fixed rate (1/s), whatever becomes of those before; how many, and what went wrong."""
    wrong: Counter[str] = Counter()
    loop = asyncio.get_running_loop()

    async def one(number: int) -> None:
        try:
            async with asyncio.timeout(HANG):
                await ask(port, number, host=host)
        except (ConnectionError, EOFError, AssertionError, TimeoutError) as error:
            wrong[type(error).__name__] += 1

    due, number = loop.time(), 0
    async with asyncio.TaskGroup() as group:
        while not done():
            due += 1 / rate
            number += 1
            group.create_task(one(number))
            await asyncio.sleep(max(0.0, due - loop.time()))
    return number, wrong


async def pod_of(port: int, host: str = "127.0.0.1") -> str:
    """The pod that answers."""
    return (await http(port, "/pod", host))[1].decode()


async def ends_with_reset(port: int, first: bytes = b"x") -> None:
    """The local socket is reset, and not one byte comes."""
    try:
        async with connection(port) as (reader, writer):
            writer.write(first)
            data = await reader.read(1000)
    except ConnectionError:  # as early as in connect, where this side was slow to look
        return
    raise AssertionError(f"no reset: {data!r}")


def dial(port: int, host: str = "127.0.0.1", timeout: float = 30.0) -> socket.socket:
    """A plain socket."""
    return socket.create_connection((host, port), timeout=timeout)
