from __future__ import annotations

from fairlead.policy.addresses import parse_reservations
from fairlead.policy.mapping import parse_mappings, parse_own, parse_patterns
from fairlead.policy.unmatched import unmatched
from fairlead.settings import ServicesSettings

SERVICES = {("shop", "api"), ("shop", "db"), ("pay", "api")}
NAMES = {"api", "api.shop", "db"}


def test_what_has_a_service_is_not_mentioned() -> None:
    settings = ServicesSettings(
        only=parse_patterns("--only", ["api", "d*.shop"]),
        mappings=parse_mappings(["80:8080", "api:80:81", "api.pay:80:82"]),
        local=parse_own(["db=3000", "db.shop:5432=3001"]),
        reserve=parse_reservations(["api.shop=127.9.9.9"]),
        exclude=parse_patterns("--exclude", ["nothing"]),
    )
    assert unmatched(settings, SERVICES, NAMES) == []


def test_each_that_has_none_is_named_once_with_what_was_probably_meant() -> None:
    settings = ServicesSettings(
        only=parse_patterns("--only", ["aip", "*.test", "db.pay"]),
        mappings=parse_mappings(["apis:80:81"]),
        local=parse_own(["web:80=3000", "web:81=3001"]),
        reserve=parse_reservations(["api.test=127.9.9.9"]),
    )
    assert unmatched(settings, SERVICES, NAMES) == [
        "--only aip: there is no such service yet; did you mean api?",
        "--only *.test: there is no such service yet",
        "--only db.pay: there is no such service yet; did you mean db?",
        "--mapping apis: there is no such service yet; did you mean api?",
        "--local web: there is no such service yet",
        "--reserve api.test: there is no such service yet; did you mean api?",
    ]
