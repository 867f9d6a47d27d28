from __future__ import annotations

import pytest

from bench.stats import Summary, percentile, ratio, summarize


def test_a_summary_is_the_median_and_both_ends() -> None:
    assert summarize([3.0, 1.0, 2.0]) == Summary(2.0, 1.0, 3.0)
    assert summarize([]) is None


@pytest.mark.parametrize(
    ("percent", "value"), [(0, 1.0), (1, 1.0), (50, 50.0), (51, 51.0), (99, 99.0), (99.5, 100.0), (100, 100.0)]
)
def test_percentile_of_a_hundred(percent: float, value: float) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], percent) == value


def test_every_percentile_of_one_value_is_that_value() -> None:
    assert percentile([7.0], 50) == percentile([7.0], 99) == 7.0


def test_ratio_is_of_the_medians_and_its_spread_of_the_rounds() -> None:
    assert ratio([10.0, 20.0, 30.0], [10.0, 10.0, 20.0]) == Summary(2.0, 1.0, 2.0)


def test_ratio_where_rounds_are_missing() -> None:
    assert ratio([10.0, None, 30.0], [None, 5.0, 10.0]) == Summary(20 / 7.5, 3.0, 3.0)
    assert ratio([10.0, None], [None, 5.0]) == Summary(2.0, 2.0, 2.0)


def test_no_ratio_without_both() -> None:
    assert ratio([None], [1.0]) is None
    assert ratio([1.0], []) is None
    assert ratio([1.0], [0.0]) is None
