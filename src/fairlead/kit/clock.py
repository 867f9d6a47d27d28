"""Time as an argument: whoever waits or measures is given a clock."""

from __future__ import annotations

import asyncio
from typing import Protocol


class Clock(Protocol):
    """Monotonic seconds, and waiting for them."""

    def now(self) -> float:
        """Seconds since some fixed point; never goes back."""

    async def sleep(self, seconds: float) -> None:
        """Return after ``seconds``, or at once (but not before other tasks had a turn) if that is not positive."""


class SystemClock:
    """The clock of the running event loop, so that a loop with virtual time brings virtual clocks with it."""

    def now(self) -> float:
        """Seconds on the loop's clock, the one that ``loop.call_at`` uses."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Sleep on the loop."""
        await asyncio.sleep(max(seconds, 0.0))
