from __future__ import annotations

import pytest

from fairlead.policy.missing import no_namespace, remedy, similar, written_apart
from fairlead.policy.portspec import parse_targets


@pytest.mark.parametrize(
    ("name", "names", "found"),
    [
        ("web", ["db", "web-2", "api"], ["web-2"]),
        ("wbe", ["db", "web", "api"], ["web"]),
        ("web-797dcbfc6b-aaaaa", ["web-797dcbfc6b-bbbbb", "db-0"], ["web-797dcbfc6b-bbbbb"]),
        ("web", [f"web-{n}" for n in range(9)], ["web-8", "web-7", "web-6"]),
        ("web", ["web-797dcbfc6b-rjrlk"], ["web-797dcbfc6b-rjrlk"]),
        ("web", [], []),
        ("web", ["zzz"], []),
    ],
)
def test_names_like_the_missing_one_are_offered(name: str, names: list[str], found: list[str]) -> None:
    assert similar(name, names) == found


@pytest.mark.parametrize(
    ("meant", "said"),
    [
        (["svc/web"], "did you mean svc/web? -n chooses another namespace"),
        (["svc/a", "svc/b", "svc/c"], "did you mean svc/a, svc/b or svc/c? -n chooses another namespace"),
        ([], "-n chooses another namespace"),
    ],
)
def test_the_remedy_names_what_was_probably_meant(meant: list[str], said: str) -> None:
    assert remedy(meant) == said


def test_a_namespace_that_does_not_exist() -> None:
    assert no_namespace("shpo", []) == 'the namespace "shpo" does not exist; -n chooses another'
    assert no_namespace("shpo", ["shop"]) == 'the namespace "shpo" does not exist; -n chooses another, such as shop'


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("svc web 80", "svc/web 80"),
        ("svc web :80 8080:http -:22", "svc/web :80 8080:http -:22"),
        ("svc web", "svc/web PORT"),
        ("svc 80 90", ""),
        ("svc :web 90", ""),
    ],
)
def test_a_type_and_a_name_as_two_words(words: str, meant: str) -> None:
    assert written_apart(parse_targets(words.split())[0]) == meant
