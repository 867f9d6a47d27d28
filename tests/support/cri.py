"""A runtime's streams in a test: the service over sandboxes that the test makes up, and clients of its URLs."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from fairlead.errors import MachineError
from fairlead.lab.cri.drivers.driver import Driver
from fairlead.lab.cri.drivers.netns import NetnsDriver
from fairlead.lab.cri.endpoints import DEFAULT, Options
from fairlead.lab.cri.process import Containers, Process
from fairlead.lab.cri.sandboxes import Sandbox
from fairlead.lab.cri.service import CriService
from fairlead.lab.cri.streaming import StreamingServer
from fairlead.protocol.portforward import PROTOCOL_NAME, Forward, Outcome
from fairlead.protocol.spdy.session import Role, Session
from tests.support.localprocess import LocalContainers

HOST = Sandbox("f" * 64, os.getpid(), "", host_network=True, name="host", namespace="default", uid="u1")
"""A pod on the host's network: its ports are those of this process."""
LIMIT = 10.0
"""Seconds that anything in a test may take."""


class Boxes:
    """The sandboxes that there are."""

    def __init__(self, boxes: Iterable[Sandbox] = (HOST,)) -> None:
        self.boxes = {box.id: box for box in boxes}

    def get(self, sandbox_id: str) -> Sandbox | None:
        return self.boxes.get(sandbox_id)

    def all(self) -> Iterable[Sandbox]:
        return self.boxes.values()


class NoContainers:
    """A runtime without any."""

    async def exec(self, container_id: str, argv: Sequence[str], *, tty: bool, stdin: bool) -> Process:
        raise MachineError("there are no containers")

    async def attach(self, container_id: str, *, tty: bool, stdin: bool) -> Process:
        raise MachineError("there are no containers")

    def known(self, container_id: str) -> bool:
        return False


class Runtime:
    """The service and what it is made of."""

    def __init__(self, service: CriService, streaming: StreamingServer, boxes: Boxes) -> None:
        self.service = service
        self.streaming = streaming
        self.boxes = boxes


@asynccontextmanager
async def runtime(
    make: Callable[[StreamingServer], Driver] = lambda streaming: NetnsDriver(streaming.buffer),
    *,
    boxes: Boxes | None = None,
    containers: Containers | None = None,
    options: Options = DEFAULT,
) -> AsyncIterator[Runtime]:
    """One that ends with all its connections."""
    boxes = boxes or Boxes()
    containers = containers or NoContainers()
    async with StreamingServer(secrets.token_bytes) as streaming:
        yield Runtime(CriService(boxes, containers, make(streaming), streaming, options), streaming, boxes)
        for _ in range(3):
            await asyncio.sleep(0)
    if isinstance(containers, LocalContainers):
        await containers.end()


