"""A server on loopback that leaves nothing behind: what is still open at its end is cancelled and reset."""

from __future__ import annotations

import asyncio
import ssl
from types import TracebackType
from typing import Any, Self

ACCEPTING = 8
"""Turns of the loop in which a connection that was just accepted has got as far as ``_serve``: asyncio needs four."""


class LoopbackServer:
    """Serves each connection with ``_converse``; use as an async context manager, again on the same port if wanted."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.port = 0
        self._context = context
        self._tasks: set[asyncio.Task[Any]] = set()
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for _ in range(ACCEPTING):
            await asyncio.sleep(0)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._server.wait_closed()
        for writer in self._writers:
            _abort(writer)  # one that is closing may wait for its peer's word otherwise
        for _ in range(3):
            await asyncio.sleep(0)  # aborted transports close their sockets in the next turns of the loop

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.append(writer)
        try:
            await self._converse(reader, writer)
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            if not writer.transport.is_closing():  # else it was closed, and what was written is still on its way
                _abort(writer)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection; the peer may end or break it at any time."""
        raise NotImplementedError


def _abort(writer: asyncio.StreamWriter) -> None:
    try:
        writer.transport.abort()
    except AttributeError:
        pass  # Python before 3.11.5 (Debian 12): a TLS transport that was closed twice has no protocol any more
