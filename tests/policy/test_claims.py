"""Claims: who has which name."""

from __future__ import annotations

import random

import pytest

from fairlead.model.named import GroupKey
from fairlead.policy.claims import Claims
from fairlead.policy.hostnames import Name, Scope, names_of

KEYS = [GroupKey("c", namespace, service, pod) for namespace in "pd" for service in "ps" for pod in ("", "p", "s")]
SCOPE = Scope(bare="d")


def won(claims: Claims) -> dict[GroupKey, tuple[str, ...]]:
    return {key: tuple(name.text for name in claims.won(key)) for key in KEYS if claims.won(key)}


def test_the_nearest_form_has_a_name() -> None:
    claims = Claims()
    far, near = GroupKey("c", "pay", "api"), GroupKey("c", "shop", "api")
    claims.claim(far, [Name(3, "api"), Name(1, "api.pay")])
    claims.claim(near, [Name(0, "api")])
    assert [name.text for name in claims.won(far)] == ["api.pay"]
    assert [name.text for name in claims.won(near)] == ["api"]
    claims.changed()
    claims.claim(near, ())
    assert [name.text for name in claims.won(far)] == ["api", "api.pay"]
    assert claims.changed() == [far], "one that is gone has no names to write"
    assert "api" in claims
    claims.claim(far, ())
    assert "api" not in claims


def test_what_is_claimed_again_unchanged_is_no_change() -> None:
    claims = Claims()
    claims.claim(KEYS[0], names_of(KEYS[0], SCOPE))
    assert claims.changed() == [KEYS[0]]
    claims.claim(KEYS[0], names_of(KEYS[0], SCOPE))
    assert claims.changed() == []


@pytest.mark.parametrize("seed", range(20))
def test_it_does_not_matter_in_which_order_they_came(seed: int) -> None:
    """And what is told as changed is all that changed."""
    chance = random.Random(seed)
    claims, seen, there = Claims(), dict[GroupKey, tuple[str, ...]](), set[GroupKey]()
    for _ in range(40):
        key = chance.choice(KEYS)
        there ^= {key}
        claims.claim(key, names_of(key, SCOPE) if key in there else ())
        now = won(claims)
        assert {key for key in there if now.get(key) != seen.get(key)} <= set(claims.changed())
        seen = now
    anew = Claims()
    for key in sorted(there):
        anew.claim(key, names_of(key, SCOPE))
    assert won(anew) == won(claims)
    names = [text for names in won(claims).values() for text in names]
    assert len(names) == len(set(names)), "one owner each"
