"""Events are kept for an hour."""

from __future__ import annotations

from datetime import datetime, timedelta

from fairlead.lab.controllers.meta import own_key
from fairlead.lab.controllers.steps import Again, Controller, Delete, Key, Step
from fairlead.lab.registry.kinds import EVENT
from fairlead.lab.registry.store import Object, Store
from fairlead.lab.registry.times import read

KEPT = timedelta(hours=1)
"""After an event was told for the last time."""


def decide(store: Store, key: Key, now: datetime) -> list[Step]:
    """Delete it when its time is over."""
    event = store.get(EVENT, *key)
    if event is None:
        return []
    end = _last(event, now) + KEPT
    return [Delete(EVENT, event)] if end <= now else [Again(end)]


def _last(event: Object, now: datetime) -> datetime:
    series = event.get("series") or {}
    for text in (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime")):
        if text:
            return read(text)
    created = event["metadata"].get("creationTimestamp")
    return read(created) if created else now


CONTROLLER = Controller("event-expiry", decide, {EVENT: own_key})