async def exchange(url: str, headers: Sequence[tuple[str, str]], *, method: str = "POST", query: str = "") -> Answered:
    """Send a request to a URL and read the head of the answer."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=1 << 20)
    return await exchange_on(reader, writer, url, headers, method=method, query=query)


async def exchange_on(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    url: str,
    headers: Sequence[tuple[str, str]],
    *,
    method: str = "POST",
    query: str = "",
) -> Answered:
    """The same on a connection that is there."""
    parts = urlsplit(url)
    lines = [f"{method} {parts.path}{query} HTTP/1.1", f"Host: {parts.netloc}", *(f"{k}: {v}" for k, v in headers)]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *rest = head.strip().split("\r\n")
    pairs = tuple((name.lower(), value) for name, _, value in (line.partition(": ") for line in rest))
    return Answered(int(first.split()[1]), pairs, reader, writer)


class Answered:
    """The head of an answer, and the connection that it came on."""

    def __init__(
        self,
        status: int,
        headers: tuple[tuple[str, str], ...],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.status = status
        self.headers = headers
        self.reader = reader
        self.writer = writer

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    async def body(self) -> str:
        text = await self.reader.readexactly(int(self.values("content-length")[0]))
        return text.decode()

    async def close(self) -> None:
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except ConnectionError:
            pass


UPGRADE = (("Connection", "Upgrade"), ("Upgrade", "SPDY/3.1"))


class ForwardLog:
    """What one forwarded connection was told."""

    forward: Forward

    def __init__(self) -> None:
        self.data = bytearray()
        self.half_ended = asyncio.Event()
        self.ended = asyncio.Event()
        self.outcome: Outcome | None = None
        self.text = ""

    def on_data(self, data: memoryview) -> None:
        self.data += data

    def on_half_end(self) -> None:
        self.half_ended.set()

    def on_end(self, outcome: Outcome, text: str) -> None:
        self.outcome, self.text = outcome, text
        self.ended.set()

    async def end(self) -> tuple[Outcome | None, bytes, str]:
        async with asyncio.timeout(LIMIT):
            await self.ended.wait()
        return self.outcome, bytes(self.data), self.text


class SpdyClient:
    """A client's end of a SPDY connection."""

    def __init__(self, answered: Answered) -> None:
        self.session = Session(Role.CLIENT, self)
        self.pongs: list[int] = []
        self.gone = asyncio.Event()
        self.reading = asyncio.Event()
        self.reading.set()
        self.raw = bytearray()
        """All that came, for who wants to see it."""
        self._answered = answered
        self._next = 0
        self._changed = asyncio.Event()

    async def run(self) -> None:
        try:
            while True:
                await self.reading.wait()
                data = await self._answered.reader.read(1 << 16)
                if not data:
                    break
                self.raw += data
                self.session.receive(memoryview(data))
                self.flush()
                self._changed.set()
        except ConnectionError:
            pass
        self.gone.set()
        self._changed.set()

    def flush(self) -> None:
        data = self.session.take_outgoing()
        if data and not self.gone.is_set():
            self._answered.writer.write(data)

    def write(self, data: bytes) -> None:
        """Bytes of the test's own, after what the session has to say."""
        self.flush()
        self._answered.writer.write(data)

    async def drain(self) -> None:
        self.flush()
        await self._answered.writer.drain()

    def forward(self, port: int, data: bytes = b"", *, eof: bool = False) -> ForwardLog:
        """A connection to a port, opened pipelined."""
        log = ForwardLog()
        log.forward = Forward(self.session, port, self._next, log)
        self._next += 1
        if data:
            self.session.send_data(log.forward.data_stream, data)
        if eof:
            log.forward.finish()
        self.flush()
        return log

    async def until(self, so: Callable[[], bool], limit: float = LIMIT) -> None:
        """Wait until something is so, looked at whenever something came."""
        async with asyncio.timeout(limit):
            while not so():
                self._changed.clear()
                await self._changed.wait()

    def on_open(self, stream: int, headers: object, *, fin: bool) -> None:
        raise AssertionError("the server opened a stream")

    def on_pong(self, ident: int) -> None:
        self.pongs.append(ident)

    def on_goaway(self, last_good: int, status: int) -> None: ...


@asynccontextmanager
async def spdy(url: str, protocol: str = PROTOCOL_NAME) -> AsyncIterator[SpdyClient]:
    """An upgraded connection to one of the service's URLs."""
    answered = await exchange(url, (*UPGRADE, ("X-Stream-Protocol-Version", protocol)))
    assert answered.status == 101, await answered.body()
    client = SpdyClient(answered)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(client.run())
        try:
            yield client
        finally:
            task.cancel()
            await answered.close()


@asynccontextmanager
async def serving(
    handler: Callable[[asyncio.StreamReader, asyncio.StreamWriter], object], host: str = "127.0.0.1"
) -> AsyncIterator[int]:
    """A pod's program on a port of this process: the port."""
    tasks: set[asyncio.Task[None]] = set()

    async def handled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await handler(reader, writer)  # type: ignore[misc]
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(handled, host, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        for _ in range(8):
            await asyncio.sleep(0)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends back what comes, then ends."""
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()


async def http_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers and closes."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.0 200 OK\r\n\r\nhello\n")
