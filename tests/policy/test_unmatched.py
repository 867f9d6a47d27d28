from __future__ import annotations

from collections.abc import Sequence

from fairlead.model.objects import Service, ServicePort
from fairlead.policy.addresses import parse_reservations
from fairlead.policy.mapping import parse_mappings, parse_own, parse_patterns
from fairlead.policy.unmatched import unmatched
from fairlead.settings import ServicesSettings


def service(namespace: str, name: str, *ports: tuple[str, int]) -> Service:
    found = (*(ServicePort(port, number, "TCP", None) for port, number in ports), ServicePort("dns", 53, "UDP", None))
    return Service(namespace, name, "", "", ports=found)


SERVICES = [
    service("shop", "api", ("http", 80), ("", 8080)),
    service("shop", "db", ("pg", 5432)),
    service("pay", "api", ("http", 80)),
    service("pay", "dns"),
]
NAMES = {"api", "api.shop", "db"}


def said(settings: ServicesSettings, services: Sequence[Service], namespaces: Sequence[str] = ()) -> list[str]:
    return unmatched(settings, services, NAMES, namespaces, mappings=settings.mappings, reserve=settings.reserve)


def test_what_has_a_service_is_not_mentioned() -> None:
    settings = ServicesSettings(
        only=parse_patterns("--only", ["api", "d*.shop"]),
        mappings=parse_mappings(["80:8080", "api:80:81", "api.pay:http:82", "api:8080:83", "9:10"]),
        local=parse_own(["db=3000", "db.shop:5432=3001"]),
        reserve=parse_reservations(["api.shop=127.9.9.9"]),
        exclude=parse_patterns("--exclude", ["nothing"]),
    )
    assert said(settings, SERVICES) == []


def test_each_that_has_none_is_named_once_with_what_was_probably_meant() -> None:
    settings = ServicesSettings(
        only=parse_patterns("--only", ["aip", "*.test", "db.pay"]),
        mappings=parse_mappings(["apis:80:81"]),
        local=parse_own(["web:80=3000", "web:81=3001"]),
        reserve=parse_reservations(["api.test=127.9.9.9"]),
    )
    assert said(settings, SERVICES) == [
        "--only aip: there is no such service yet; did you mean api?",
        "--only *.test: there is no such service yet",
        "--only db.pay: there is no such service yet; did you mean db.shop?",
        "--mapping apis: there is no such service yet; did you mean api?",
        "--local web: there is no such service yet",
        "--reserve api.test: there is no such service yet; did you mean api.shop or api.pay?",
    ]


def test_a_namespace_that_is_not_looked_in() -> None:
    settings = ServicesSettings(
        only=parse_patterns("--only", ["web.test", "api.pay", "db.p*"]),
        mappings=parse_mappings(["web.test:80:81"]),
        local=parse_own(["api.test=3000", "apis.pay=3000"]),
        reserve=parse_reservations(["web.test=127.9.9.9"]),
    )
    there = "namespace test is not looked in; -n shop,pay,test looks there too"
    assert said(settings, SERVICES, ("shop", "pay")) == [
        f"--only web.test: {there}",
        "--only db.p*: there is no such service yet; did you mean db.shop?",
        f"--mapping web.test: {there}",
        f"--local api.test: {there}",
        "--local apis.pay: there is no such service yet; did you mean api.pay?",
        f"--reserve web.test: {there}",
    ]


def test_a_pod_where_a_service_is_meant() -> None:
    settings = ServicesSettings(
        only=parse_patterns("--only", ["kafka-0.kafka"]),
        local=parse_own(["kafka-0.kafka=3000"]),
        reserve=parse_reservations(["kafka-9.kafka=127.9.9.9"]),
    )
    kafka = service("shop", "kafka", ("", 9092))._replace(cluster_ip="None")
    assert said(settings, [*SERVICES, kafka], ("shop", "pay")) == [
        "--only kafka-0.kafka: there is no such service yet; this is for services, not for their pods: kafka",
        "--local kafka-0.kafka: there is no such service yet; this is for services, not for their pods: kafka",
        "--reserve kafka-9.kafka: there is no such pod yet",
    ]


def test_services_that_were_sought_with_a_selector() -> None:
    settings = ServicesSettings(selector="app=x", only=parse_patterns("--only", ["web"]))
    assert said(settings, SERVICES) == ["--only web: there is no such service yet with --selector app=x"]


def test_a_port_that_the_service_has_not_is_named_with_those_it_has() -> None:
    settings = ServicesSettings(
        mappings=parse_mappings(["api:81:8080", "api.pay:8080:8081", "api:htp:8082", "dns:53:5353"]),
        local=parse_own(["db:80=3000"]),
    )
    assert said(settings, SERVICES) == [
        "--mapping api:81: there is no such port yet; it has http=80, 8080",
        "--mapping api.pay:8080: there is no such port yet; it has http=80",
        "--mapping api:htp: there is no such port yet; it has http=80, 8080",
        "--mapping dns:53: there is no such port yet; it has no TCP port",
        "--local db:80: there is no such port yet; it has pg=5432",
    ]


def test_a_service_that_has_no_port_to_lead_here() -> None:
    settings = ServicesSettings(local=parse_own(["dns=3000"]))
    assert said(settings, SERVICES) == ["--local dns: it declares no TCP port that could lead here"]
