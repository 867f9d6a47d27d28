"""Samples to figures."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Summary:
    """The middle of some samples, and how far they lie apart."""

    median: float
    low: float
    high: float


def summarize(samples: Sequence[float]) -> Summary | None:
    """None where there is no sample."""
    return Summary(statistics.median(samples), min(samples), max(samples)) if samples else None


def percentile(samples: Sequence[float], percent: float) -> float:
    """The smallest sample that at least ``percent`` of all do not exceed."""
    ordered = sorted(samples)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]


def ratio(ours: Sequence[float | None], theirs: Sequence[float | None]) -> Summary | None:
    """The ratio of the two medians, with the lowest and highest ratio of any one round.

    Index is round; None is a sample that could not be had. What a round has only once counts for the median alone.
    """
    above, below = summarize([a for a in ours if a is not None]), summarize([b for b in theirs if b is not None])
    if above is None or below is None or not below.median:
        return None
    rounds = [a / b for a, b in zip(ours, theirs, strict=False) if a is not None and b]
    middle = above.median / below.median
    return Summary(middle, min(rounds, default=middle), max(rounds, default=middle))
