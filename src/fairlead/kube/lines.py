"""A stream cut into lines, each of bounded length, without scanning any byte twice."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable

from fairlead.errors import ProtocolError

MAX_LINE = 16 * 1024 * 1024
"""Bytes of one watch event. etcd holds objects of 1.5 MiB by default, which as JSON grow some fold."""


class Lines:
    """The lines of a stream without their ends, as an asynchronous iterator; empty ones are left out.

    ``read`` gives the next bytes, None at the end. What follows the last line end is dropped: it is half an event.
    Raises ProtocolError when a line is longer than ``limit`` bytes, and what ``read`` raises.
    """

    def __init__(self, read: Callable[[], Awaitable[bytes | None]], limit: int = MAX_LINE) -> None:
        self._read = read
        self._limit = limit
        self._ready: deque[bytes] = deque()
        self._held: list[bytes] = []
        self._size = 0

    def __aiter__(self) -> Lines:
        return self

    async def __anext__(self) -> bytes:
        while not self._ready:
            part = await self._read()
            if part is None:
                raise StopAsyncIteration
            self._feed(part)
        return self._ready.popleft()

    def _feed(self, part: bytes) -> None:
        *ends, rest = part.split(b"\n")
        for end in ends:
            self._hold(end)
            if self._size:
                self._ready.append(b"".join(self._held))
            self._held.clear()
            self._size = 0
        self._hold(rest)

    def _hold(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._limit:
            raise ProtocolError(f"a line of the stream is longer than {self._limit} bytes")
        if part:
            self._held.append(part)
