"""The program in the pods of the real tests: one port for each way a server can behave. Standard library only.

It is one file, so that a ConfigMap can carry it into any image that has a Python; the tests import it for ``blocks``.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import random
import signal
import socket
import struct
import sys
import time
from collections.abc import Awaitable, Callable, Iterator

ECHO, SOURCE, SINK, HTTP, BANNER, SLOW, CLOSE, HALF, RESET, SIX, LATE, LEAVE = range(12)
"""Offsets from the base port."""
BASE = 7000
BLOCK = 1 << 20

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def blocks(size: int, seed: int) -> Iterator[bytes]:
    """``size`` bytes that look random, the same for the same two numbers, no block like the one before."""
    base = random.Random(seed).randbytes(min(size, BLOCK))
    for index, start in enumerate(range(0, size, BLOCK)):
        block = base[: min(BLOCK, size - start)]
        yield (index.to_bytes(8, "big") + block[8:])[: len(block)] if index else block


def digest(size: int, seed: int) -> str:
    """The SHA-256 of ``blocks``."""
    whole = hashlib.sha256()
    for block in blocks(size, seed):
        whole.update(block)
    return whole.hexdigest()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Every byte comes back."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def source(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """``SIZE SEED`` -> that many bytes, then the end."""
    size, seed = map(int, (await reader.readline()).split())
    for block in blocks(size, seed):
        writer.write(block)
        await writer.drain()


async def sink(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """``SIZE`` and that many bytes -> their number and SHA-256; then the next, until the client ends."""
    while line := await reader.readline():
        writer.write(await _take(reader, int(line), hashlib.sha256()))
        await writer.drain()


async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """``SIZE AFTER SECONDS`` and SIZE bytes: stops reading for so long after so many; answers as the sink does."""
    size, after, seconds = map(float, (await reader.readline()).split())
    whole = hashlib.sha256()
    left = int(after)
    while left:
        data = await reader.read(min(left, 65536))
        if not data:
            return
        whole.update(data)
        left -= len(data)
    await asyncio.sleep(seconds)
    writer.write(await _take(reader, int(size - after), whole))


async def _take(reader: asyncio.StreamReader, size: int, whole: hashlib._Hash) -> bytes:
    left = size
    while left:
        data = await reader.read(min(left, 1 << 18))
        if not data:
            break
        whole.update(data)
        left -= len(data)
    return f"{size - left} {whole.hexdigest()}\n".encode()


async def banner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Speaks first, then echoes."""
    writer.write(b"220 hello\r\n")
    await echo(reader, writer)


