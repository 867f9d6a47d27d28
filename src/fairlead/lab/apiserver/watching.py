"""What a client that watches is told of changes (Kubernetes API Concepts, efficient detection of changes).

A client sees the objects that its selectors choose, so one that they choose no more is gone for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from fairlead.lab.registry.kinds import Kind
from fairlead.lab.registry.store import Change, Object

BOOKMARK_EVERY = 60.0
"""Seconds between two bookmarks, as far as nothing else tells the client how far it is."""
INITIAL_END = "k8s.io/initial-events-end"
"""The annotation of the bookmark after the objects that were there before (KEP-3157)."""


class Event(NamedTuple):
    """One line of a watch."""

    type: str
    """``ADDED``, ``MODIFIED``, ``DELETED``, ``BOOKMARK`` or ``ERROR``."""
    object: Object


class Watcher:
    """One client; ``matches`` says which objects it sees."""

    def __init__(self, kind: Kind, namespace: str, matches: Callable[[Object], bool], *, bookmarks: bool) -> None:
        self._kind = kind
        self._namespace = namespace
        self._matches = matches
        self._bookmarks = bookmarks
        self._told = 0
        """The revision that the client knows of."""

    def changed(self, change: Change) -> Event | None:
        """What the client is told of a change; None where it is no business of its."""
        before, after = self._seen(change.before), self._seen(change.after)
        if after is not None:
            event = Event("MODIFIED" if before is not None else "ADDED", after)
        elif before is not None:
            # Gone, or not chosen any more: as it was, with the revision at which that came to be.
            meta = {**before["metadata"], "resourceVersion": str(change.revision)}
            event = Event("DELETED", {**before, "metadata": meta})
        else:
            return None
        self._told = change.revision
        return event

    def initial(self, objects: Iterable[Object], revision: int, *, end: bool) -> Iterator[Event]:
        """All that is there; with ``end``, a bookmark says that this was all."""
        for each in objects:
            if self._seen(each) is not None:
                yield Event("ADDED", each)
        self._told = revision
        if end:
            yield self._bookmark(revision, {INITIAL_END: "true"})

    def bookmark(self, revision: int) -> Event | None:
        """That the client is as far as ``revision``; None where it asked for no such lines, or knows."""
        if not self._bookmarks or revision <= self._told:
            return None
        self._told = revision
        return self._bookmark(revision, {})

    def _seen(self, value: Object | None) -> Object | None:
        if value is None or (self._namespace and value["metadata"].get("namespace") != self._namespace):
            return None
        return value if self._matches(value) else None

    def _bookmark(self, revision: int, annotations: dict[str, str]) -> Event:
        meta: Object = {"resourceVersion": str(revision), "creationTimestamp": None}
        if annotations:
            meta["annotations"] = annotations
        return Event("BOOKMARK", {"kind": self._kind.kind, "apiVersion": self._kind.api_version, "metadata": meta})
