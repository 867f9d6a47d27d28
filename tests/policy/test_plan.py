"""What a service becomes on the laptop."""

from __future__ import annotations

from typing import Any

import pytest

from fairlead.model.named import GroupKey, OwnServer
from fairlead.model.objects import EndpointSlice, Service
from fairlead.policy.plan import Kind, Locals, NamedPort, ServicePlan, plan
from tests.support.objects import endpoint, endpoint_slice

HTTP = {"name": "http", "port": 80, "targetPort": 8080}
KEY = GroupKey("ctx", "shop", "web")


def service(*ports: dict[str, Any], **spec: Any) -> Service:
    body = {"clusterIP": "10.0.0.1", "selector": {"app": "web"}, "ports": list(ports), **spec}
    return Service.from_json({"metadata": {"namespace": "shop", "name": "web"}, "spec": body})


def planned(
    found: Service,
    *slices: dict[str, Any],
    number: dict[int, int] | None = None,
    own: dict[int, int] | None = None,
    behind: bool = False,
) -> ServicePlan:
    wishes = Locals(lambda port: (number or {}).get(port, port), lambda port: (own or {}).get(port, 0))
    return plan("ctx", found, map(EndpointSlice.from_json, slices), wishes, behind=behind)


def where(port: NamedPort) -> tuple[int, list[str]]:
    return port.number, [f"{backend.pod.name}:{backend.port}" for backend in port.backends]


def test_a_service_is_one_group_with_its_ready_pods() -> None:
    pods = [endpoint("b"), endpoint("a"), endpoint("c", ready=False), endpoint("d", ready=True, terminating=True)]
    found = planned(service(HTTP), endpoint_slice("s", pods))
    assert [(group.key, group.kind) for group in found.groups] == [(KEY, Kind.SERVICE)]
    assert [where(port) for port in found.groups[0].ports] == [(80, ["a:8080", "b:8080"])]
    assert found.unserved == ()


def test_without_pods_it_listens_all_the_same() -> None:
    found = planned(service(HTTP))
    assert [where(port) for port in found.groups[0].ports] == [(80, [])]


def test_a_named_target_port_differs_between_pods() -> None:
    new = endpoint_slice("n", [endpoint("b")], ports=[{"name": "http", "port": 9090, "protocol": "TCP"}])
    found = planned(service({**HTTP, "targetPort": "web"}), endpoint_slice("o", [endpoint("a")]), new)
    assert where(found.groups[0].ports[0]) == (80, ["a:8080", "b:9090"])


def test_a_name_that_no_container_has_is_told_and_has_no_listener() -> None:
    piece = endpoint_slice("s", [endpoint("a")])
    piece["ports"] = None
    found = planned(service({**HTTP, "targetPort": "nope"}), piece)
    assert found.groups == ()
    assert [(each.port, each.relay) for each in found.unserved] == [("80", False)]
    assert "nope" in found.unserved[0].reason


@pytest.mark.parametrize(("name", "behind"), [("web", True), ("old", False)])
def test_slices_of_the_service_as_it_was_do_not_say_what_containers_have(name: str, behind: bool) -> None:
    """A moment ago the port was added, or renamed: it listens, and waits for the slices that know it."""
    old = endpoint_slice("s", [endpoint("a")], ports=[{"name": name, "port": 8080, "protocol": "TCP"}])
    ports = [{**HTTP, "name": "web"}] if name == "web" else []
    found = planned(service(*ports, {**HTTP, "port": 81, "name": "new", "targetPort": "nope"}), old, behind=behind)
    assert where(found.groups[0].ports[-1]) == (81, [])
    assert found.unserved == ()


def test_a_local_number_changes_the_local_side_only() -> None:
    found = planned(service(HTTP), endpoint_slice("s", [endpoint("a")]), number={80: 18080})
    assert found.groups[0].ports[0][:2] == (18080, 80)
    assert where(found.groups[0].ports[0]) == (18080, ["a:8080"])


