"""What is said where nothing is forwarded."""

from __future__ import annotations

import pytest

from fairlead.policy.nothing import nothing_forwarded

OTHERS = "-n looks in others, -A in all"


@pytest.mark.parametrize(
    ("services", "namespaces", "said"),
    [
        (0, ["default"], ("no service was found in namespace default", OTHERS)),
        (0, ["shop", "pay"], ("no service was found in namespaces shop, pay", OTHERS)),
        (0, [], ("no service was found in any namespace", "")),
        (1, ["default"], ("of 1 service in namespace default none is forwarded, as told of each", OTHERS)),
        (
            9,
            ["a", "b", "c", "d"],
            ("of 9 services in namespaces a, b, c and 1 more none is forwarded, as told of each", OTHERS),
        ),
        (7, [], ("of 7 services none is forwarded, as told of each", "")),
    ],
)
def test_where_was_looked_and_what_was_found(services: int, namespaces: list[str], said: tuple[str, str]) -> None:
    assert nothing_forwarded(services, namespaces) == said