async def close_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends 100,000 bytes and closes both ways at once."""
    writer.write(b"".join(blocks(100_000, 1)))


async def half_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends 100,000 bytes, ends its own side, and goes on reading."""
    writer.write(b"".join(blocks(100_000, 2)))
    writer.write_eof()
    while await reader.read(65536):
        pass


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """``SIZE`` -> so many bytes, and a TCP reset."""
    size = int(await reader.readline())
    writer.write(b"".join(blocks(size, 3)))
    await writer.drain()
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The whole program ends with the number that it reads."""
    os._exit(int(await reader.readline()))


class App:
    """The listeners, and what HTTP and SIGTERM do with them."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.pod = os.environ.get("POD") or socket.gethostname()
        self.servers: dict[int, asyncio.Server] = {}
        self.ending = False
        self.requests = 0
        self.client = {"asked": 0, "refused": 0, "lost": 0}
        self.handlers: dict[int, Handler] = {
            ECHO: echo,
            SOURCE: source,
            SINK: sink,
            HTTP: self.http,
            BANNER: banner,
            SLOW: slow,
            CLOSE: close_first,
            HALF: half_close,
            RESET: reset,
            SIX: echo,
            LATE: echo,
            LEAVE: leave,
        }

    async def listen(self, offset: int, number: int = 0) -> None:
        """Listen on one of the ports; IPv6's loopback alone for SIX, every IPv4 address for the others."""
        handler, host = self.handlers[offset], "::1" if offset == SIX else "0.0.0.0"

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await handler(reader, writer)
            except (ConnectionError, ValueError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        number = number or self.options.base + offset
        self.servers[number] = await asyncio.start_server(serve, host, number, backlog=1024)

    async def run(self) -> None:
        """Serve until told to end."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()

        def term() -> None:
            self.ending = True
            if self.options.on_term:
                loop.call_later(self.options.on_term, ended.set)
            else:
                ended.set()

        loop.add_signal_handler(signal.SIGTERM, term)
        await asyncio.sleep(self.options.delay)
        for offset in self.handlers:
            if offset != LATE:
                try:
                    await self.listen(offset)
                except OSError as error:
                    if offset != SIX:  # not every node has IPv6
                        raise
                    print(error, file=sys.stderr)
        for pair in self.options.also:
            number, meant = map(int, pair.split(":"))
            await self.listen(meant - self.options.base, number)
        clients = [self.ask(self.options.client) for _ in range(1)] if self.options.client else []
        await asyncio.wait(
            [loop.create_task(ended.wait()), *map(loop.create_task, clients)], return_when=asyncio.FIRST_COMPLETED
        )
        os._exit(0)

    async def http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """HTTP/1.1, one request after the other."""
        while line := await reader.readline():
            path = line.split()[1].decode()
            while (await reader.readline()).strip():
                pass
            self.requests += 1
            if not await self.answer(path, writer):
                return

    async def answer(self, path: str, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; False to end the connection after it."""
        what, *words = path.strip("/").split("/")
        status, body = "200 OK", b""
        match what:
            case "length":
                body = b"".join(blocks(int(words[0]), 4))
            case "echo":
                body = f"{words[0]} {self.pod} ".encode() + b"".join(blocks(int(words[1]), int(words[0])))
            case "ready":
                status = "503 ending" if self.ending else status
            case "pod":
                body = self.pod.encode()
            case "stats":
                body = json.dumps({"requests": self.requests, **self.client}).encode()
            case "listen":
                await self.listen(int(words[0]))
            case "chunked":
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for block in blocks(int(words[0]), 4):
                    writer.write(b"%x\r\n%b\r\n" % (len(block), block))
                    await writer.drain()
                writer.write(b"0\r\n\r\n")
                return True
            case "close":
                writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
                for block in blocks(int(words[0]), 4):
                    writer.write(block)
                    await writer.drain()
                return False
            case _:
                status = "404 Not Found"
        sha = hashlib.sha256(body).hexdigest()
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nX-Sha256: {sha}\r\n\r\n".encode() + body)
        await writer.drain()
        return True

    async def ask(self, address: str) -> None:
        """Be a client inside the cluster: 50 new connections a second, one checked request each."""
        host, _, port = address.rpartition(":")
        due, asking = time.monotonic(), set()
        while True:
            due += 0.02
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            task = asyncio.get_running_loop().create_task(self.ask_once(host, int(port), self.client["asked"]))
            self.client["asked"] += 1
            asking.add(task)
            task.add_done_callback(asking.discard)

    async def ask_once(self, host: str, port: int, number: int) -> None:
        """One request; what goes wrong is counted."""
        try:
            reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port), 10)
        except (TimeoutError, OSError):
            self.client["refused"] += 1
            return
        try:
            writer.write(f"GET /echo/{number}/2000 HTTP/1.1\r\n\r\n".encode())
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
            length = int(head.lower().split(b"content-length: ")[1].split()[0])
            await asyncio.wait_for(reader.readexactly(length), 10)
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            self.client["lost"] += 1
        finally:
            writer.close()


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--base", type=int, default=BASE)
    parser.add_argument("--on-term", type=float, default=0.0, help="seconds to go on serving after SIGTERM")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before it listens")
    parser.add_argument("--also", action="append", default=[], metavar="N:M", help="listen on N too, as on M")
    parser.add_argument("--client", default="", help="HOST:PORT to ask 50 times a second")
    asyncio.run(App(parser.parse_args()).run())


if __name__ == "__main__":
    main()
