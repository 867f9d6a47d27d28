"""Running a test's coroutine: on the real clock, on either event loop, or on a clock that jumps over every wait.

With virtual time an hour of timers passes at once and to the same moment in every run. Sockets within this process
work, since the loop looks for their data before it jumps; a thread, a child process or another machine would be
overtaken, so tests with those run on the real clock.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

T = TypeVar("T")

LOOPS = ("uvloop", "asyncio")
LIMIT = 30.0
"""Seconds on the loop's clock a test may take unless it says otherwise: far above any, far below a hung build."""


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits for a timer: asks for what is ready, and otherwise moves the clock to the next timer."""

    ahead = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        ready = super().select(0)
        if not ready:
            self.ahead += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that starts at zero seconds and whose clock moves only by waiting."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        # What is due within the resolution is run: a jump may fall short of its timer by a rounding error.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self._jumping.ahead


def run(main: Coroutine[Any, Any, T], *, limit: float = LIMIT) -> T:
    """Run ``main`` on a real loop; TimeoutError after ``limit`` seconds."""
    return asyncio.run(_limited(main, limit))


def run_on(loop: str, main: Coroutine[Any, Any, T]) -> T:
    """Run ``main`` on an event loop of LOOPS; skips the test where that is not installed."""
    factory = pytest.importorskip("uvloop").new_event_loop if loop == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)


def run_virtual(main: Coroutine[Any, Any, T], *, limit: float = 86400.0) -> T:
    """Run ``main`` with virtual time; TimeoutError after ``limit`` virtual seconds (a day)."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(_limited(main, limit))


def now() -> float:
    """Seconds on the running loop's clock; with virtual time, exactly what was waited for."""
    return asyncio.get_running_loop().time()


async def _limited(main: Coroutine[Any, Any, T], limit: float) -> T:
    async with asyncio.timeout(limit):
        return await main
