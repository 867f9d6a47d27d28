"""How endpoints are laid out in slices: what stands in one stays there, and new ones go where there is room."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from fairlead.lab.controllers.backends import CHANGED
from fairlead.lab.controllers.meta import is_leaving, with_meta
from fairlead.lab.controllers.steps import Create, Delete, Replace, Step
from fairlead.lab.registry.kinds import ENDPOINT_SLICE
from fairlead.lab.registry.store import Object
from fairlead.lab.registry.times import stamp
from fairlead.lab.registry.values import same


class Group(NamedTuple):
    """What shares slices: endpoints of one family with the same ports."""

    family: str
    """``IPv4`` or ``IPv6``."""
    ports: list[Object]
    endpoints: list[Object]

    @property
    def key(self) -> str:
        """The same for what may share a slice."""
        return group_key(self.family, self.ports)


def group_key(family: str, ports: Iterable[Object]) -> str:
    """The order of the ports says nothing."""
    return json.dumps([family, sorted(json.dumps(port, sort_keys=True) for port in ports)])


def lay_out(
    groups: Iterable[Group],
    existing: Iterable[Object],
    most: int,
    dress: Callable[[Object], Object],
    now: datetime | None = None,
) -> list[Step]:
    """Make the slices hold these endpoints, ``most`` in each; ``dress`` gives a slice its name, labels and owner.

    ``now`` is written to those that change, if it is given. A group without endpoints has one empty slice.
    """
    by_key = dict[str, list[Object]]()
    for each in existing:
        if not is_leaving(each):
            by_key.setdefault(group_key(each["addressType"], each.get("ports") or ()), []).append(each)
    steps = list[Step]()
    for group in groups:
        steps += _group(group, by_key.pop(group.key, []), most, dress, now)
    return steps + [Delete(ENDPOINT_SLICE, each) for left in by_key.values() for each in left]


def _group(
    group: Group, existing: list[Object], most: int, dress: Callable[[Object], Object], now: datetime | None
) -> list[Step]:
    left = {_identity(each): each for each in group.endpoints}
    kept = list[tuple[Object, list[Object]]]()
    for piece in existing:
        names = [_identity(each) for each in piece.get("endpoints") or ()]
        kept.append((piece, [left.pop(name) for name in names[:most] if name in left]))
    waiting = list(left.values())
    for _, endpoints in sorted(kept, key=lambda entry: -len(entry[1])):
        room = most - len(endpoints)
        endpoints += waiting[:room]
        waiting = waiting[room:]
    full = [(piece, endpoints) for piece, endpoints in kept if endpoints]
    if not full and not waiting:
        full = kept[:1]  # one without endpoints
    steps: list[Step] = [Delete(ENDPOINT_SLICE, piece) for piece, _ in kept if all(piece is not it for it, _ in full)]
    for piece, endpoints in full:
        value = dress({**piece, "endpoints": endpoints or None})
        if not same(value, piece):
            steps.append(Replace(ENDPOINT_SLICE, _dated(value, now)))
    chunks = [waiting[at : at + most] for at in range(0, len(waiting), most)]
    if not full and not chunks:
        chunks = [[]]
    return steps + [Create(ENDPOINT_SLICE, _dated(dress(_blank(group, chunk)), now)) for chunk in chunks]


def _identity(endpoint: Mapping[str, Any]) -> tuple[str, str]:
    return endpoint["addresses"][0], (endpoint.get("targetRef") or {}).get("uid", "")


def _blank(group: Group, endpoints: list[Object]) -> Object:
    return {
        "apiVersion": ENDPOINT_SLICE.api_version,
        "kind": ENDPOINT_SLICE.kind,
        "metadata": {},
        "addressType": group.family,
        "endpoints": endpoints or None,
        "ports": group.ports or None,
    }


def _dated(value: Object, now: datetime | None) -> Object:
    if now is None:
        return value
    return with_meta(value, annotations={**value["metadata"].get("annotations", {}), CHANGED: stamp(now)})
