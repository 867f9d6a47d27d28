"""How long ago something was, as kubectl tells it: the longer, the less exactly."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fairlead.lab.registry import times

UNKNOWN = "<unknown>"
_MINUTE, _HOUR, _DAY = 60, 3600, 24 * 3600
_YEAR = 365 * _DAY


def told(seconds: float) -> str:
    """``45s``, ``3m7s``, ``12m``, ``5h30m``, ``2d4h``, ``40d``, ``3y12d``."""
    if seconds <= -2:
        return "<invalid>"  # Clocks may differ by a second.
    whole = max(int(seconds), 0)
    if whole < 2 * _MINUTE:
        return f"{whole}s"
    if whole < 10 * _MINUTE:
        return _two(whole, _MINUTE, "m", 1, "s")
    if whole < 3 * _HOUR:
        return f"{whole // _MINUTE}m"
    if whole < 8 * _HOUR:
        return _two(whole, _HOUR, "h", _MINUTE, "m")
    if whole < 2 * _DAY:
        return f"{whole // _HOUR}h"
    if whole < 8 * _DAY:
        return _two(whole, _DAY, "d", _HOUR, "h")
    if whole < 2 * _YEAR:
        return f"{whole // _DAY}d"
    if whole < 8 * _YEAR:
        return _two(whole, _YEAR, "y", _DAY, "d")
    return f"{whole // _YEAR}y"


def _two(seconds: int, large: int, name: str, small: int, small_name: str) -> str:
    rest = seconds % large // small
    return f"{seconds // large}{name}" + (f"{rest}{small_name}" if rest else "")


def since(stamp: Any, now: datetime) -> str:
    """The time from a stamp to ``now``; a stamp that is missing or no time is unknown."""
    try:
        return told((now - times.read(stamp)).total_seconds())
    except (TypeError, ValueError):
        return UNKNOWN
