from __future__ import annotations

from typing import Any

from fairlead.model.objects import EndpointSlice
from fairlead.policy.endpoints import not_pods, ready_endpoints
from tests.support.objects import endpoint, endpoint_slice


def found(*slices: dict[str, Any], name: str = "http") -> list[tuple[str, int]]:
    merged = ready_endpoints(map(EndpointSlice.from_json, slices), name, 80)
    return [(ref.name, number) for ref, number in merged]


def test_ready_pods_by_name() -> None:
    entries = [endpoint("b", ready=True), endpoint("a"), endpoint("c", ready=False), endpoint("d", ready=None)]
    assert found(endpoint_slice("s", entries)) == [("a", 8080), ("b", 8080), ("d", 8080)]


def test_what_drains_takes_no_new_connections() -> None:
    assert found(endpoint_slice("s", [endpoint("a", ready=False, serving=True, terminating=True)])) == []


def test_a_service_may_publish_pods_whatever_their_state() -> None:
    assert found(endpoint_slice("s", [endpoint("a", ready=True, serving=False)])) == [("a", 8080)]
    assert found(endpoint_slice("s", [endpoint("a", ready=True, serving=False, terminating=True)])) == []


def test_a_named_port_differs_between_slices() -> None:
    old = endpoint_slice("s1", [endpoint("a")])
    new = endpoint_slice("s2", [endpoint("b")], ports=[{"name": "http", "port": 9090, "protocol": "TCP"}])
    assert found(old, new) == [("a", 8080), ("b", 9090)]
    assert found(old, new, name="other") == []


def test_one_pod_in_two_slices_counts_once() -> None:
    assert found(endpoint_slice("v4", [endpoint("a")]), endpoint_slice("v6", [endpoint("a")])) == [("a", 8080)]


def test_in_transition_the_news_of_its_end_wins() -> None:
    old = endpoint_slice("s1", [endpoint("a", ready=True)])
    new = endpoint_slice("s2", [endpoint("a", ready=False, serving=True, terminating=True)])
    assert found(old, new) == []
    assert found(new, old) == []


def test_the_same_name_with_another_uid_is_another_pod() -> None:
    entries = [endpoint("a", uid="1", ready=False, terminating=True), endpoint("a", uid="2", ready=True)]
    assert found(endpoint_slice("s", entries)) == [("a", 8080)]


def test_slices_without_ports_mean_every_port() -> None:
    piece = endpoint_slice("s", [endpoint("a")])
    piece["ports"] = None
    assert found(piece) == [("a", 80)]
    piece["ports"] = [{"name": "http", "protocol": "TCP"}]
    assert found(piece) == [("a", 80)]
    piece["ports"] = []
    assert found(piece) == []


def test_udp_of_the_same_name_is_not_it() -> None:
    assert found(endpoint_slice("s", [endpoint("a")], ports=[{"name": "http", "port": 1, "protocol": "UDP"}])) == []


def test_what_is_no_pod_is_ignored_with_the_reason() -> None:
    entries = [{"addresses": ["1.2.3.4"]}, {"addresses": ["1.2.3.5"], "conditions": {"ready": False}}]
    piece = endpoint_slice("s", entries)
    assert found(piece) == []
    assert not_pods([EndpointSlice.from_json(piece)]) == ("1.2.3.4",)
