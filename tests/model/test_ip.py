from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.model.ip import addresses


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("FD00:0:0::01", "fd00::1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
    ],
)
def test_one_way_to_write_it(text: str, expected: str) -> None:
    assert addresses([text]) == (expected,)


@pytest.mark.parametrize(
    "text",
    [
        *("", "None", "web", "10.0.0", "10.0.0.01", "10.0.0.1/8", " 10.0.0.1", "1" * 5000, "12345"),
        *("127.0.0.1", "::1", "0.0.0.0", "::", "169.254.1.1", "fe80::1", "fd00::1%eth0", "224.0.0.1", "ff02::1"),
        *("::ffff:127.0.0.1", "::1:2"),
    ],
)
def test_what_is_none_and_what_no_pod_has(text: str) -> None:
    assert addresses([text]) == ()


def test_each_once_and_nothing_but_texts() -> None:
    assert addresses(["10.0.0.2", 5, None, ["10.0.0.1"], "::ffff:10.0.0.2", "10.0.0.1"]) == ("10.0.0.2", "10.0.0.1")


@given(st.ip_addresses().map(str))
def test_as_the_kernel_writes_it(text: str) -> None:
    for found in addresses([text]):
        family = socket.AF_INET6 if ":" in found else socket.AF_INET
        assert socket.inet_ntop(family, socket.inet_pton(family, found)) == found
