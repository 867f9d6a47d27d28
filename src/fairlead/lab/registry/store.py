"""The objects, and the changes of late: one revision counts them all.

An object is what JSON makes of it, and is never changed once it is here: whoever wants another puts another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeAlias

from fairlead.lab.registry.kinds import Kind

Object: TypeAlias = dict[str, Any]

HISTORY = 10_000
"""Changes that are kept for those who watch and come back: some minutes of a busy cluster, in a few megabytes."""


class Change(NamedTuple):
    """One object is another, or came, or went."""

    revision: int
    kind: Kind
    before: Object | None
    after: Object | None
    """None if it is gone; then ``before`` has the revision of its end."""


class ExpiredError(Exception):
    """Changes since then are not all known any more: whoever watches has to list again (410)."""


class Store:
    """All objects of one cluster."""

    def __init__(self, history: int = HISTORY) -> None:
        self.revision = 1
        """Of the last change."""
        self._objects: dict[Kind, dict[tuple[str, str], Object]] = {}
        self._changes: deque[Change] = deque(maxlen=history)
        self._followers: dict[Kind, list[Callable[[Change], None]]] = {}

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """The object of that name; ``namespace`` is "" for kinds that have none."""
        return self._objects.get(kind, {}).get((namespace, name))

    def all(self, kind: Kind, namespace: str = "") -> Iterator[Object]:
        """Those of a namespace, "" for all, in the order of their names."""
        found = self._objects.get(kind, {})
        return (found[key] for key in sorted(found) if not namespace or key[0] == namespace)

    def put(self, kind: Kind, value: Object) -> Object:
        """Make it what is there under its name; as it is stored, with its revision. The same again changes nothing."""
        meta = value["metadata"]
        key = (meta.get("namespace", ""), meta["name"])
        objects = self._objects.setdefault(kind, {})
        before = objects.get(key)
        if before is not None:
            same = {**value, "metadata": {**meta, "resourceVersion": before["metadata"]["resourceVersion"]}}
            if same == before:
                return before
        after = self._stamped(value)
        objects[key] = after
        self._tell(Change(self.revision, kind, before, after))
        return after

    def drop(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """Remove it; as it was, with the revision of its end. None if there is none."""
        before = self._objects.get(kind, {}).pop((namespace, name), None)
        if before is None:
            return None
        gone = self._stamped(before)
        self._tell(Change(self.revision, kind, gone, None))
        return gone

    def since(self, kind: Kind, revision: int) -> list[Change]:
        """The changes of this kind after ``revision``, in their order. Raises ExpiredError."""
        oldest = self._changes[0].revision if self._changes else self.revision + 1
        if revision + 1 < oldest:
            raise ExpiredError
        found = []
        for change in reversed(self._changes):
            if change.revision <= revision:
                break
            if change.kind == kind:
                found.append(change)
        return found[::-1]

    def follow(self, kind: Kind, told: Callable[[Change], None]) -> Callable[[], None]:
        """Call ``told``, which changes nothing here, with each change of this kind; what is returned ends that."""
        followers = self._followers.setdefault(kind, [])
        followers.append(told)
        return lambda: followers.remove(told) if told in followers else None

    def _stamped(self, value: Object) -> Object:
        self.revision += 1
        return {**value, "metadata": {**value["metadata"], "resourceVersion": str(self.revision)}}

    def _tell(self, change: Change) -> None:
        self._changes.append(change)
        for told in list(self._followers.get(change.kind, ())):
            told(change)
