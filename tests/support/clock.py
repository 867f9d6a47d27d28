"""A clock that a test moves by hand, for code that needs no event loop to be tested."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count


class FakeClock:
    """Starts at ``start``; ``advance`` wakes the sleepers whose time has come, earliest first."""

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waker: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), waker))
        await waker

    @property
    def sleepers(self) -> int:
        """How many wait."""
        return sum(not waker.done() for _, _, waker in self._sleepers)

    async def advance(self, seconds: float) -> None:
        """Move on, letting each sleeper run at its own moment."""
        end = self._now + seconds
        while self._sleepers and self._sleepers[0][0] <= end:
            self._now, _, waker = heapq.heappop(self._sleepers)
            if not waker.done():
                waker.set_result(None)
            await settle()
        self._now = end
        await settle()


async def settle(turns: int = 10) -> None:
    """Let tasks that are ready run; ``turns`` bounds the chain of hand-overs that is followed."""
    for _ in range(turns):
        await asyncio.sleep(0)
