"""The arithmetic of a Deployment: how many pods of which ReplicaSet, now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Size(NamedTuple):
    """One ReplicaSet, by what counts here."""

    name: str
    wanted: int
    """What its spec asks for."""
    available: int = 0
    """What its status tells of; may lag behind the spec."""
    most: int = 0
    """Pods that its Deployment allowed in all when this was set; 0 if that is not known."""


class Limits(NamedTuple):
    """What a rolling update keeps to."""

    replicas: int
    surge: int = 0
    """Pods above ``replicas`` that there may be."""
    unavailable: int = 0
    """Pods below ``replicas`` that are available."""

    @property
    def most(self) -> int:
        """Pods that there may be."""
        return self.replicas + self.surge

    @property
    def least(self) -> int:
        """Pods that have to be available."""
        return self.replicas - self.unavailable


def limits(spec: Mapping[str, Any]) -> Limits:
    """Read a DeploymentSpec; the strategy Recreate knows no limits but the number itself."""
    replicas = spec.get("replicas", 1)
    strategy = spec.get("strategy", {})
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return Limits(replicas)
    rolling = strategy.get("rollingUpdate") or {}
    surge = share(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = share(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    if surge == unavailable == 0:
        unavailable = 1  # both may be rounded to nothing, and nothing would ever move
    return Limits(replicas, surge, min(unavailable, replicas))


def share(value: int | str, total: int, *, up: bool) -> int:
    """Read a number, or a percentage of ``total`` rounded up or down."""
    if isinstance(value, int):
        return value
    part = int(value.removesuffix("%")) * total
    return -(-part // 100) if up else part // 100


def first_size(allowed: Limits, others: Sequence[Size], *, rolling: bool) -> int:
    """How many a new ReplicaSet starts with."""
    return grown(allowed, Size("", 0), others) if rolling else allowed.replicas


def grown(allowed: Limits, new: Size, old: Sequence[Size]) -> int:
    """What the new one may have beside the old ones: never fewer than it has."""
    room = allowed.most - new.wanted - sum(each.wanted for each in old)
    return new.wanted + max(0, min(room, allowed.replicas - new.wanted))


def rolled(allowed: Limits, new: Size, old: Sequence[Size]) -> dict[str, int]:
    """One step of a rolling update: the sizes that change. The new one grows before an old one shrinks."""
    size = allowed.replicas if new.wanted > allowed.replicas else grown(allowed, new, old)
    return {new.name: size} if size != new.wanted else shrunk(allowed, new, old)


def shrunk(allowed: Limits, new: Size, old: Sequence[Size]) -> dict[str, int]:
    """Take pods from the old ones, given from the oldest: first what is not available, then what can be spared."""
    pods = new.wanted + sum(each.wanted for each in old)
    room = pods - allowed.least - (new.wanted - new.available)
    left = {each.name: each.wanted for each in old}
    for each in old:
        broken = min(room, each.wanted - each.available)
        if broken > 0:
            left[each.name] -= broken
            room -= broken
    # A status lags: what a spec no longer asks for is not available for long.
    alive = new.available + sum(min(each.available, left[each.name]) for each in old)
    spare = min(room, alive - allowed.least)
    for each in old:
        taken = min(spare, left[each.name])
        if taken > 0:
            left[each.name] -= taken
            spare -= taken
    return {each.name: left[each.name] for each in old if left[each.name] != each.wanted}


def rescaled(allowed: Limits, rolling: bool, new: Size | None, old: Sequence[Size]) -> dict[str, int]:
    """The sizes that change when the Deployment's own number did, or while it is paused.

    One ReplicaSet takes it all. Where several have pods, each gets its share of the change, the largest ones first.
    """
    active = [each for each in ([*old, new] if new else old) if each.wanted]
    if len(active) <= 1:
        only = active[0] if active else new or (old[-1] if old else None)
        return {only.name: allowed.replicas} if only and only.wanted != allowed.replicas else {}
    if new and new.wanted == new.available == allowed.replicas:
        return {each.name: 0 for each in old if each.wanted}
    if not rolling:
        return {}
    most = allowed.most if allowed.replicas else 0
    change = most - sum(each.wanted for each in active)
    # Sorting keeps what is equal in order: the newer one grows first, the older one shrinks first.
    order = sorted(reversed(active) if change > 0 else active, key=lambda each: -each.wanted)
    sizes = {each.name: each.wanted for each in order}
    left = change
    for each in order:
        part = _part(each, allowed, most, sum(other.wanted for other in active))
        part = min(part, left) if change > 0 else max(part, left)
        sizes[each.name] += part
        left -= part
    if order and left:
        sizes[order[0].name] = max(0, sizes[order[0].name] + left)
    return {each.name: sizes[each.name] for each in active if sizes[each.name] != each.wanted}


def _part(each: Size, allowed: Limits, most: int, now: int) -> int:
    if not allowed.replicas:
        return -each.wanted
    return (2 * each.wanted * most + (each.most or now)) // (2 * (each.most or now)) - each.wanted
