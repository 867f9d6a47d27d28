from __future__ import annotations

from fairlead.policy.backoff import Backoff


def test_pauses_double_up_to_half_a_minute() -> None:
    backoff, now, pauses = Backoff(), 100.0, []
    for _ in range(8):
        pause = backoff.failed(now, 0.0)
        pauses.append(pause)
        now += pause
    assert pauses == [1, 2, 4, 8, 16, 24, 24, 24]
    assert backoff.failed(now, 0.999) < 30


def test_chance_spreads_the_delays() -> None:
    assert Backoff().failed(0.0, 0.5) == 1.125


def test_it_starts_again_after_a_calm_or_on_news() -> None:
    backoff = Backoff()
    for now in (0.0, 1.0, 3.0):
        backoff.failed(now, 0.0)
    assert backoff.failed(7 + 10.1, 0.0) == 1
    assert backoff.failed(19.0, 0.0) == 2
    backoff.reset()
    assert backoff.failed(22.0, 0.0) == 1


def test_many_failures_do_not_overflow() -> None:
    backoff = Backoff()
    for _ in range(5000):
        assert backoff.failed(0.0, 0.0) <= 24
