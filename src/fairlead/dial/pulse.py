"""The pings of a lane: which are not answered, since when, and what was sent after the last one that was."""

from __future__ import annotations

from fairlead.policy.silence import Sent, amount, grace


class Pulse:
    """Pings are asked again while none is answered, so that the kernel has something to be acknowledged."""

    __slots__ = ("_before", "_beside", "_first", "_last", "_since", "heard", "said")

    def __init__(self) -> None:
        self.said = 0
        """Bytes sent since the last ping that was answered left; the lane adds to it."""
        self.heard = False
        """Something was read since the lane's timer ran last: who sends much may answer late."""
        self._first = 0
        """The first ping that is not answered, 0 when all are."""
        self._last = 0
        self._since = 0.0
        self._before = 0
        self._beside: float | None = None
        """When another lane answered first while this one did not."""

    def asked(self, ident: int, now: float) -> None:
        """A ping leaves. The first of several that are not answered says since when nothing was heard."""
        if not self.waiting:
            self._first = ident
            self._since = now
            self._beside = None
        self._last = ident
        self._before = self.said

    def answered(self, ident: int) -> bool:
        """A pong came; False if nobody waits for it. An answer to one answers those before it."""
        if not self.waiting or not self._first <= ident <= self._last:
            return False
        if ident == self._last:
            self._first = 0
            self.said -= self._before
        else:
            self._first = ident + 2
        return True

    @property
    def waiting(self) -> bool:
        """A ping is not answered yet."""
        return self._first > 0

    def restart(self, now: float) -> None:
        """What may have held the answer up is over: it has its time from now on."""
        self._since = now

    def overdue(self, now: float, deadline: float) -> bool:
        """Whether there was no answer, and nothing else either, for ``deadline`` seconds."""
        return not self.heard and self.waiting and now - self._since >= deadline

    def outlasted(self, now: float) -> bool:
        """Another lane answers. Whether one has for as long as TCP may need to try again on this one."""
        if self._beside is None or self._beside < self._since:
            self._beside = now
        return now - self._beside >= grace(self._beside - self._since)

    @property
    def sent(self) -> Sent:
        """How much was said that a ping waits behind."""
        return amount(self.said)
