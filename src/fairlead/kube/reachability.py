"""Whether the API server can be reached: one prober, however many targets and lanes want to know."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from fairlead.errors import FairleadError, MachineError
from fairlead.kit import log
from fairlead.kit.tasks import Background

PROBE_TIMEOUT = 1.0
"""Seconds for one TCP connect."""
PROBE_EVERY = 2.0
"""Seconds from the start of one probe to the start of the next, while the server is down."""

_log = log.get(__name__)


class Reachability:
    """Asked to look when something failed; tells each change once."""

    def __init__(
        self,
        tasks: Background,
        probe: Callable[[float], Awaitable[None]],
        *,
        on_lost: Callable[[str], None],
        on_back: Callable[[float], None],
    ) -> None:
        self._tasks = tasks
        self._probe = probe
        self._on_lost = on_lost
        self._on_back = on_back
        self._probing = False
        self._down_since: float | None = None
        self._up = asyncio.Event()
        self._up.set()

    @property
    def up(self) -> bool:
        """False from the first failed probe until one succeeds."""
        return self._up.is_set()

    async def wait_up(self) -> None:
        """Return at once, or when the server answers again."""
        await self._up.wait()

    def suspect(self, reason: str) -> None:
        """Something failed that may mean that the server cannot be reached."""
        if not self._probing:
            self._probing = True
            self._tasks.start(self._look(reason), name="probe the API server")

    async def _look(self, reason: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                began = loop.time()
                try:
                    await self._probe(PROBE_TIMEOUT)
                except MachineError as error:
                    # It says nothing about the server; whoever needs a connection tells it.
                    _log.decision("probe: %s", error)
                    if self.up:
                        return
                except FairleadError as error:
                    _log.decision("probe: %s", error)
                    self._lost(reason, began)
                else:
                    self._back(loop.time())
                    return
                await asyncio.sleep(max(0.0, began + PROBE_EVERY - loop.time()))
        finally:
            self._probing = False

    def _lost(self, reason: str, now: float) -> None:
        if self._down_since is None:
            self._down_since = now
            self._up.clear()
            self._on_lost(reason)

    def _back(self, now: float) -> None:
        if self._down_since is not None:
            after, self._down_since = now - self._down_since, None
            self._up.set()
            self._on_back(after)
