from __future__ import annotations

import pytest

from fairlead.model.named import GroupKey
from fairlead.policy.hostnames import Scope, names_of
from fairlead.policy.mapping import parse_patterns
from fairlead.policy.unwritten import Withheld, named, nobody_alone, withheld
from fairlead.settings import ServicesSettings

ALL = Scope(bare="me", everywhere=True)


def groups(*names: str) -> list[tuple[GroupKey, Scope]]:
    return [(group(name), ALL) for name in names]


def group(name: str) -> GroupKey:
    """``service.namespace``."""
    return GroupKey("c", *reversed(name.split(".")))


@pytest.mark.parametrize(
    ("settings", "namespaces"),
    [
        (ServicesSettings(all_namespaces=True), ""),
        (ServicesSettings(namespaces=("dev", "app")), "dev app"),
        (ServicesSettings(bare="shop"), "shop"),
        (ServicesSettings(only=parse_patterns("--only", ["web.dev", "*.app", "api", "api.p*", "api.pa?"])), "dev app"),
    ],
)
def test_namespaces_that_were_asked_for_by_name(settings: ServicesSettings, namespaces: str) -> None:
    assert named(settings) == set(namespaces.split())


def test_what_is_withheld_is_what_is_there_for_who_asks_by_name() -> None:
    web = group("web.dev")
    assert withheld(web, ALL) == ("web.dev",)
    assert withheld(web, ALL._replace(named=frozenset({"dev"}))) == ()
    assert withheld(web, ALL._replace(everywhere=False)) == ()
    assert withheld(web, ALL._replace(main=False, label="x")) == ()
    assert withheld(group("web.shop1"), ALL) == ()
    asked = names_of(web, ALL._replace(named=frozenset({"dev"})))
    assert {name.text for name in asked} - {name.text for name in names_of(web, ALL)} == {"web.dev"}


def test_a_pod_whose_service_is_a_top_level_domain() -> None:
    pod = GroupKey("c", "sales", "web", "web-0")
    assert withheld(pod, ALL) == ()
    assert withheld(pod, ALL._replace(bare="sales")) == ("web-0.web",)


def test_it_is_told_once_for_each_namespace() -> None:
    news = Withheld()
    assert news.news(groups("web.ns1", "web.dev", "api.dev")) == (
        "not written with -A: names such as web.dev, as dev is a top-level domain; -n dev beside -A writes them"
    )
    assert news.news(groups("db.dev", "web.ns1")) == ""
    assert news.news(groups("db.dev", "web.app", "a.shop")) == (
        "not written with -A: names such as web.app and a.shop, as app and shop are top-level domains; -n app,shop "
        "beside -A writes them"
    )


def test_of_many_the_first_are_named() -> None:
    many = groups(*[f"api.{namespace}" for namespace in ("dev", "app", "shop", "pay", "prod", "zone")])
    assert Withheld().news(many) == (
        "not written with -A: names such as api.dev, api.app, api.shop, api.pay and 2 more, as dev, app, shop, pay and "
        "2 more are top-level domains; -n dev,app,shop,pay,prod,... beside -A writes them"
    )


def test_names_that_stand_alone_nowhere() -> None:
    assert nobody_alone(Scope(bare="shop"), ("shop", "pay")) == ""
    assert nobody_alone(Scope(bare=None), ("shop", "pay")) == (
        "no name stands alone, as several namespaces were chosen and none is the context's own; --bare shop lets those "
        "of shop"
    )
