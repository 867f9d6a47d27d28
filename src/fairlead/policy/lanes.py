"""Which lane a new connection takes. A lane is an upgraded connection to one pod.

SPDY as Kubernetes speaks it has no flow control per stream, so one slow reader stalls all that share its lane: that is
why connections get lanes of their own as long as there are not too many.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

OPEN_AT_ONCE = 2
"""Lanes to one pod that are being opened at the same time. Each costs the server about 10 ms of CPU; more at once make
all of them late."""

SHORT = 0.5
"""Seconds that connections last on average for a crowd of them to share the open lanes instead of waiting for more.
Several on one lane cost the server less than on lanes of their own, and none is in the way for long."""

MAX_PER_SERVER = 256
"""Lanes to all pods behind one API server: each holds three connections in the cluster's own components."""


class LaneState(Protocol):
    """What is asked of an open lane."""

    @property
    def load(self) -> int | None:
        """Connections on it; None when it takes no new ones at the moment (blocked, or a ping was missed)."""

    @property
    def bulk(self) -> bool:
        """It carries much: whoever shares it may have to wait."""


class Take(NamedTuple):
    """Use this lane, an index into what ``place`` was given."""

    lane: int


class Wait(NamedTuple):
    """Wait for a new lane or an idle one, whichever comes first; begin to open ``more`` lanes now."""

    more: int


def place(
    lanes: Sequence[LaneState],
    *,
    opening: int,
    waiting: int,
    lifetime: float,
    limit: int,
    budget: int,
    patient: bool,
) -> Take | Wait:
    """Decide for one connection.

    ``opening`` lanes are on their way and ``waiting`` connections are in front of this one. ``lifetime`` is how many
    seconds connections to this pod lasted of late, on average. ``limit`` is the number of lanes to this pod, ``budget``
    how many more the API server may be asked for. ``patient`` is False when this connection has waited longer than a
    new lane takes. Until the limit is reached no bulk lane is shared, however long that takes.
    """
    best: int | None = None
    best_rank = (True, 0)
    for index, lane in enumerate(lanes):
        load = lane.load
        if load == 0:
            return Take(index)
        if load is not None:
            rank = (lane.bulk, load)
            if best is None or rank < best_rank:
                best, best_rank = index, rank
    room = min(limit - len(lanes) - opening, budget)
    full = room <= 0 and not opening
    # No more than ``limit`` connections have a lane each, however short they are: nobody can tell which one will pause.
    crowd = sum(lane.load or 0 for lane in lanes) + waiting + 1 > limit
    hurry = not patient or (crowd and lifetime <= SHORT)
    if best is not None and (full or (hurry and not best_rank[0])):
        return Take(best)
    more = max(0, min(room, OPEN_AT_ONCE - opening, waiting + 1 - opening))
    if not lanes and not opening:
        more = max(more, 1)  # Whatever the limits say, nothing works without a first lane.
    return Wait(more)
