"""Which keys wait for their turn: each once, however often it was asked for, and some only from a time on."""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from datetime import datetime, timedelta
from itertools import count
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

FIRST, LONGEST = timedelta(milliseconds=50), timedelta(seconds=30)
"""The pauses after failures of one key: each twice as long as the one before."""


class Queue(Generic[K]):
    """First come, first served."""

    def __init__(self) -> None:
        self._ready: dict[K, None] = {}
        self._later: list[tuple[datetime, int, K]] = []
        self._order = count()
        self._wanted: dict[K, datetime] = {}
        self._failures: dict[K, int] = {}

    def __len__(self) -> int:
        return len(self._ready)

    def add(self, key: K) -> None:
        """Its turn comes, after those that wait already."""
        self._ready.setdefault(key)

    def at(self, key: K, when: datetime) -> None:
        """Its turn comes then, too; the earlier time counts where there are several."""
        if key not in self._wanted or when < self._wanted[key]:
            self._wanted[key] = when
            heapq.heappush(self._later, (when, next(self._order), key))

    def take(self, now: datetime) -> K | None:
        """The next; None if all have to wait."""
        while self._later and self._later[0][0] <= now:
            when, _, key = heapq.heappop(self._later)
            if self._wanted.get(key) == when:
                del self._wanted[key]
                self.add(key)
        if not self._ready:
            return None
        key = next(iter(self._ready))
        del self._ready[key]
        return key

    def next_time(self) -> datetime | None:
        """When there is something to take, if nothing is ready and nothing is added."""
        while self._later and self._wanted.get(self._later[0][2]) != self._later[0][0]:
            heapq.heappop(self._later)
        return self._later[0][0] if self._later else None

    def failed(self, key: K, now: datetime) -> int:
        """Its turn comes again, later each time; how often in a row it failed."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.at(key, now + min(LONGEST, FIRST * 2 ** min(failures, 20)))
        return failures + 1

    def succeeded(self, key: K) -> None:
        """The next failure is the first."""
        self._failures.pop(key, None)
