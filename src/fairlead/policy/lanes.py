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

TOGETHER = 16
"""Connections of such a crowd that are put on one lane before the next is used: the fewer lanes they are on, the more
of them travel in one write, and a write costs API server, kubelet and runtime about as much as a connection does."""

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

    @property
    def held(self) -> bool:
        """It takes no new ones only because its sole connection leaves its data unread, which it may do for ever."""


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
    most: int,
    lifetime: float,
    limit: int,
    budget: int,
    patient: bool,
) -> Take | Wait:
    """Decide for one connection.

    ``opening`` lanes are on their way and ``waiting`` connections are in front of this one. ``most`` is how many
    connections to this pod there were at once of late, this one counted, and ``lifetime`` how many seconds they lasted
    on average. ``limit`` is the number of lanes to this pod, ``budget``
    how many more the API server may be asked for. ``patient`` is False when this connection has waited longer than a
    new lane takes. Until the limit is reached no bulk lane is shared, however long that takes, and no held one.
    """
    # No more than ``limit`` connections have a lane each, however short they are: nobody can tell which one will pause.
    crowd = most > limit and lifetime <= SHORT
    if crowd:
        fullest = _fullest(lanes)
        if fullest is not None:
            return Take(fullest)
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
    if full and best is None:
        best = next((index for index, lane in enumerate(lanes) if lane.held), None)
    hurry = crowd or not patient
    if best is not None and (full or (hurry and not best_rank[0])):
        return Take(best)
    more = max(0, min(room, OPEN_AT_ONCE - opening, waiting + 1 - opening))
    if not lanes and not opening:
        more = max(more, 1)  # Whatever the limits say, nothing works without a first lane.
    return Wait(more)


def _fullest(lanes: Sequence[LaneState]) -> int | None:
    """The lane with the most connections that is no bulk lane and has fewer than TOGETHER."""
    best, most = None, -1
    for index, lane in enumerate(lanes):
        load = lane.load
        if load is not None and most < load < TOGETHER and not lane.bulk:
            best, most = index, load
    return best
