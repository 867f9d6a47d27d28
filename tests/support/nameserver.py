"""A nameserver on loopback, over UDP and TCP, that answers what a test says."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from fairlead.protocol.dns import framed
from tests.support.dnsmessages import reply_to
from tests.support.loopback import LoopbackServer

Answer = Callable[[bytes], list[bytes]]
"""What is sent for a query, in this order."""


def known(*records: str, rcode: int = 0) -> Answer:
    return lambda query: [reply_to(query, *records, rcode=rcode)]


def nothing(query: bytes) -> list[bytes]:
    return []


class Nameserver(LoopbackServer):
    """At ``address``:``port``; over TCP it listens on 127.0.0.1 alone, and if told so."""

    def __init__(self, answer: Answer, *, address: str = "127.0.0.1", port: int = 0, tcp: Answer | None = None) -> None:
        super().__init__()
        self.address = address
        self.port = port
        self.queries: list[bytes] = []
        self.sources: list[object] = []
        self.asked = asyncio.Event()
        self._answer = answer
        self._tcp = tcp

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as undo:
            self._sock = undo.enter_context(await self._bound(undo))
            self._sock.setblocking(False)
            loop = asyncio.get_running_loop()
            loop.add_reader(self._sock, self._read)
            undo.callback(loop.remove_reader, self._sock)
            self._undo = undo.pop_all()
        return self

    async def _bound(self, undo: AsyncExitStack) -> socket.socket:
        """A UDP socket on a port that is free for TCP too, on which there is a listener then."""
        wanted = self.port
        while True:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                sock.bind((self.address, wanted))
                self.port = sock.getsockname()[1]
                if self._tcp is not None:
                    await super().__aenter__()
                    undo.push_async_exit(super().__aexit__)
                return sock
            except OSError as error:
                sock.close()
                if wanted or error.errno != errno.EADDRINUSE:
                    raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._undo.aclose()

    def _read(self) -> None:
        query, source = self._sock.recvfrom(65535)
        self._note(query, source)
        for answer in self._answer(query):
            self._sock.sendto(answer, source)

    def _note(self, query: bytes, source: object) -> None:
        self.queries.append(query)
        self.sources.append(source)
        self.asked.set()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        query = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
        self._note(query, writer.get_extra_info("peername"))
        assert self._tcp is not None
        answers = self._tcp(query)
        for answer in answers:
            writer.write(framed(answer))
        if not answers:
            await reader.read()
        writer.close()
