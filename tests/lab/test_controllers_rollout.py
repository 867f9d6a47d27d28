"""The arithmetic of a rollout."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.lab.controllers.rollout import Limits, Size, first_size, grown, limits, rescaled, rolled, share


@pytest.mark.parametrize(
    ("value", "total", "up", "number"),
    [
        (3, 10, True, 3),
        ("25%", 10, True, 3),
        ("25%", 10, False, 2),
        ("25%", 1, True, 1),
        ("25%", 3, False, 0),
        ("100%", 7, False, 7),
        ("0%", 7, True, 0),
        ("33%", 100, True, 33),
    ],
)
def test_percentages_of_surge_are_rounded_up_and_of_unavailable_down(
    value: int | str, total: int, up: bool, number: int
) -> None:
    assert share(value, total, up=up) == number


@pytest.mark.parametrize(
    ("replicas", "rolling", "expected"),
    [
        (3, {}, Limits(3, 1, 0)),
        (4, {}, Limits(4, 1, 1)),
        (10, {}, Limits(10, 3, 2)),
        (1, {"maxSurge": 0, "maxUnavailable": "25%"}, Limits(1, 0, 1)),
        (0, {}, Limits(0, 0, 0)),
        (2, {"maxSurge": 5, "maxUnavailable": 9}, Limits(2, 5, 2)),
    ],
)
def test_the_limits_of_a_deployment(replicas: int, rolling: dict[str, Any], expected: Limits) -> None:
    assert limits({"replicas": replicas, "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}) == expected


def test_recreate_has_no_limits() -> None:
    assert limits({"replicas": 3, "strategy": {"type": "Recreate"}}) == Limits(3)
    assert first_size(Limits(3), [], rolling=False) == 3


@pytest.mark.parametrize(
    ("allowed", "new", "old", "sizes"),
    [
        (Limits(3, 1, 0), Size("new", 0), [Size("old", 3, 3)], {"new": 1}),
        (Limits(3, 1, 0), Size("new", 1), [Size("old", 3, 3)], {}),
        (Limits(3, 1, 0), Size("new", 1, 1), [Size("old", 3, 3)], {"old": 2}),
        (Limits(3, 0, 1), Size("new", 0), [Size("old", 3, 3)], {"old": 2}),
        # One that was just made smaller and whose status does not know it yet.
        (Limits(3, 0, 1), Size("new", 1), [Size("old", 2, 3)], {}),
        # What is broken goes first, from the oldest, and beyond what has to be available.
        (Limits(4, 1, 1), Size("new", 1), [Size("a", 1, 0), Size("b", 3, 3)], {"a": 0}),
        (Limits(3, 3, 0), Size("new", 3, 3), [Size("a", 1, 1), Size("b", 2, 2)], {"a": 0, "b": 0}),
        (Limits(2, 1, 0), Size("new", 5, 5), [], {"new": 2}),
    ],
)
def test_one_step(allowed: Limits, new: Size, old: list[Size], sizes: dict[str, int]) -> None:
    assert rolled(allowed, new, old) == sizes


@pytest.mark.parametrize(
    ("allowed", "new", "old", "sizes"),
    [
        (Limits(5, 1, 0), Size("new", 3, 3), [], {"new": 5}),
        (Limits(0, 0, 0), Size("new", 3, 3), [], {"new": 0}),
        (Limits(5, 1, 0), None, [Size("a", 0), Size("b", 0)], {"b": 5}),
        (Limits(5, 1, 0), Size("new", 5, 5), [Size("a", 1, 1)], {"a": 0}),
        # From 10 + 3 to 20 + 5, of which eight are old and five are new.
        (Limits(20, 5, 4), Size("new", 5, 0, 13), [Size("old", 8, 8, 13)], {"old": 15, "new": 10}),
        # And back to 5 + 2.
        (Limits(5, 2, 1), Size("new", 5, 0, 13), [Size("old", 8, 8, 13)], {"old": 4, "new": 3}),
        (Limits(0, 0, 0), Size("new", 5, 0, 13), [Size("old", 8, 8, 13)], {"old": 0, "new": 0}),
        # Nothing is known of the number before.
        (Limits(6, 0, 1), Size("new", 1), [Size("old", 2, 2)], {"old": 4, "new": 2}),
    ],
)
def test_what_each_gets_of_a_new_number(
    allowed: Limits, new: Size | None, old: list[Size], sizes: dict[str, int]
) -> None:
    assert rescaled(allowed, True, new, old) == sizes


def test_recreate_shares_nothing() -> None:
    assert rescaled(Limits(5), False, Size("new", 1), [Size("old", 2)]) == {}


SIZES = st.integers(0, 12).flatmap(lambda wanted: st.tuples(st.just(wanted), st.integers(0, wanted)))


@st.composite
def situations(draw: st.DrawFn) -> tuple[Limits, Size, list[Size]]:
    replicas, surge, unavailable = draw(st.integers(0, 12)), draw(st.integers(0, 5)), draw(st.integers(0, 5))
    allowed = Limits(replicas, surge, min(replicas, unavailable if surge or unavailable else 1))
    new, *old = (Size(f"s{at}", *pair) for at, pair in enumerate(draw(st.lists(SIZES, min_size=1, max_size=4))))
    return allowed, new, old


@settings(deadline=None)
@given(situations())
def test_a_step_keeps_to_the_limits(situation: tuple[Limits, Size, list[Size]]) -> None:
    allowed, new, old = situation
    sizes = rolled(allowed, new, old)
    before = {each.name: each.wanted for each in (new, *old)}
    after = {**before, **sizes}
    assert all(size >= 0 for size in sizes.values())
    assert sizes.get(new.name, 0) <= allowed.replicas
    assert sum(after.values()) <= max(sum(before.values()), allowed.most)
    if new.wanted <= allowed.replicas:
        # Of each one the broken go before the others.
        left = new.available + sum(min(each.available, after[each.name]) for each in old)
        assert left >= min(allowed.least, new.available + sum(each.available for each in old))


@settings(deadline=None)
@given(situations())
def test_a_step_after_the_other_comes_to_an_end(situation: tuple[Limits, Size, list[Size]]) -> None:
    allowed, new, old = situation
    for _ in range(60):
        sizes = rolled(allowed, new, old)
        wanted = {**{each.name: each.wanted for each in (new, *old)}, **sizes}
        new, *old = (Size(name, size, size) for name, size in wanted.items())  # and all become available
    assert (new.wanted, sum(each.wanted for each in old)) == (allowed.replicas, 0)


@settings(deadline=None)
@given(situations())
def test_a_new_number_is_shared_out_whole(situation: tuple[Limits, Size, list[Size]]) -> None:
    allowed, new, old = situation
    sizes = rescaled(allowed, True, new, old)
    active = [each for each in (new, *old) if each.wanted]
    after = {**{each.name: each.wanted for each in active}, **sizes}
    assert all(size >= 0 for size in after.values())
    if len(active) > 1 and not new.wanted == new.available == allowed.replicas:
        assert sum(after.values()) == (allowed.most if allowed.replicas else 0)
    assert grown(allowed, new, old) >= new.wanted
