from __future__ import annotations

from fairlead.dial.pulse import Pulse
from fairlead.policy.silence import MAX_GRACE, MUCH, Sent

DEADLINE = 4.0


def asked(*moments: float) -> Pulse:
    """Pings 1, 3, 5 ... at these moments."""
    pulse = Pulse()
    for number, now in enumerate(moments):
        pulse.asked(2 * number + 1, now)
    return pulse


def test_nothing_is_overdue_before_it_was_asked_or_once_it_was_answered() -> None:
    assert not Pulse().overdue(1e9, DEADLINE)
    pulse = asked(10.0)
    assert [pulse.overdue(now, DEADLINE) for now in (13.9, 14.0)] == [False, True]
    assert pulse.answered(1)
    assert not pulse.waiting
    assert not pulse.overdue(1e9, DEADLINE)


def test_the_first_of_several_pings_says_since_when() -> None:
    pulse = asked(0.0, 4.0, 8.0)
    assert pulse.overdue(4.0, DEADLINE)
    assert not pulse.answered(7)
    assert pulse.answered(3)
    assert not pulse.answered(1)  # that answered it, too
    assert [pulse.waiting, pulse.answered(5), pulse.waiting, pulse.answered(5)] == [True, True, False, False]


def test_whatever_is_read_is_a_sign_of_life() -> None:
    pulse = asked(0.0)
    pulse.heard = True
    assert not pulse.overdue(10.0, DEADLINE)


def test_what_held_it_up_gives_it_its_time_again() -> None:
    pulse = asked(0.0)
    pulse.restart(10.0)
    assert [pulse.overdue(now, DEADLINE) for now in (13.9, 14.0)] == [False, True]


def test_what_was_said_counts_until_a_ping_behind_it_is_answered() -> None:
    pulse = Pulse()
    seen = [pulse.sent]
    pulse.said += MUCH
    pulse.asked(1, 0.0)
    pulse.said += 1
    seen.append(pulse.sent)
    pulse.answered(1)
    assert [*seen, pulse.sent] == [Sent.NOTHING, Sent.MUCH, Sent.LITTLE]


def test_a_lane_has_as_long_again_as_it_was_silent_once_another_answers() -> None:
    pulse = asked(0.0)
    assert [pulse.outlasted(now) for now in (8.0, 15.9, 16.0)] == [False, False, True]
    pulse.restart(20.0)  # and anew when it was held up meanwhile
    assert [pulse.outlasted(now) for now in (30.0, 39.9, 40.0)] == [False, False, True]
    long_ago = asked(0.0)
    assert [long_ago.outlasted(now) for now in (1000.0, 1000.0 + MAX_GRACE)] == [False, True]
