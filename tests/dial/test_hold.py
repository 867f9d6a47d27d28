from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from fairlead.dial.hold import LANE_UNREAD, SHARED_PATIENCE, SHARED_UNREAD, Hold
from tests.support.loop import run_virtual

MIB = 1 << 20


class Rider:
    """A connection that is its own local end."""

    def __init__(self, unsent: int) -> None:
        self.unsent = unsent

    @property
    def local(self) -> Any:
        return self


class Lane:
    """A hold, what it does to the lane, and whom it gives up."""

    def __init__(self, *unsent: int) -> None:
        self.riders = [Rider(each) for each in unsent]
        self.reads: list[bool] = []
        self.given_up: list[int] = []
        self.hold: Hold[Rider] = Hold(self.riders, self.reads.append, self.give_up)
        for rider in list(self.riders):
            if rider.unsent:
                self.hold.block(rider)

    def give_up(self, rider: Rider, unread: int) -> None:
        self.given_up.append(unread)
        self.riders.remove(rider)
        self.hold.unblock(rider)


@pytest.mark.parametrize(
    ("unsent", "reads", "given_up"),
    [
        ([1], False, []),
        ([SHARED_UNREAD, 0], True, []),
        ([SHARED_UNREAD + 1, 0], False, [SHARED_UNREAD + 1]),
        ([7 * MIB, 6 * MIB, 3 * MIB], True, []),
        ([7 * MIB, 6 * MIB, 4 * MIB], False, [7 * MIB]),
        ([8 * MIB] * 5, False, [8 * MIB] * 3),
        ([9 * MIB, 9 * MIB, 7 * MIB], False, [9 * MIB, 9 * MIB]),
    ],
    ids=["alone", "at its limit", "beyond it", "together little", "together much", "a crowd", "two beyond it"],
)
def test_who_holds_a_lane_and_who_is_given_up_for_it(unsent: list[int], reads: bool, given_up: list[int]) -> None:
    """Whoever is left has a lane that reads, unless it is alone."""

    async def main() -> None:
        lane = Lane(*unsent)
        assert lane.hold.reading is reads
        await asyncio.sleep(SHARED_PATIENCE - 0.01)
        assert lane.given_up == []
        await asyncio.sleep(0.02)
        assert lane.given_up == given_up
        left = [rider.unsent for rider in lane.riders]
        limit = SHARED_UNREAD if len(left) > 1 else 0
        assert lane.hold.reading is (sum(left) <= LANE_UNREAD and max(left) <= limit)
        # The transport was told of each change, and of nothing else.
        assert all(now is not before for before, now in zip([True, *lane.reads], lane.reads, strict=False))
        assert ([True, *lane.reads])[-1] is lane.hold.reading

    run_virtual(main())


def reads_again(lane: Lane) -> None:
    lane.hold.unblock(lane.riders[0])


def takes_some(lane: Lane) -> None:
    lane.riders[0].unsent = SHARED_UNREAD
    lane.hold.consider()


def others_leave(lane: Lane) -> None:
    del lane.riders[1:]
    lane.hold.consider()


def lane_ends(lane: Lane) -> None:
    lane.hold.end()


@pytest.mark.parametrize("change", [reads_again, takes_some, others_leave, lane_ends])
def test_what_ends_the_patience(change: Callable[[Lane], None]) -> None:
    async def main() -> None:
        lane = Lane(SHARED_UNREAD + 1, 0)
        await asyncio.sleep(SHARED_PATIENCE / 2)
        change(lane)
        await asyncio.sleep(SHARED_PATIENCE * 2)
        assert lane.given_up == []
        assert lane.hold._patience is None

    run_virtual(main())


def test_a_sole_connection_that_gets_company_has_its_patience_from_then_on() -> None:
    async def main() -> None:
        lane = Lane(SHARED_UNREAD + 1)
        await asyncio.sleep(SHARED_PATIENCE * 10)
        lane.riders.append(Rider(0))
        lane.hold.consider()
        await asyncio.sleep(SHARED_PATIENCE - 0.01)
        assert lane.given_up == []
        await asyncio.sleep(0.02)
        assert lane.given_up == [SHARED_UNREAD + 1]

    run_virtual(main())