def test_a_port_that_was_mapped_has_its_number_before_one_that_has_it_by_itself() -> None:
    ports = [{"name": "alt", "port": 8080}, {**HTTP, "name": "web"}]
    for order in (ports, ports[::-1]):
        found = planned(service(*order), number={80: 8080})
        assert [port[:2] for port in found.groups[0].ports] == [(8080, 80)]
        assert [(each.port, each.reason) for each in found.unserved] == [
            ("8080", "local port 8080 is that of port 80 already")
        ]


def test_two_ports_on_one_local_number_are_one_listener() -> None:
    found = planned(service(HTTP, {"name": "b", "port": 81}), number={80: 9000, 81: 9000})
    assert [port[:2] for port in found.groups[0].ports] == [(9000, 80)]
    assert [(each.port, each.reason) for each in found.unserved] == [
        ("81", "local port 9000 is that of port 80 already")
    ]


def test_headless_has_a_group_for_itself_and_for_each_pod() -> None:
    pods = [endpoint("web-1"), endpoint("web-0"), endpoint("web-2", ready=False)]
    found = planned(service(HTTP, clusterIP="None"), endpoint_slice("s", pods))
    assert [(group.key.pod, group.kind) for group in found.groups] == [
        ("", Kind.HEADLESS),
        ("web-0", Kind.POD),
        ("web-1", Kind.POD),
        ("web-2", Kind.POD),
    ]
    # On the service's port and on the one that answers in the cluster.
    assert [[where(port) for port in group.ports] for group in found.groups] == [
        [(80, ["web-0:8080", "web-1:8080"]), (8080, ["web-0:8080", "web-1:8080"])],
        [(80, ["web-0:8080"]), (8080, ["web-0:8080"])],
        [(80, ["web-1:8080"]), (8080, ["web-1:8080"])],
        [(80, []), (8080, [])],
    ]


def test_a_service_port_wins_over_another_ports_target() -> None:
    other = {"name": "other", "port": 8080, "targetPort": 9999}
    ports = [{"name": "http", "port": 8080, "protocol": "TCP"}, {"name": "other", "port": 9999, "protocol": "TCP"}]
    found = planned(service(HTTP, other, clusterIP="None"), endpoint_slice("s", [endpoint("a")], ports=ports))
    assert [where(port) for port in found.groups[0].ports] == [(80, ["a:8080"]), (8080, ["a:9999"]), (9999, ["a:9999"])]


def test_a_pod_is_known_by_its_hostname_too() -> None:
    entry = {**endpoint("web-x7"), "hostname": "db"}
    same = {**endpoint("web-0"), "hostname": "web-0"}
    found = planned(service(HTTP, clusterIP="None"), endpoint_slice("s", [entry, same]))
    assert [(group.key.pod, group.hostname) for group in found.groups[1:]] == [("web-0", ""), ("web-x7", "db")]
    assert [group.lasting for group in found.groups] == [True, True, False], "the pod's name itself does not come back"


@pytest.mark.parametrize("protocol", ["UDP", "SCTP"])
def test_other_protocols_need_the_relay_and_tcp_goes_on(protocol: str) -> None:
    udp = {"name": "dns", "port": 80, "protocol": protocol}
    found = planned(service(udp, HTTP), endpoint_slice("s", [endpoint("a")]))
    assert where(found.groups[0].ports[0]) == (80, ["a:8080"])
    assert [(each.port, each.relay) for each in found.unserved] == [(f"80/{protocol}", True)]


def test_without_a_selector_there_are_no_pods() -> None:
    node: dict[str, Any] = {"addresses": ["10.1.2.3"], "conditions": {"ready": True}}
    found = planned(service(HTTP, selector=None), endpoint_slice("s", [node]))
    assert found.groups == ()
    assert [(each.port, each.relay) for each in found.unserved] == [("", True)]
    assert found.unserved[0].reason == "it has no selector, and its endpoints are no pods (10.1.2.3)"


