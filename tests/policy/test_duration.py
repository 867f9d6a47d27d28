from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import UsageError
from fairlead.policy.duration import parse_duration, parse_pod_running_timeout


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1m0s", 60),
        ("5s", 5),
        ("1h", 3600),
        ("1h2m3s", 3723),
        ("300ms", 0.3),
        ("1.5h", 5400),
        (".5s", 0.5),
        ("1.s", 1),
        ("2us", 2e-6),
        ("2\u00b5s", 2e-6),
        ("2\u03bcs", 2e-6),
        ("7ns", 7e-9),
        ("0", 0),
        ("+5s", 5),
        ("-5s", -5),
        ("-0", 0),
        ("2562047h47m16s", 9223372036),
    ],
)
def test_durations_are_read_as_go_reads_them(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 'time: invalid duration ""'),
        ("5", 'time: missing unit in duration "5"'),
        ("5x", 'time: unknown unit "x" in duration "5x"'),
        ("5 s", 'time: unknown unit " s" in duration "5 s"'),
        ("s", 'time: invalid duration "s"'),
        (".s", 'time: invalid duration ".s"'),
        ("-", 'time: invalid duration "-"'),
        ("--5s", 'time: invalid duration "--5s"'),
        ("5s6", 'time: missing unit in duration "5s6"'),
        ("9999999999h", 'time: invalid duration "9999999999h"'),
        ("\u0665s", 'time: invalid duration "\u0665s"'),
    ],
)
def test_what_is_no_duration_is_refused_in_gos_words(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_duration(text)
    assert caught.value.what == words


def test_a_long_duration_costs_no_time() -> None:
    with pytest.raises(UsageError):
        parse_duration("9" * 1_000_000 + "s")


def test_the_pod_running_timeout_must_be_above_zero() -> None:
    assert parse_pod_running_timeout("1m0s") == 60
    for text in ("0", "-1s", "0s"):
        with pytest.raises(UsageError, match="--pod-running-timeout must be higher than zero"):
            parse_pod_running_timeout(text)
    with pytest.raises(UsageError) as caught:
        parse_pod_running_timeout("60")
    assert caught.value.what == (
        'invalid argument "60" for "--pod-running-timeout" flag: time: missing unit in duration "60"'
    )


@given(st.text(alphabet="0159.+-hmsnu\u00b5 ", max_size=12))
def test_any_text_is_a_duration_or_a_usage_error(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except UsageError:
        return
    assert abs(seconds) < 2**63 / 1e9
