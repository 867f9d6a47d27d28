"""Which objects a controller's object manages: what has its mark, and what its selector takes and nobody manages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from fairlead.lab.controllers.meta import (
    controller_of,
    disowned,
    is_controlled_by,
    is_leaving,
    key_of,
    labels_of,
    owned,
    owner_key,
    present,
    selects,
)
from fairlead.lab.controllers.steps import Key, Replace, Step
from fairlead.lab.registry.kinds import Kind
from fairlead.lab.registry.selectors import matches, of_object
from fairlead.lab.registry.store import Change, Object, Store


class Claimed(NamedTuple):
    """What an owner manages after ``steps``."""

    children: list[Object]
    """As they are stored now."""
    steps: list[Step]
    """Adopt, and let go."""


def claim(
    owner: Object,
    owner_kind: Kind,
    children: Iterable[Object],
    kind: Kind,
    fits: Callable[[Object], bool] = lambda child: True,
) -> Claimed:
    """Sort out which of ``children``, all of ``kind``, are the owner's; ``fits`` is asked beside its selector."""
    found, steps, selector = list[Object](), list[Step](), of_object(owner["spec"].get("selector"))
    for child in children:
        wanted = selector is not None and matches(selector, labels_of(child)) and fits(child)
        if is_controlled_by(child, owner):
            if wanted:
                found.append(child)
            elif not is_leaving(owner):
                steps.append(Replace(kind, disowned(child, owner["metadata"]["uid"])))
        elif controller_of(child) is None and wanted and not is_leaving(owner) and not is_leaving(child):
            found.append(child)
            steps.append(Replace(kind, owned(child, owner, owner_kind)))
    return Claimed(found, steps)


def owners(kind: Kind) -> Callable[[Store, Change], Iterator[Key]]:
    """Tell whom a change of an object concerns: who manages it or did, or all who would take what nobody manages."""

    def keys(store: Store, change: Change) -> Iterator[Key]:
        for value in (change.before, change.after):
            if value is not None:
                yield from owner_key(value, kind)
        value = present(change)
        if controller_of(value) is None:
            for owner in store.all(kind, value["metadata"]["namespace"]):
                if selects(owner["spec"].get("selector"), labels_of(value)):
                    yield key_of(owner)

    return keys
