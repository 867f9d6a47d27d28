from __future__ import annotations

from typing import Any

import pytest

from fairlead.errors import NoSuchPortError, UsageError
from fairlead.model.objects import Pod, Service
from fairlead.model.target import Local
from fairlead.policy.ports import ignored_targets, port_in, resolve, service_port_name
from fairlead.policy.portspec import parse_port
from tests.support import objects

POD_JSON = objects.pod("p", ports=(("http", 8080), ("", 9000)))
POD_JSON["spec"]["containers"].append(
    {
        "ports": [
            {"name": "dns", "containerPort": 53, "protocol": "UDP"},
            {"name": "sctp", "containerPort": 54, "protocol": "SCTP"},
        ]
    }
)
POD_JSON["spec"]["containers"].append(
    {"ports": [{"name": "both", "containerPort": 55, "protocol": "UDP"}, {"name": "both2", "containerPort": 55}]}
)
POD_JSON["spec"]["initContainers"] = [
    {
        "ports": [
            {"name": "init", "containerPort": 7000},
            {"name": "http", "containerPort": 1},
            {"containerPort": 56, "protocol": "UDP"},
        ]
    }
]
POD = Pod.from_json(POD_JSON)


def svc(**spec: Any) -> Service:
    ports = (
        {"name": "web", "port": 80, "targetPort": 8080, "protocol": "TCP"},
        {"name": "named", "port": 81, "targetPort": "http", "protocol": "TCP"},
        {"name": "same", "port": 82, "protocol": "TCP"},
        {"name": "zero", "port": 83, "targetPort": 0, "protocol": "TCP"},
        {"name": "lost", "port": 84, "targetPort": "nope", "protocol": "TCP"},
        {"name": "dns", "port": 53, "targetPort": 53, "protocol": "UDP"},
        {"name": "both-udp", "port": 85, "targetPort": 85, "protocol": "UDP"},
        {"name": "both-tcp", "port": 85, "targetPort": 86, "protocol": "TCP"},
        {"name": "text", "port": 87, "targetPort": "8080", "protocol": "TCP"},
    )
    return Service.from_json(objects.service("s", ports=ports, **spec))


@pytest.mark.parametrize(
    ("word", "local", "remote"),
    [
        ("80", 80, 80),
        ("080", 80, 80),
        ("8080:80", 8080, 80),
        (":80", Local.ANY, 80),
        ("-:80", Local.STDIO, 80),
        ("http", 8080, 8080),
        (":http", Local.ANY, 8080),
        ("1234:http", 1234, 8080),
        ("init", 7000, 7000),
        # containers come before init containers
        ("1:http", 1, 8080),
        ("54", 54, 54),
        ("55", 55, 55),
        # a port that nobody declared, and one that only an init container declares as UDP
        ("4321", 4321, 4321),
        ("56", 56, 56),
    ],
)
def test_the_port_of_a_pod_that_is_meant(word: str, local: int | Local, remote: int) -> None:
    (port,) = resolve([parse_port(word)], POD)
    assert (port.local, port.remote, port.service_port) == (local, remote, None)


RANGE = 'strconv.ParseUint: parsing "99999": value out of range'


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("nope", "Pod 'p' does not have a named port 'nope'"),
        ("1:nope", "Pod 'p' does not have a named port 'nope'"),
        ("99999999999999999999", "Pod 'p' does not have a named port '99999999999999999999'"),
        ("dns", "UDP protocol is not supported for dns"),
        ("1:53", "UDP protocol is not supported for 53"),
        ("0", "remote port must be > 0"),
        ("1:0", "remote port must be > 0"),
        ("99999", f"error parsing local port '99999': {RANGE}"),
        ("1:99999", f"error parsing remote port '99999': {RANGE}"),
        ("1:-5", "error parsing remote port '-5': strconv.ParseUint: parsing \"-5\": invalid syntax"),
        ("1:+5", "error parsing remote port '+5': strconv.ParseUint: parsing \"+5\": invalid syntax"),
    ],
)
def test_why_a_pod_has_no_such_port(word: str, words: str) -> None:
    with pytest.raises((NoSuchPortError, UsageError)) as caught:
        resolve([parse_port(word)], POD)
    assert caught.value.what == words
    assert caught.value.remedy
    assert isinstance(caught.value, NoSuchPortError) == ("named port" in words)


