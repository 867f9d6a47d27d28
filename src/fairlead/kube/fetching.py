"""Credentials that are fetched: one fetch at a time, and none for a while after one in vain."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

from fairlead.errors import CredentialsError
from fairlead.kube.auth import Identity

BACK_OFF = 10.0
"""Seconds after a fetch in vain in which there is no other: each may open a page in the user's browser."""


@dataclass(slots=True)
class _Cached:
    identity: Identity
    expires: float | None
    fetched_at: float
    after_refusal: bool
    """Whether it replaced something that the server had refused."""
    refused: bool = field(default=False)


class Fetching(ABC):
    """Fetches when there is nothing yet, when what it has has expired, and once after a 401.

    After a fetch that failed, or whose credentials were refused at once, there is none for BACK_OFF: the same error
    comes out again.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = asyncio.Lock()
        self._cached: _Cached | None = None
        self._failed: tuple[float, CredentialsError] | None = None

    @abstractmethod
    async def _fetch(self, *, refused: bool) -> tuple[Identity, float | None]:
        """Get credentials, and when they expire, in seconds since 1970.

        ``refused``: what it gave last is of no use. A CredentialsError is remembered, other errors are not.
        """

    async def identity(self) -> Identity:
        """What was fetched last, or a new fetch."""
        async with self._lock:
            cached = self._cached
            if cached is None or cached.refused or self._expired(cached):
                self._cached = cached = await self._fetch_unless_failed(cached is not None and cached.refused)
            return cached.identity

    async def refresh(self, refused: Identity) -> bool:
        """Have the next ``identity`` fetch, unless somebody else's refusal already did."""
        cached = self._cached
        if cached is not None and cached.identity == refused:
            if cached.after_refusal and self._lately(cached.fetched_at):
                return False
            cached.refused = True
        return True

    def _expired(self, cached: _Cached) -> bool:
        # What had expired when it came, by a clock that is wrong, is for the server to judge.
        expired = cached.expires is not None and self._now() >= cached.expires
        return expired and not self._lately(cached.fetched_at)

    def _lately(self, moment: float) -> bool:
        return 0 <= self._now() - moment < BACK_OFF  # the clock may have been set back

    async def _fetch_unless_failed(self, refused: bool) -> _Cached:
        if self._failed is not None and self._lately(self._failed[0]):
            error = self._failed[1]
            raise CredentialsError(error.what, remedy=error.remedy)
        try:
            identity, expires = await self._fetch(refused=refused)
        except CredentialsError as error:
            self._failed = self._now(), error
            raise
        self._failed = None
        return _Cached(identity, expires, self._now(), refused)
