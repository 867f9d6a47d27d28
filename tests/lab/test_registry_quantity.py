"""Amounts of resources."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.lab.registry.quantity import canonical, value


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("0.5", "500m"), ("1", "1"), ("1000m", "1"), ("1500m", "1500m"), ("0.0001", "1m"), (".5", "500m"),
        ("1024", "1024"), ("2000k", "2M"), ("129e6", "129e6"), ("1500e3", "1500e3"), ("0Mi", "0"), ("-1", "-1"),
        ("1.5Gi", "1536Mi"), ("0.5Gi", "512Mi"), ("0.5Ki", "512"), ("1024Mi", "1Gi"), ("1.3Gi", "1395864372"),
        ("1e999", "9223372036854775807"),
    ],
)  # fmt: skip
def test_amounts_are_written_as_the_api_does(given: str, written: str) -> None:
    assert canonical(given) == written
    assert canonical(written) == written


@pytest.mark.parametrize("text", ["", "x", "1x", "1 Gi", "--1", "1e", "1.2.3", "1gi", "1" * 50])
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="quantities must match"):
        canonical(text)


@given(st.integers(0, 2**50), st.sampled_from(["", "m", "k", "M", "Ki", "Mi"]))
def test_the_amount_is_the_same(number: int, suffix: str) -> None:
    text = f"{number}{suffix}"
    assert value(canonical(text)) == min(value(text), 2**63 - 1)
