from __future__ import annotations

from dataclasses import dataclass
from math import inf

import pytest

from fairlead.policy.lanes import OPEN_AT_ONCE, SHORT, TOGETHER, Take, Wait, place


@dataclass
class Lane:
    load: int | None
    bulk: bool = False
    held: bool = False


def decide(
    loads: list[int | None],
    opening: int = 0,
    waiting: int = 0,
    lifetime: float = inf,
    most: int = 0,
    limit: int = 32,
    budget: int = 256,
    patient: bool = True,
) -> Take | Wait:
    return place(
        [Lane(load) for load in loads],
        opening=opening,
        waiting=waiting,
        most=max(most, sum(load or 0 for load in loads) + waiting + 1),
        lifetime=lifetime,
        limit=limit,
        budget=budget,
        patient=patient,
    )


@pytest.mark.parametrize(
    ("loads", "expected"),
    [
        ([0], Take(0)),
        ([1, 0, 0], Take(1)),
        ([None, 3, 0], Take(2)),
        ([1], Wait(1)),
        ([1, 2], Wait(1)),
        ([None], Wait(1)),
        ([], Wait(1)),
    ],
)
def test_an_idle_lane_is_taken_and_otherwise_one_is_opened(loads: list[int | None], expected: Take | Wait) -> None:
    assert decide(loads) == expected


def test_a_burst_opens_a_few_lanes_at_a_time() -> None:
    assert decide([1], opening=0, waiting=9) == Wait(OPEN_AT_ONCE)
    assert decide([1], opening=1, waiting=9) == Wait(OPEN_AT_ONCE - 1)
    assert decide([1], opening=OPEN_AT_ONCE, waiting=9) == Wait(0)


def test_no_more_lanes_are_opened_than_connections_wait() -> None:
    assert decide([1], opening=1, waiting=0) == Wait(0)


def test_at_the_limit_the_least_busy_lane_is_shared() -> None:
    assert decide([3, 1, 2], limit=3) == Take(1)
    assert decide([3, 1, 2], budget=0) == Take(1)


def test_at_the_limit_a_lane_on_its_way_is_waited_for() -> None:
    assert decide([3, 1], opening=1, limit=3) == Wait(0)


def test_who_waited_too_long_shares() -> None:
    assert decide([2, 1], patient=False) == Take(1)


def test_a_lane_that_takes_no_connections_is_never_chosen() -> None:
    assert decide([None, 5], limit=2) == Take(1)
    assert decide([None, None], limit=2, patient=False) == Wait(0)


def test_at_the_limit_a_lane_that_one_connection_holds_is_shared_last_of_all() -> None:
    """Nobody else would ever make room: its sole connection may leave its data unread for ever."""
    held = Lane(None, held=True)

    def at(limit: int, *lanes: Lane, opening: int = 0) -> Take | Wait:
        return place(lanes, opening=opening, waiting=0, most=1, lifetime=inf, limit=limit, budget=9, patient=False)

    assert at(2, Lane(None), held) == Take(1)
    assert at(2, held, Lane(7, bulk=True)) == Take(1)
    assert at(2, held) == Wait(1)
    assert at(2, held, opening=1) == Wait(0)


def test_the_first_lane_is_opened_whatever_the_limits() -> None:
    assert decide([], budget=0) == Wait(1)
    assert decide([], opening=1, budget=0) == Wait(0)


def test_a_limit_of_one_means_one_lane() -> None:
    assert decide([0], limit=1) == Take(0)
    assert decide([7], limit=1) == Take(0)


def test_who_waited_too_long_still_waits_rather_than_share_a_bulk_lane() -> None:
    lanes = [Lane(1, bulk=True), Lane(2)]

    assert place(lanes, opening=1, waiting=0, most=1, lifetime=inf, limit=32, budget=9, patient=False) == Take(1)
    assert place(lanes[:1], opening=1, waiting=0, most=1, lifetime=inf, limit=32, budget=9, patient=False) == Wait(0)


def test_at_the_limit_a_quiet_lane_is_shared_before_a_bulk_one() -> None:
    assert place(
        [Lane(1, bulk=True), Lane(9)], opening=0, waiting=0, most=1, lifetime=inf, limit=2, budget=9, patient=True
    ) == Take(1)
    assert place(
        [Lane(1, bulk=True)], opening=0, waiting=0, most=1, lifetime=inf, limit=1, budget=9, patient=True
    ) == Take(0)


def test_a_crowd_of_short_connections_shares_what_is_open() -> None:
    assert decide([2, 1], waiting=29, lifetime=SHORT) == Take(0)
    assert decide([2, 1], waiting=28, lifetime=SHORT) == Wait(OPEN_AT_ONCE)
    assert decide([2, 1], waiting=29, lifetime=SHORT * 1.1) == Wait(OPEN_AT_ONCE)


def test_a_crowd_of_short_connections_is_kept_on_few_lanes() -> None:
    """Also while it is smaller for a moment than it was."""
    few = [None, 0, 3, TOGETHER, 5, 2]
    assert decide(few, waiting=20, lifetime=SHORT) == Take(4)
    assert decide(few, most=33, lifetime=SHORT) == Take(4)
    assert decide(few, most=32, lifetime=SHORT) == Take(1)
    assert decide([TOGETHER, TOGETHER + 2], most=33, lifetime=SHORT) == Take(0)


def test_a_crowd_of_short_connections_keeps_off_transfers() -> None:
    lanes = [Lane(9, bulk=True), Lane(1)]

    assert place(lanes, opening=0, waiting=0, most=40, lifetime=0.01, limit=32, budget=9, patient=True) == Take(1)


def test_a_short_connection_is_never_put_beside_a_transfer_while_lanes_may_be_opened() -> None:
    lanes = [Lane(1, bulk=True)]

    assert place(lanes, opening=0, waiting=0, most=1, lifetime=0.01, limit=32, budget=9, patient=True) == Wait(1)