@pytest.mark.parametrize(
    ("word", "local", "remote", "number"),
    [
        ("80", 80, 8080, 80),
        ("web", 80, 8080, 80),
        (":web", Local.ANY, 8080, 80),
        ("1234:80", 1234, 8080, 80),
        ("81", 81, 8080, 81),
        # without LOCAL it listens on the service's port
        ("named", 81, 8080, 81),
        ("82", 82, 82, 82),
        ("83", 83, 83, 83),
        ("85", 85, 85, 85),
    ],
)
def test_the_port_of_a_pod_that_is_meant_by_that_of_a_service(
    word: str, local: int | Local, remote: int, number: int
) -> None:
    (port,) = resolve([parse_port(word)], POD, svc())
    assert (port.local, port.remote, port.service_port) == (local, remote, number)


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("8080", "Service s does not have a service port 8080"),
        ("99999", "Service s does not have a service port 99999"),
        ("0", "Service s does not have a service port 0"),
        ("nope", "Service 's' does not have a named port 'nope'"),
        ("84", "Pod 'p' does not have a named port 'nope'"),
        ("87", "Pod 'p' does not have a named port '8080'"),
        ("53", "UDP protocol is not supported for 53"),
        ("dns", "UDP protocol is not supported for dns"),
    ],
)
def test_why_a_service_has_no_such_port(word: str, words: str) -> None:
    with pytest.raises((NoSuchPortError, UsageError)) as caught:
        resolve([parse_port(word)], POD, svc())
    assert caught.value.what == words


def test_a_headless_service_means_its_own_number() -> None:
    ports = resolve(list(map(parse_port, ["80", "named", "84"])), POD, svc(clusterIP="None"))
    assert [port.remote for port in ports] == [80, 81, 84]


def test_udp_is_refused_before_anything_else_is_found_wrong() -> None:
    with pytest.raises(UsageError, match="UDP protocol"):
        resolve([parse_port("8080"), parse_port("53")], POD, svc())
    with pytest.raises(NoSuchPortError, match="nope"):
        resolve([parse_port("nope"), parse_port("dns")], POD)


def test_the_remedy_offers_what_there_is() -> None:
    with pytest.raises(NoSuchPortError) as caught:
        resolve([parse_port("nope")], POD)
    assert caught.value.remedy.startswith("it has http=8080, 9000, dns=53")
    with pytest.raises(NoSuchPortError, match="it declares no ports"):
        resolve([parse_port("nope")], Pod.from_json({"metadata": {"name": "bare"}}))


def test_another_pod_may_have_another_number() -> None:
    new = Pod.from_json(objects.pod("q", ports=(("http", 9090),)))
    none = Pod.from_json(objects.pod("r", ports=()))
    (by_name,) = resolve([parse_port("http")], POD)
    (by_number,) = resolve([parse_port("4321")], POD)
    (by_service,) = resolve([parse_port("named")], POD, svc())
    assert [port_in(by_name, each) for each in (POD, new, none)] == [8080, 9090, None]
    assert [port_in(by_number, each) for each in (POD, new, none)] == [4321] * 3
    assert [port_in(by_service, each, svc()) for each in (POD, new, none)] == [8080, 9090, None]


def test_the_name_of_a_service_port() -> None:
    (port,) = resolve([parse_port("81")], POD, svc())
    assert service_port_name(port, svc()) == "named"
    assert service_port_name(port, Service.from_json(objects.service("s", ports=()))) is None


def test_what_a_headless_service_ignores_is_named() -> None:
    headless, normal = svc(clusterIP="None"), svc()
    ports = [parse_port(word) for word in (":80", ":82", ":87", ":80")]
    assert ignored_targets(resolve(ports, POD, headless), headless) == [
        "s is headless: port 80 of its pods is used, as in the cluster, and not the targetPort 8080",
        "s is headless: port 87 of its pods is used, as in the cluster, and not the targetPort 8080",
    ]
    assert ignored_targets(resolve(ports[:2], POD, normal), normal) == []
    assert ignored_targets(resolve([parse_port("80")], POD), None) == []
