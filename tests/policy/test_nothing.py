"""What is said where nothing is forwarded."""

from __future__ import annotations

import pytest

from fairlead.policy.mapping import parse_patterns
from fairlead.policy.nothing import narrowed_by, nothing_forwarded
from fairlead.settings import ServicesSettings

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


def test_what_narrowed_it_is_said_where_none_was_found() -> None:
    where, options = ["shop"], ["--selector app=x", "--only"]
    assert nothing_forwarded(0, where, options)[0] == (
        "no service was found in namespace shop with --selector app=x and --only"
    )
    assert nothing_forwarded(0, [], options[1:])[0] == "no service was found in any namespace with --only"
    assert nothing_forwarded(1, where, options)[0].endswith("none is forwarded, as told of each")


def test_what_narrows_it() -> None:
    one = parse_patterns("--only", ["web"])
    assert narrowed_by(ServicesSettings()) == ()
    assert narrowed_by(ServicesSettings(selector="a=b", field_selector="c=d", only=one, exclude=one)) == (
        "--selector a=b", "--field-selector c=d", "--only", "--exclude",
    )  # fmt: skip
