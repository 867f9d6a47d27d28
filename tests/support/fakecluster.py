"""A cluster on loopback, for the whole command line: an API server over plain HTTP, pods, and programs in them.

The objects are ``FakeApi``'s; port forwarding is answered by ``podserver``, one for each pod, whose ports are real
loopback ports. All of it runs in a thread with a loop of its own, so that tests may block.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import parse_qsl, urlsplit

from fairlead.errors import ApiError
from fairlead.protocol.portforward import PROTOCOL_NAME
from tests.support.apiserver import Answer, Exchange, ScriptedServer, status
from tests.support.fakeapi import FakeApi
from tests.support.objects import PODS, SERVICES, SLICES, endpoint, endpoint_slice, pod, service
from tests.support.podserver import LaneServer, PodServer

T = TypeVar("T")

LIMIT = 10.0
"""Seconds for anything that a test asks of the cluster."""
UPGRADED = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
    b"X-Stream-Protocol-Version: " + PROTOCOL_NAME.encode() + b"\r\n\r\n"
)


class FakeCluster:
    """Namespace ``ns`` with the service ``web``, whose port 80 leads to ``http`` of its pods, at first ``web-1``.

    Use as a context manager. ``http`` answers each GET with ``hello``; ``echo`` sends back what it gets;
    ``nothing`` is a port that nobody listens on.
    """

    def __init__(self) -> None:
        self.api = FakeApi()
        self.pods: dict[str, PodServer] = {}
        """By the pod's name; ``refuse``, ``dialled`` and ``lanes`` of each."""
        self.refusals: dict[str, tuple[int, str]] = {}
        """Status and words for every request in whose method and path, a blank behind each, this text is."""
        self.hangs: set[str] = set()
        """No answer to requests whose method and path have one of these texts in them."""
        self.http = self.echo = self.nothing = 0
        self.failure: BaseException | None = None
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fake cluster")

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._up.wait(LIMIT)
        if self.failure is not None:
            raise self.failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(LIMIT)
        if error is None and self.failure is not None:
            raise self.failure

    # -- what a test does to it --

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._front.port}"

    def kubeconfig(self, path: Path) -> Path:
        """Write one that leads here."""
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "fake", "cluster": {"server": self.url}}],
            "users": [{"name": "somebody", "user": {}}],
            "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "somebody", "namespace": "ns"}}],
            "current-context": "fake",
        }
        path.write_text(json.dumps(config))
        return path

    def do(self, change: Callable[[], T]) -> T:
        """Call ``change`` between two steps of the server."""

        async def call() -> T:
            return change()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(LIMIT)

    def add_pod(self, name: str) -> None:
        """A pod that is ready, for the service too."""

        async def add() -> None:
            self.pods[name] = await self._stack.enter_async_context(PodServer())
            self.api.put(PODS, pod(name, ports=(("http", self.http), ("echo", self.echo))))
            self._slice()

        asyncio.run_coroutine_threadsafe(add(), self._loop).result(LIMIT)

    def delete_pod(self, name: str) -> None:
        """It is gone from one moment to the next, with all that was open to it."""

        def delete() -> None:
            gone = self.pods.pop(name)
            self.api.delete(PODS, name)
            self._slice()
            gone.cut()

        self.do(delete)

    def cut(self, name: str) -> None:
        """Every lane to this pod is reset."""
        self.do(self.pods[name].cut)

    def stop(self) -> None:
        """Nothing listens, and every connection is reset."""
        asyncio.run_coroutine_threadsafe(self._front.__aexit__(None, None, None), self._loop).result(LIMIT)

    def start(self) -> None:
        """Listen again where it did."""
        asyncio.run_coroutine_threadsafe(self._front.__aenter__(), self._loop).result(LIMIT)

    def asked(self, text: str) -> int:
        """How many requests had this text in their method and path."""
        return self.do(lambda: sum(text in f"{seen.method} {seen.target}" for seen in self._front.seen))

    # -- the thread --

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:
            self.failure = error
        finally:
            self._up.set()

    async def _main(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self._front = ScriptedServer(self._answer, tls=False)
        async with AsyncExitStack() as self._stack:
            self.http = await self._program(_http)
            self.echo = await self._program(_echo)
            # Bound and not listening: refused, and nobody else gets it.
            unused = await asyncio.start_server(_echo, "127.0.0.1", 0, start_serving=False)
            self._stack.push_async_callback(_close, unused)
            self.nothing = unused.sockets[0].getsockname()[1]
            self.pods["web-1"] = await self._stack.enter_async_context(PodServer())
            self.api.put(PODS, pod("web-1", ports=(("http", self.http), ("echo", self.echo))))
            self.api.put(SERVICES, service("web"))
            self._slice()
            await self._stack.enter_async_context(self._front)
            self._up.set()
            await self._over.wait()

    async def _program(self, serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]) -> int:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self._stack.push_async_callback(_close, server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    def _slice(self) -> None:
        endpoints = [endpoint(name, ready=True, serving=True, terminating=False) for name in self.pods]
        ports = [{"name": "http", "port": self.http, "protocol": "TCP"}]
        self.api.put(SLICES, endpoint_slice("web-a", endpoints, ports=ports))

    # -- the API server --

    async def _answer(self, exchange: Exchange) -> Answer | None:
        seen = exchange.seen
        asked = f"{seen.method} {seen.target} "
        if any(text in asked for text in self.hangs):
            await asyncio.Event().wait()
        for text, (code, words) in self.refusals.items():
            if text in asked:
                return status(code, words)
        parts = urlsplit(seen.target)
        query = parse_qsl(parts.query)
        try:
            if parts.path.endswith("/portforward"):
                return await self._forward(parts.path.split("/")[-2], exchange)
            if ("watch", "true") in query:
                await self._watch(parts.path, query, exchange.writer)
                return None
            return Answer(body=await self.api.get(parts.path, query))
        except ApiError as error:
            return status(error.code, error.what, error.reason)

    async def _forward(self, name: str, exchange: Exchange) -> Answer | None:
        target = self.pods.get(name)
        if target is None:
            return status(404, f'pods "{name}" not found', "NotFound")
        if exchange.seen.get("Upgrade") != "SPDY/3.1":
            return status(400, "unable to upgrade: only SPDY here", "BadRequest")
        exchange.writer.write(UPGRADED)
        lane = LaneServer(target, exchange.writer)
        target.lanes.append(lane)
        await lane.run(exchange.reader)
        return None

    async def _watch(self, path: str, query: list[tuple[str, str]], writer: asyncio.StreamWriter) -> None:
        async with self.api.lines(path, query) as lines:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
            async for line in lines:
                writer.write(b"%x\r\n%s\n\r\n" % (len(line) + 1, line))
                await writer.drain()


async def _close(server: asyncio.Server) -> None:
    server.close()


async def _http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()