def test_without_a_selector_but_with_pods_among_its_endpoints() -> None:
    found = planned(service(HTTP, selector=None), endpoint_slice("s", [endpoint("a")]))
    assert where(found.groups[0].ports[0]) == (80, ["a:8080"])


def test_an_external_name() -> None:
    found = planned(service(HTTP, type="ExternalName", externalName="db.example.com", selector=None))
    assert found.groups == ()
    assert found.unserved[0].reason == "it stands for db.example.com, outside the cluster"


def test_a_service_without_ports() -> None:
    found = planned(service(clusterIP="None"), endpoint_slice("s", [endpoint("a")]))
    assert found.groups == ()
    assert [(each.reason, each.relay) for each in found.unserved] == [("it declares no ports", False)]


def test_the_one_being_developed_leads_to_the_laptop() -> None:
    found = planned(service(HTTP, {"name": "m", "port": 81}), endpoint_slice("s", [endpoint("a")]), own={80: 3000})
    assert [(port.number, port.own) for port in found.groups[0].ports] == [(80, 3000), (81, 0)]


def test_also_one_that_stands_for_something_outside() -> None:
    found = planned(service(HTTP, type="ExternalName", externalName="db.example.com"), own={80: 3000})
    assert [(port.number, port.own) for port in found.groups[0].ports] == [(80, 3000)]
    assert found.unserved == ()


def test_the_affinity_of_the_service() -> None:
    assert planned(service(HTTP, sessionAffinity="ClientIP")).groups[0].affinity == 10800


@pytest.mark.parametrize(
    ("number", "own", "server", "ours", "leads_on"),
    [
        (8080, 3000, OwnServer.ABSENT, True, False),
        (8080, 3000, OwnServer.LOCALHOST, True, True),
        (8080, 3000, OwnServer.EVERYWHERE, True, True),
        (3000, 3000, OwnServer.ABSENT, False, False),
        (3000, 3000, OwnServer.LOCALHOST, True, True),
        (3000, 3000, OwnServer.EVERYWHERE, False, True),
    ],
)
def test_a_server_of_the_laptop_under_the_same_number_needs_room_on_all_addresses(
    number: int, own: int, server: OwnServer, ours: bool, leads_on: bool
) -> None:
    port = NamedPort(number, 80, own=own, server=server)
    assert (port.ours, port.leads_on) == (ours, leads_on)


def test_pods_lead_on_if_one_is_ready() -> None:
    [group] = planned(service(HTTP), endpoint_slice("s", [endpoint("a", ready=False)])).groups
    assert (group.ports[0].ours, group.ports[0].leads_on) == (True, False)
    [group] = planned(service(HTTP), endpoint_slice("s", [endpoint("a")])).groups
    assert (group.ports[0].ours, group.ports[0].leads_on) == (True, True)


def test_one_service_has_no_more_listeners_than_it_may_have() -> None:
    """Its own name comes first, then its pods."""
    many = [{"name": f"p{number}", "port": number, "targetPort": number} for number in (81, 82)]
    pieces = endpoint_slice(
        "s",
        [endpoint(name) for name in "abc"],
        ports=[{"name": f"p{number}", "port": number, "protocol": "TCP"} for number in (81, 82)],
    )
    found = service(*many, clusterIP="None")
    wishes = Locals(most=5)
    cut = plan("ctx", found, [EndpointSlice.from_json(pieces)], wishes)
    assert [(group.key.pod, len(group.ports)) for group in cut.groups] == [("", 2), ("a", 2), ("b", 1)]
    [unserved] = cut.unserved
    assert unserved.reason == "it has more than 5 ports, on all addresses together, and the rest is left out"
    whole = plan("ctx", found, [EndpointSlice.from_json(pieces)], wishes._replace(most=8))
    assert (len(whole.groups), whole.unserved) == (4, ())
