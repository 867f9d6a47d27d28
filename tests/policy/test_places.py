"""Where a service is in its cluster's network."""

from __future__ import annotations

from typing import Any

import pytest

from fairlead.model.named import GroupKey
from fairlead.model.objects import EndpointSlice, Service
from fairlead.policy.places import Place, places
from fairlead.policy.zone import ZoneEndpoint, ZonePort
from tests.support.objects import endpoint, endpoint_slice, service

KEY = GroupKey("c", "ns", "web")
HTTP = ZonePort("http", "TCP", 80)
TARGET = ZonePort("http", "TCP", 8080)


def ready(pod: str, *addresses: str, hostname: str = "", **conditions: Any) -> dict[str, Any]:
    made = endpoint(pod, **conditions) | {"addresses": list(addresses)}
    return made | {"hostname": hostname} if hostname else made


def of(item: dict[str, Any], *slices: dict[str, Any]) -> list[Place]:
    return places("c", Service.from_json(item), map(EndpointSlice.from_json, slices))


def headless(*slices: dict[str, Any]) -> list[Place]:
    return of(service(clusterIP="None"), *slices)


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        ({}, Place(KEY, addresses=("10.0.0.1",), ports=(HTTP,))),
        (
            {"clusterIPs": ["10.0.0.1", "FD00::0:1"]},
            Place(KEY, addresses=("10.0.0.1", "fd00::1"), ports=(HTTP,)),
        ),
        ({"clusterIP": ""}, Place(KEY, ports=(HTTP,))),
        ({"clusterIP": "127.0.0.1"}, Place(KEY, ports=(HTTP,))),
        ({"type": "ExternalName", "externalName": "db.example.com"}, Place(KEY, cname="db.example.com")),
        ({"type": "LoadBalancer"}, Place(KEY, addresses=("10.0.0.1",), ports=(HTTP,))),
    ],
)
def test_a_service_of_its_own_address_or_alias(spec: dict[str, Any], place: Place) -> None:
    assert of(service(**spec), endpoint_slice("s", [ready("a", "10.1.0.1")])) == [place]


def test_a_headless_one_is_its_ready_endpoints() -> None:
    pieces = endpoint_slice(
        "s",
        [
            ready("b", "10.1.0.2", hostname="b"),
            ready("a", "10.1.0.1", hostname="first"),
            ready("c", "10.1.0.3", ready=False),
            ready("d", "10.1.0.4", ready=True, terminating=True),
            ready("e"),
            {"addresses": ["10.1.0.9"], "conditions": {"ready": True}},
        ],
    )
    assert headless(pieces) == [
        Place(
            KEY,
            endpoints=(
                ZoneEndpoint("b", ("10.1.0.2",), (TARGET,)),
                ZoneEndpoint("first", ("10.1.0.1",), (TARGET,)),
                ZoneEndpoint("", ("10.1.0.9",), (TARGET,)),
            ),
        ),
        Place(KEY._replace(pod="a"), "first", ("10.1.0.1",), (TARGET,)),
        Place(KEY._replace(pod="b"), "", ("10.1.0.2",), (TARGET,)),
    ]


def test_of_two_families_a_pod_has_both() -> None:
    four = endpoint_slice("a", [ready("db-0", "10.1.0.1", hostname="db-0")])
    six = endpoint_slice("b", [ready("db-0", "fd00::1", hostname="db-0")]) | {"addressType": "IPv6"}
    for pieces in (four, six), (six, four):
        service_place, pod = headless(*pieces)
        assert [each.addresses for each in service_place.endpoints] == [("10.1.0.1",), ("fd00::1",)]
        assert pod == Place(KEY._replace(pod="db-0"), "", ("10.1.0.1", "fd00::1"), (TARGET,))


def test_a_pod_that_two_slices_name_while_it_moves_stands_once() -> None:
    pieces = [endpoint_slice(name, [ready("a", "10.1.0.1")]) for name in ("x", "y")]
    assert headless(*pieces)[1:] == [Place(KEY._replace(pod="a"), "", ("10.1.0.1",), (TARGET,))]


def test_ports_that_a_slice_leaves_open() -> None:
    piece = endpoint_slice("s", [ready("a", "10.1.0.1")]) | {"ports": None}
    assert headless(piece)[1].ports == ()
    piece = endpoint_slice("s", [ready("a", "10.1.0.1")], ports=[{"name": "any", "protocol": "TCP"}])
    assert headless(piece)[1].ports == (ZonePort("any", "TCP", 0),)


def test_a_headless_one_without_endpoints_is_there() -> None:
    assert headless() == [Place(KEY)]


def test_each_address_is_shown_as_it_is_known_here() -> None:
    seen: list[str] = []

    def shown(address: str) -> str:
        seen.append(address)
        return f"here-{address}"

    item = Service.from_json(service(clusterIPs=["10.0.0.1", "fd00::1"]))
    assert places("c", item, [], shown)[0].addresses == ("here-10.0.0.1", "here-fd00::1")
    piece = EndpointSlice.from_json(endpoint_slice("s", [ready("a", "10.1.0.1")]))
    place, pod = places("c", Service.from_json(service(clusterIP="None")), [piece], shown)
    assert place.endpoints[0].addresses == pod.addresses == ("here-10.1.0.1",)
    assert set(seen) == {"10.0.0.1", "fd00::1", "10.1.0.1"}
