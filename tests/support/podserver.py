"""The server's end of a lane: SPDY on a loopback port, and behind it the port that the client asked for.

Ends as containerd does, both streams together when the pod's program closes; the switches make it behave otherwise.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any

from fairlead.errors import ProtocolError
from fairlead.kit.tasks import Background
from fairlead.protocol.portforward import Pair, Pairing
from fairlead.protocol.spdy.session import Role, Session, StreamListener


class PodServer:
    """Listens on loopback; use as an async context manager."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._context = context
        self.lanes: list[LaneServer] = []
        self.accepted = 0
        self.deaf = False
        """Accept connections and never read from them."""
        self.refuse: dict[int, str] = {}
        """Port to error text."""
        self.reset: set[int] = set()
        self.half_close = False
        """Pass on that the pod's program is done sending, and end when both sides are."""
        self.mute = False
        """Never end an error stream."""
        self.dialled: list[int] = []

    async def __aenter__(self) -> PodServer:
        self.tasks = Background()
        await self.tasks.__aenter__()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._context)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: Any) -> None:
        self._server.close()
        self.cut()
        await self.tasks.__aexit__(None, None, None)

    def cut(self) -> None:
        """Reset every lane."""
        for lane in list(self.lanes):
            if not lane.writer.is_closing():  # early releases of Python 3.11 cannot abort what was lost
                lane.writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        lane = LaneServer(self, writer)
        self.lanes.append(lane)
        self.tasks.start(lane.run(reader), name="lane server")


class LaneServer:
    """One lane."""

    def __init__(self, pod: PodServer, writer: asyncio.StreamWriter) -> None:
        self.pod = pod
        self.writer = writer
        self.session = Session(Role.SERVER, self)
        self.pairing = Pairing(self.session, self._on_pair)
        self.early: dict[int, Incoming] = {}
        self.silent = False
        """Read nothing and answer nothing for now, as a server does whose stream is blocked."""

    async def run(self, reader: asyncio.StreamReader) -> None:
        try:
            while data := await reader.read(1 << 18):
                while self.silent or self.pod.deaf:
                    await asyncio.sleep(0.005)
                self.session.receive(memoryview(data))
                self.flush()
                await self.writer.drain()
        except (ConnectionError, ProtocolError):
            pass
        finally:
            self.writer.close()
            for incoming in self.early.values():
                incoming.queue.put_nowait(None)

    def flush(self) -> None:
        if not self.silent and not self.writer.is_closing() and (data := self.session.take_outgoing()):
            self.writer.write(data)

    def on_open(self, stream: int, headers: Mapping[str, str], *, fin: bool) -> StreamListener | None:
        self.early[stream] = incoming = Incoming()
        return incoming if self.pairing.opened(stream, headers, asyncio.get_running_loop().time()) else None

    def on_pong(self, ident: int) -> None: ...

    def on_goaway(self, last_good: int, status: int) -> None:
        self.writer.close()

    def _on_pair(self, pair: Pair) -> None:
        self.pod.tasks.start(self._serve(pair), name=f"forward {pair.request_id}")

    async def _serve(self, pair: Pair) -> None:
        self.pod.dialled.append(pair.port)
        if pair.port in self.pod.reset:
            self.pairing.failed(pair, "")
            self.flush()
            return
        try:
            if text := self.pod.refuse.get(pair.port):
                raise ConnectionRefusedError(text)
            reader, writer = await asyncio.open_connection("127.0.0.1", pair.port)
        except OSError as error:
            self.pairing.failed(pair, f"failed to connect to localhost:{pair.port} inside namespace: {error}")
            self.flush()
            return
        try:
            async with asyncio.TaskGroup() as group:
                up = group.create_task(self._up(pair, writer))
                await self._down(pair, reader)
                if not self.pod.half_close:
                    up.cancel()
        except* (ConnectionError, asyncio.IncompleteReadError):
            self.pairing.failed(pair, "")
        else:
            if not self.pod.mute:
                self.pairing.succeeded(pair)
        finally:
            writer.close()
            self.flush()

    async def _up(self, pair: Pair, writer: asyncio.StreamWriter) -> None:
        incoming = self.early[pair.data_stream]
        while (data := await incoming.queue.get()) is not None:
            writer.write(data)
            await writer.drain()
        if incoming.was_reset:
            writer.transport.abort()
            raise ConnectionResetError
        if writer.can_write_eof():
            writer.write_eof()

    async def _down(self, pair: Pair, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(32768):
            if not self.session.may_send(pair.data_stream):
                return
            self.session.send_data(pair.data_stream, data)
            self.flush()
            await self.writer.drain()
        if self.session.may_send(pair.data_stream):
            self.session.fin(pair.data_stream)
            self.flush()


class Incoming:
    """What arrives on one stream; None is its end."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.was_reset = False

    def on_reply(self, headers: Mapping[str, str]) -> None: ...

    def on_data(self, data: memoryview) -> None:
        self.queue.put_nowait(bytes(data))

    def on_fin(self) -> None:
        self.queue.put_nowait(None)

    def on_reset(self, status: int) -> None:
        self.was_reset = True
        self.queue.put_nowait(None)
