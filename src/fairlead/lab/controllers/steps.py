"""What a controller answers with: writes, things to tell of, and a time to be asked again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from fairlead.lab.registry.kinds import POD, Kind
from fairlead.lab.registry.status import ApiStatusError
from fairlead.lab.registry.store import Change, Object, Store

Key: TypeAlias = tuple[str, ...]
"""What a controller is asked about; for most (namespace, name)."""
NAME = "{name}"
"""Stands in a text for the name that an object is given when it is made."""


class Tell(NamedTuple):
    """An event, from the controller that says so."""

    about: Object
    reason: str
    message: str
    warning: bool = False
    action: str = ""
    """What was tried; events that have it are of the newer form, with a series in place of a count."""


class Create(NamedTuple):
    """Make an object."""

    kind: Kind
    value: Object
    told: Tell | None = None
    """Told when it was done."""


class Replace(NamedTuple):
    """Put an object, or a subresource of it, in the place of the one that it was made from (its resourceVersion)."""

    kind: Kind
    value: Object
    subresource: str = ""
    told: Tell | None = None


class Delete(NamedTuple):
    """Delete the object that was seen, not another of its name."""

    kind: Kind
    value: Object
    propagation: str = "Background"
    told: Tell | None = None

    @property
    def options(self) -> dict[str, Any]:
        """A v1 DeleteOptions."""
        return {"preconditions": {"uid": self.value["metadata"]["uid"]}, "propagationPolicy": self.propagation}


class Bind(NamedTuple):
    """Give a pod to a node."""

    value: Object
    node: str
    told: Tell | None = None

    @property
    def kind(self) -> Kind:
        """The pod's."""
        return POD


class Again(NamedTuple):
    """Ask about the same key again then."""

    at: datetime


Write: TypeAlias = Create | Replace | Delete | Bind
Step: TypeAlias = Write | Tell | Again


def nothing_more(_store: Store, _key: Key, _now: datetime, _write: Write, _error: ApiStatusError) -> list[Step]:
    """The answer of controllers that leave a refused write to the next turn."""
    return []


class Controller(NamedTuple):
    """One controller, as the runner drives it."""

    name: str
    """As its events name their source."""
    decide: Callable[[Store, Key, datetime], list[Step]]
    """What to do about one key now. Its writes are done in their order; the first that is refused ends the turn."""
    keys: Mapping[Kind, Callable[[Store, Change], Iterable[Key]]]
    """Which keys a change of an object of that kind concerns."""
    refused: Callable[[Store, Key, datetime, Write, ApiStatusError], list[Step]] = nothing_more
    """What to say of a write that was refused, and was no conflict. The key is asked about again later in any case."""
    first: tuple[Key, ...] = ()
    """Keys to be asked about at the start, be there an object or not."""
