"""The objects of one list, kept current by watch events and by whole lists.

Objects are keyed by namespace and name. Another uid under the same name is another object: the change says that the
old one went and the new one came. Resource versions are opaque and only compared for equality.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, NamedTuple, Protocol, TypeVar


class Keyed(Protocol):
    """What every cached object has."""

    @property
    def namespace(self) -> str:
        """The object's namespace, "" if it has none."""

    @property
    def name(self) -> str:
        """Unique in the namespace at any one time."""

    @property
    def uid(self) -> str:
        """Unique for ever."""

    @property
    def resource_version(self) -> str:
        """Changes whenever the object does."""


T = TypeVar("T", bound=Keyed)


class Change(NamedTuple, Generic[T]):
    """One object that came (``old`` is None), changed, or went (``new`` is None)."""

    old: T | None
    new: T | None


class Cache(Generic[T]):
    """Keyed objects, ``most`` of them; ``put``, ``drop`` and ``replace`` return what changed, in order."""

    def __init__(self, most: int) -> None:
        self.crowded = False
        """Since the last whole list there were more, which were not taken."""
        self._most = most
        self._objects: dict[tuple[str, str], T] = {}

    def __iter__(self) -> Iterator[T]:
        return iter(self._objects.values())

    def __len__(self) -> int:
        return len(self._objects)

    def get(self, namespace: str, name: str) -> T | None:
        """Return the object of that name, if there is one."""
        return self._objects.get((namespace, name))

    def put(self, item: T) -> list[Change[T]]:
        """Take an ADDED or MODIFIED event; a repeated one changes nothing."""
        key = (item.namespace, item.name)
        old = self._objects.get(key)
        if old is not None and old.uid == item.uid and old.resource_version == item.resource_version:
            return []
        if old is None and len(self._objects) >= self._most:
            self.crowded = True
            return []
        self._objects[key] = item
        return _difference(old, item)

    def drop(self, item: T) -> list[Change[T]]:
        """Take a DELETED event; one that is late, for a name that is already another object's, changes nothing."""
        key = (item.namespace, item.name)
        old = self._objects.get(key)
        if old is None or old.uid != item.uid:
            return []
        del self._objects[key]
        return [Change(old, None)]

    def replace(self, items: Iterable[T]) -> list[Change[T]]:
        """Take a whole list: what it does not name is gone."""
        fresh: dict[tuple[str, str], T] = {}
        self.crowded = False
        for item in items:
            key = (item.namespace, item.name)
            if len(fresh) < self._most or key in fresh:
                fresh[key] = item
            else:
                self.crowded = True
        changes = [Change(old, None) for key, old in self._objects.items() if key not in fresh]
        for key, item in fresh.items():
            old = self._objects.get(key)
            if old is None or old.uid != item.uid or old.resource_version != item.resource_version:
                changes.extend(_difference(old, item))
        self._objects = fresh
        return changes


def _difference(old: T | None, new: T) -> list[Change[T]]:
    if old is not None and old.uid != new.uid:
        return [Change(old, None), Change(None, new)]
    return [Change(old, new)]
