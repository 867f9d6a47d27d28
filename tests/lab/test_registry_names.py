"""What names may be."""

# ruff: noqa: E501 -- the words of the API server are long

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.lab.registry import names

ENDS = "and must start and end with an alphanumeric character"
LABEL = (
    f"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', {ENDS} (e.g. 'my-name',  or "
    "'123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
VALUE = (
    f"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', {ENDS} (e.g. "
    "'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
KEY = (
    f"must consist of alphanumeric characters, '-', '_' or '.', {ENDS} (e.g. 'MyName',  or 'my.name',  or '123-abc', "
    "regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)


@pytest.mark.parametrize(
    ("rule", "text", "wrong"),
    [
        (names.label, "a", []),
        (names.label, "1-a", []),
        (names.label, "A", [LABEL]),
        (names.label, "a\n", [LABEL]),
        (names.label, "-", [LABEL]),
        (names.label, "a.b", ["must not contain dots"]),
        (names.label, "a" * 64, ["must be no more than 63 characters"]),
        (names.subdomain, "a.b-c.1", []),
        (names.subdomain, "a" * 254, ["must be no more than 253 characters"]),
        (names.key, "app", []),
        (names.key, "x.io/A_b.c", []),
        (names.key, "a b", [f"name part {KEY}"]),
        (names.key, "/a", ["prefix part must be non-empty"]),
        (names.key, "x.io/", ["name part must be non-empty", f"name part {KEY}"]),
        (names.key, "a/b/c", [f"a valid label key {KEY} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]),
        (names.key, "a" * 64, ["name part must be no more than 63 bytes"]),
        (names.label_value, "", []),
        (names.label_value, "a_B", []),
        (names.label_value, "a b", [VALUE]),
        (names.label_value, "a" * 64, ["must be no more than 63 bytes"]),
        (names.config_key, "a.b", []),
        (names.config_key, "..", ["must not be '..'"]),
        (names.config_key, "..a", ["must not start with '..'"]),
        (names.variable, "A.b c", []),
        (names.port_name, "http-2", []),
        (names.port_name, "1", ["must contain at least one letter (a-z)"]),
        (names.port_name, "a--b-", ["must not contain consecutive hyphens", "must not begin or end with a hyphen"]),
        (names.port_name, "a" * 16, ["must be no more than 15 characters"]),
        (names.percent, "25%", []),
    ],
)  # fmt: skip
def test_rules(rule: names.Rule, text: str, wrong: list[str]) -> None:
    assert rule(text) == wrong


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (names.config_key, "a b"), (names.variable, "a=b"), (names.variable, "ä"), (names.port_name, "A"),
        (names.percent, "25"), (names.header, "a b"), (names.subdomain, "a..b"), (names.key, "A_/b"),
    ],
)  # fmt: skip
def test_what_is_refused(rule: names.Rule, text: str) -> None:
    assert rule(text)


def test_ports() -> None:
    assert [number for number in (-1, 0, 1, 65535, 65536) if not names.port(number)] == [1, 65535]
    assert names.port(0) == ["must be between 1 and 65535, inclusive"]


@given(st.text(alphabet="aA1-._/ %\n", max_size=8))
def test_a_label_is_a_subdomain_and_a_subdomain_is_a_key(text: str) -> None:
    if not names.label(text):
        assert not names.subdomain(text)
    if not names.subdomain(text):
        assert not names.key(text)
        assert not names.label_value(text)
