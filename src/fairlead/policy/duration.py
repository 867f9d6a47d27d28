"""Durations as Go writes them: ``1m0s``, ``5s``, ``1.5h``, ``300ms``; a bare number is refused, except 0."""

from __future__ import annotations

import re

from fairlead.errors import UsageError

_UNITS = {"ns": 1e-9, "us": 1e-6, "\u00b5s": 1e-6, "\u03bcs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_TERM = re.compile(r"([0-9]*)(?:\.([0-9]*))?([^0-9.]*)", re.ASCII)
_LIMIT = 2.0**63 / 1e9
"""Seconds that Go's Duration can hold, about 292 years."""


def parse_duration(text: str) -> float:
    """Return seconds. Raises UsageError with the words of Go's time.ParseDuration."""
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0.0
    if not rest:
        raise _invalid("invalid duration", text)
    seconds = 0.0
    while rest:
        term = _TERM.match(rest)
        if term is None or not (term[1] or term[2]):
            raise _invalid("invalid duration", text)
        if not term[3]:
            raise _invalid("missing unit in duration", text)
        unit = _UNITS.get(term[3])
        if unit is None:
            raise _invalid(f'unknown unit "{term[3]}" in duration', text)
        # Twenty digits are past the limit already; more would only cost time.
        seconds += float(f"{term[1][:20] or '0'}.{(term[2] or '')[:20] or '0'}") * unit
        if seconds >= _LIMIT:
            raise _invalid("invalid duration", text)
        rest = rest[term.end() :]
    return -seconds if text.startswith("-") else seconds


def parse_pod_running_timeout(text: str) -> float:
    """Return --pod-running-timeout in seconds. Raises UsageError with kubectl's words."""
    try:
        seconds = parse_duration(text)
    except UsageError as error:
        words = f'invalid argument "{text}" for "--pod-running-timeout" flag: {error.what}'
        raise UsageError(words, remedy=error.remedy) from None
    if seconds <= 0:
        raise UsageError(
            "--pod-running-timeout must be higher than zero", remedy="for example --pod-running-timeout=30s"
        )
    return seconds


def _invalid(words: str, text: str) -> UsageError:
    return UsageError(f'time: {words} "{text}"', remedy="a duration has a unit, such as 5s, 1m30s or 1h")
