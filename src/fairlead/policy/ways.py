"""What is known of the way behind a name, from what is known of each of its ports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Way(NamedTuple):
    """One port."""

    leads_on: bool
    """Whether there is anything to take a connection."""
    proved: float = 0.0
    """When bytes came back last, in seconds since 1970; 0 if never since what is there now is there."""
    failure: str = ""
    """Why the last connection failed, or why none can come; "" if neither is so."""
    needed: bool = False
    """Somebody asked for this very port, so that nothing is well while it leads nowhere."""


class State(NamedTuple):
    """Of the whole name."""

    name: str
    """``waiting``, ``ready``, ``proved`` or ``failing``."""
    reason: str = ""
    """Of failing."""
    proved: float = 0.0


def state_of(ways: Sequence[Way]) -> State:
    """A port that is needed and leads nowhere makes a name waiting, else a failing one makes it failing etc."""
    if any(way.needed and not way.leads_on for way in ways):
        return State("waiting")
    failures = [way.failure for way in ways if way.failure]
    if failures:
        return State("failing", failures[0])
    proved = max((way.proved for way in ways), default=0.0)
    if proved:
        return State("proved", proved=proved)
    return State("ready" if any(way.leads_on for way in ways) else "waiting")
