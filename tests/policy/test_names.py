from __future__ import annotations

import pytest

from fairlead.errors import UsageError
from fairlead.policy.names import check_name, check_namespace


@pytest.mark.parametrize("name", ["web", "web-797dcbfc6b-rjrlk", "a.b-c.d", "0", "a" * 253])
def test_names_that_can_exist(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("name", ["", "-a", "a-", "a..b", ".a", "A", "a_b", "a b", "a\n", "\u0661", "a" * 254])
def test_names_that_cannot_exist_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="invalid resource name"):
        check_name(name)


@pytest.mark.parametrize("name", ["a.b", "a b/../x", "\udcff", "A", "", "a" * 64, "a\n"])
def test_namespaces_that_cannot_exist_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="invalid namespace"):
        check_namespace(name)


def test_a_namespace_is_refused_in_kubectls_words() -> None:
    with pytest.raises(UsageError) as caught:
        check_namespace("a b/../x")
    assert caught.value.what == "invalid namespace \"a b/../x\": [may not contain '/']"
    check_namespace("shop-1")


def test_what_kubectl_has_no_words_for_is_a_sentence() -> None:
    with pytest.raises(UsageError) as caught:
        check_namespace("sh*")
    rule = "it may have lower case letters, digits and '-', and must start and end with a letter or a digit"
    assert caught.value.what == f'invalid namespace "sh*": {rule}'
