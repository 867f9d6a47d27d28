"""Whether the API server can be reached: one prober, however many targets and lanes want to know.

A server that hangs, or is dead behind a live proxy or load balancer, goes on accepting connections. So a connect is
followed by a question, and only its answer, whatever that is, shows a server that works.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from fairlead.errors import FairleadError, UnreachableError
from fairlead.kit import log
from fairlead.kit.tasks import Background, stop
from fairlead.policy.backoff import Backoff

PROBE_TIMEOUT = 1.0
"""Seconds for one connect."""
PROBE_EVERY = 2.0
"""Seconds from the start of one probe to the start of the next, and for the first answer.

A lane's death is known within 7.5 s, so that a server that hangs is known to within 10 s.
"""
OPEN = 8.0
"""Seconds at least that a question stays open before the next takes its place: what hung answers it when it goes on."""
QUESTION_TIMEOUT = 30.0
"""Seconds a question may stay open: as long as the longest pause before the next one."""

_log = log.get(__name__)


class Reachability:
    """Asked to look when something failed; tells each change once.

    ``connect`` opens a connection to the server and closes it, ``ask`` has one question answered; both get a limit in
    seconds, and raise UnreachableError in words for a user, or MachineError where it is not the server's fault.
    """

    def __init__(
        self,
        tasks: Background,
        connect: Callable[[float], Awaitable[None]],
        ask: Callable[[float], Awaitable[None]],
        *,
        where: str,
        on_lost: Callable[[str], None],
        on_back: Callable[[float], None],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._tasks = tasks
        self._connect = connect
        self._ask = ask
        self._where = where
        self._on_lost = on_lost
        self._on_back = on_back
        self._chance = chance
        self._looking = False
        self._suspected = False
        self._heard_at: float | None = None
        """When it last answered whoever suspects it."""
        self._down_since: float | None = None
        self._up = asyncio.Event()
        self._up.set()
        self._question: asyncio.Task[FairleadError | None] | None = None
        self._asked_at = self._ask_again_at = 0.0
        self._backoff = Backoff()

    @property
    def up(self) -> bool:
        """False from when the server was found not to answer until it does."""
        return self._up.is_set()

    async def wait_up(self) -> None:
        """Return at once, or when the server answers again."""
        await self._up.wait()

    def suspect(self, reason: str, heard_at: float | None = None) -> None:
        """Something failed that may mean that the server cannot be reached.

        ``heard_at`` is when it answered last, or was asked in vain, where that is known, on the loop's clock.
        """
        self._suspected = True
        if heard_at is not None and self.up:
            self._heard_at = max(heard_at, self._heard_at or 0.0)
        if not self._looking:
            self._looking = True
            _log.decision("is the API server there? %s", reason)
            self._tasks.start(self._look(), name="probe the API server")

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._suspected or not self.up:
                began = loop.time()
                self._suspected = False
                try:
                    await self._try(began)
                except UnreachableError as error:
                    _log.decision("probe: %s", error)
                    self._lost(error.what, began)
                except FairleadError as error:
                    # It says nothing about the server; whoever needs a connection tells it.
                    _log.decision("probe: %s", error)
                else:
                    self._back(loop.time())
                # Also when it answers: a storm of failures that are not the server's is no reason to ask in a storm.
                await asyncio.sleep(max(0.0, began + PROBE_EVERY - loop.time()))
        finally:
            self._looking = False

    async def _try(self, began: float) -> None:
        """Return when the server has answered; an open question is waited for until the next connect is due."""
        loop = asyncio.get_running_loop()
        try:
            await self._connect(PROBE_TIMEOUT)
        except FairleadError:
            # What was asked before may never be answered even when the network is back.
            await self._drop_question()
            raise
        if self._question is None or loop.time() >= self._next_question(self._question):
            await self._put_question()
        assert self._question is not None
        await asyncio.wait([self._question], timeout=max(0.0, began + PROBE_EVERY - loop.time()))
        if not self._question.done():
            raise UnreachableError(f"{self._where} accepts connections and does not answer")
        if (error := self._question.result()) is not None:
            raise error
        await self._drop_question()

    def _next_question(self, last: asyncio.Task[FairleadError | None]) -> float:
        return self._ask_again_at if last.done() else max(self._ask_again_at, self._asked_at + OPEN)

    async def _put_question(self) -> None:
        if self._question is not None:
            await stop(self._question)
        self._asked_at = now = asyncio.get_running_loop().time()
        self._ask_again_at = now + self._backoff.failed(now, self._chance())
        self._question = self._tasks.start(self._answer(), name="question to the API server")

    async def _drop_question(self) -> None:
        """Forget it, and how often it was in vain: the next is asked at once."""
        if self._question is not None:
            await stop(self._question)
        self._question = None
        self._backoff.reset()

    async def _answer(self) -> FairleadError | None:
        try:
            await self._ask(QUESTION_TIMEOUT)
        except FairleadError as error:
            return error
        return None

    def _lost(self, reason: str, now: float) -> None:
        if self._down_since is None:
            self._down_since = now if self._heard_at is None else min(now, self._heard_at)
            self._up.clear()
            self._on_lost(reason)

    def _back(self, now: float) -> None:
        self._heard_at = None
        if self._down_since is not None:
            after, self._down_since = now - self._down_since, None
            self._up.set()
            self._on_back(after)
