from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import UsageError
from fairlead.model.named import PortRule, ServicePattern
from fairlead.model.objects import Service, ServicePort
from fairlead.policy.mapping import (
    is_chosen,
    local_port,
    numbered,
    own_port,
    parse_mappings,
    parse_own,
    parse_patterns,
)


def test_mappings_as_values() -> None:
    words = ["80:8080", "api:80:8081", "api.shop:443:8443", "80:8080", "api:http:81", "a:8-b:1"]
    assert parse_mappings(words) == (
        PortRule("", "", 80, 8080), PortRule("api", "", 80, 8081), PortRule("api", "shop", 443, 8443),
        PortRule("api", "", "http", 81), PortRule("a", "", "8-b", 1),
    )  # fmt: skip


def test_own_services_as_values() -> None:
    assert parse_own(["api=3000", "web.shop=3001", "api:80=3002", "web.shop:443=3003", "api:http=3004"]) == (
        PortRule("api", "", 0, 3000), PortRule("web", "shop", 0, 3001),
        PortRule("api", "", 80, 3002), PortRule("web", "shop", 443, 3003), PortRule("api", "", "http", 3004),
    )  # fmt: skip


@pytest.mark.parametrize(
    "word",
    [
        "",
        "80",
        "80:",
        ":80",
        "a:b:c:d",
        "http:8080",
        "api:HTTP:80",
        "api:123456:80",
        "a::80",
        "a.b.c:80:80",
        "80:8080 ",
        "-1:80",
        "API:80:80",
    ],
)
def test_mappings_that_are_none(word: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_mappings([word])
    assert str(caught.value) == (
        f'--mapping is PORT:LOCAL or SERVICE:PORT:LOCAL, not "{word}" (for example --mapping api:80:8080)'
    )


@pytest.mark.parametrize("word", ["", "api", "=80", "api=", "api:80", "api=http", "api:=80", "a.b.c=80", "80:80:80"])
def test_own_services_that_are_none(word: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_own([word])
    assert str(caught.value) == (
        f'--local is SERVICE=PORT or SERVICE:PORT=LOCAL, not "{word}" (for example --local api=3000)'
    )


@pytest.mark.parametrize("word", ["0:80", "80:0", "80:65536", "70000:80", "api:0:80"])
def test_ports_that_there_are_not(word: str) -> None:
    with pytest.raises(UsageError, match=rf"^--mapping {word}: a port number is 1 to 65535$"):
        parse_mappings([word])


def test_a_service_by_each_of_its_names() -> None:
    assert parse_own(["api.shop.svc=3000", "web.pay.svc.cluster.local:80=3001"]) == (
        PortRule("api", "shop", 0, 3000), PortRule("web", "pay", 80, 3001),
    )  # fmt: skip
    assert parse_mappings(["api.shop.svc:80:8080"]) == (PortRule("api", "shop", 80, 8080),)


def test_one_port_in_two_places() -> None:
    with pytest.raises(UsageError, match=r"^--mapping 80:8081: it has local port 8080 already$"):
        parse_mappings(["80:8080", "80:8081"])
    with pytest.raises(UsageError, match=r"^--local api=3001: it has local port 3000 already$"):
        parse_own(["api=3000", "api=3001"])


def test_the_mapping_that_says_most_holds() -> None:
    rules = parse_mappings(["api.shop:80:8082", "80:8080", "api:80:8081"])
    assert local_port(rules, "shop", "web", 80) == 8080
    assert local_port(rules, "pay", "api", 80) == 8081
    assert local_port(rules, "shop", "api", 80) == 8082
    assert local_port(rules, "shop", "api", 443) == 443
    assert local_port((), "shop", "api", 80) == 80


def test_what_runs_on_the_laptop() -> None:
    rules = parse_own(["api=3000", "api:443=3443", "api.pay=4000"])
    assert own_port(rules, "shop", "api", 80) == 3000
    assert own_port(rules, "shop", "api", 443) == 3443
    assert own_port(rules, "pay", "api", 443) == 4000
    assert own_port(rules, "shop", "web", 80) == 0


def test_a_port_by_its_name_has_another_number_in_each_service() -> None:
    ports = (ServicePort("http", 80, "TCP", None), ServicePort("dns", 53, "UDP", None))
    api = Service("shop", "api", "", "", ports=ports)
    moved = api._replace(namespace="pay", ports=(ports[0]._replace(port=8000),))
    rules = parse_mappings(["api:http:8080", "api:443:8443", "api:dns:5353"])
    assert local_port(numbered(rules, api), "shop", "api", 80) == 8080
    assert local_port(numbered(rules, api), "shop", "api", 443) == 8443
    assert local_port(numbered(rules, api), "shop", "api", 53) == 53
    assert local_port(numbered(rules, moved), "pay", "api", 8000) == 8080
    assert local_port(numbered(rules, moved), "pay", "api", 80) == 80


def test_patterns_as_values() -> None:
    words = ["api", "web-*.shop", "*.kube-?", "api", "web-*.shop.svc", "*.kube-?.svc.cluster.local"]
    assert parse_patterns("--only", words) == (
        ServicePattern("api", "*"), ServicePattern("web-*", "shop"), ServicePattern("*", "kube-?"),
    )  # fmt: skip


@pytest.mark.parametrize("word", ["", ".", "api.", ".shop", "a.b.c", "a.b.svc.c", "API", "[a]", "a b", "a\n", "a" * 64])
def test_patterns_that_are_none(word: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_patterns("--exclude", [word])
    assert caught.value.what == f'--exclude is NAME or NAME.NAMESPACE, with * and ?, not "{word}"'


@pytest.mark.parametrize(
    ("only", "exclude", "chosen"),
    [
        ([], [], "api.shop web-1.shop web-1.pay"),
        (["api"], [], "api.shop"),
        (["web-?"], [], "web-1.shop web-1.pay"),
        (["*.pay", "api.*"], [], "api.shop web-1.pay"),
        ([], ["web*"], "api.shop"),
        (["web-1"], ["*.pay"], "web-1.shop"),
        (["web"], [], ""),
        (["*.sho"], [], ""),
    ],
)
def test_which_services_are_chosen(only: list[str], exclude: list[str], chosen: str) -> None:
    services = [("shop", "api"), ("shop", "web-1"), ("pay", "web-1")]
    wanted, unwanted = parse_patterns("--only", only), parse_patterns("--exclude", exclude)
    found = [
        f"{service}.{namespace}" for namespace, service in services if is_chosen(wanted, unwanted, namespace, service)
    ]
    assert found == chosen.split()


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=10))
def test_a_pattern_holds_where_the_same_expression_does(pattern: str, name: str) -> None:
    expression = pattern.replace("*", ".*").replace("?", ".")
    assert is_chosen([ServicePattern(pattern)], (), "ns", name) == bool(re.fullmatch(expression, name))


def test_no_pattern_takes_long() -> None:
    """One that goes back over each * would take longer than anybody waits."""
    (pattern,) = parse_patterns("--only", ["*a" * 30 + "*b"])
    assert not is_chosen([pattern], (), "ns", "a" * 63)
