"""Times as the API writes them (RFC 3339)."""

from __future__ import annotations

from datetime import UTC, datetime


def stamp(time: datetime) -> str:
    """``2026-01-31T12:00:00Z``: whole seconds."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_stamp(time: datetime) -> str:
    """The same with microseconds, as leases and new events have it."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read(text: str) -> datetime:
    """What either wrote. Raises ValueError."""
    return datetime.fromisoformat(text)
