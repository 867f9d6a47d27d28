"""Requests that wait for their stream: a token each, good for one use within a minute."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Generic, TypeVar

from fairlead.lab.cri.errors import CallError, Code

LIFETIME = 60.0
"""Seconds between a request and its stream, as in Kubernetes: a node asks and connects in one go."""
MOST = 1000
"""Tokens that wait at once, as in Kubernetes: who asks for more gets ResourceExhausted."""
_RANDOM = 6
_TRIES = 10
"""New tokens that may meet one that waits; with 2**48 of them, none ever does."""

T = TypeVar("T")


class Tokens(Generic[T]):
    """The requests by their tokens. ``chance`` gives as many random bytes as it is asked for."""

    def __init__(self, chance: Callable[[int], bytes]) -> None:
        self._chance = chance
        self._waiting: dict[str, tuple[float, T]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def insert(self, request: T, now: float) -> str:
        """The token for a request: eight characters of base64url. CallError if too many wait."""
        self._expire(now)
        if len(self._waiting) >= MOST:
            raise CallError(Code.RESOURCE_EXHAUSTED, "maximum number of in-flight requests exceeded")
        for _ in range(_TRIES):
            token = base64.urlsafe_b64encode(self._chance(_RANDOM)).decode()
            if token not in self._waiting:
                self._waiting[token] = (now + LIFETIME, request)
                return token
        raise CallError(Code.INTERNAL, "failed to generate unique token")

    def take(self, token: str, now: float) -> T | None:
        """The request of a token, which is spent by that even if it came too late; None then, and if there is none."""
        until, request = self._waiting.pop(token, (now, None))
        return request if now < until else None

    def _expire(self, now: float) -> None:
        # In the order in which they were made, and so in that of their ends.
        for token, (until, _) in list(self._waiting.items()):
            if now < until:
                return
            del self._waiting[token]
