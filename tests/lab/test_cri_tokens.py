"""Tokens: one use, one minute, a thousand at once."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from fairlead.lab.cri.errors import CallError, Code
from fairlead.lab.cri.tokens import LIFETIME, MOST, Tokens


def counted() -> Iterator[bytes]:
    number = 0
    while True:
        number += 1
        yield number.to_bytes(6, "big")


def make() -> Tokens[str]:
    numbers = counted()
    return Tokens(lambda size: next(numbers))


def test_a_token_is_eight_characters_of_base64url() -> None:
    tokens: Tokens[str] = Tokens(lambda size: b"\xff\xfe\xfd\xfc\xfb\xfa"[:size])
    assert tokens.insert("a", 0) == "__79_Pv6"


def test_a_token_is_good_for_one_use() -> None:
    tokens = make()
    token = tokens.insert("a", 0)
    assert tokens.take(token, 1) == "a"
    assert tokens.take(token, 1) is None


@pytest.mark.parametrize(("late", "request_"), [(LIFETIME - 0.001, "a"), (LIFETIME, None), (LIFETIME + 1, None)])
def test_a_token_is_good_for_a_minute(late: float, request_: str | None) -> None:
    tokens = make()
    token = tokens.insert("a", 100)
    assert tokens.take(token, 100 + late) == request_


def test_a_token_is_spent_even_if_it_came_too_late() -> None:
    tokens = make()
    token = tokens.insert("a", 0)
    assert tokens.take(token, LIFETIME) is None
    assert len(tokens) == 0


def test_no_more_than_a_thousand_wait() -> None:
    tokens = make()
    first, *_ = [tokens.insert(str(number), number / MOST) for number in range(MOST)]
    with pytest.raises(CallError, match="maximum number of in-flight requests exceeded") as caught:
        tokens.insert("one more", 1)
    assert caught.value.code == Code.RESOURCE_EXHAUSTED
    tokens.take(first, 1)
    tokens.insert("one more", 1)
    with pytest.raises(CallError):
        tokens.insert("and one more", 1)
    tokens.insert("when a minute has passed for some", LIFETIME + 0.5)
    assert len(tokens) == MOST - 500 + 1


def test_a_token_that_waits_is_not_given_twice() -> None:
    drawn = iter([b"same!!", b"same!!", b"other!"])
    tokens: Tokens[str] = Tokens(lambda size: next(drawn))
    assert tokens.insert("a", 0) != tokens.insert("b", 0)


def test_chance_that_is_none_is_not_asked_for_ever() -> None:
    tokens: Tokens[str] = Tokens(bytes)
    tokens.insert("a", 0)
    with pytest.raises(CallError, match="failed to generate unique token"):
        tokens.insert("b", 0)


def test_unknown_tokens() -> None:
    assert Tokens[str](secrets.token_bytes).take("AAAAAAAA", 0) is None
