from __future__ import annotations

import pytest

from fairlead.policy.hostnames import is_legal
from fairlead.policy.toplevel import _names, is_toplevel


@pytest.mark.parametrize("name", ["com", "de", "dev", "ck", "xn--p1ai", "zw"])
def test_names_of_the_root_zone(name: str) -> None:
    assert is_toplevel(name)


@pytest.mark.parametrize("name", ["local", "internal", "corp", "home", "lan", "localdomain", "onion", "arpa"])
def test_names_that_networks_use_beside_it(name: str) -> None:
    assert is_toplevel(name)


@pytest.mark.parametrize("name", ["", "COM", "test", "example", "default", "kube-system", "shop1"])
def test_other_names(name: str) -> None:
    assert not is_toplevel(name)


def test_the_list_is_whole_and_legal() -> None:
    assert 1400 < len(_names()) < 2000
    assert all(is_legal(name) and "." not in name for name in _names())
