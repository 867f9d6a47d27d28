"""The rules for services: which endpoints there are, and what nft is told of them."""

from __future__ import annotations

from typing import Any

import pytest

from fairlead.lab.node.backends import Endpoint, ServicePort, service_ports
from fairlead.lab.node.services import NOTHING, ruleset

A, B = Endpoint("10.244.0.2", 8080), Endpoint("10.244.0.3", 8080)


def service(name: str = "web", address: str = "10.96.0.20", **spec: Any) -> dict[str, Any]:
    ports = [{"port": 80, "protocol": "TCP"}]
    return {"metadata": {"namespace": "default", "name": name}, "spec": {"clusterIP": address, "ports": ports, **spec}}


def slice_of(
    name: str = "web", *ends: dict[str, Any], port: int = 8080, label: str = "", protocol: str = "TCP"
) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "default", "name": f"{name}-x", "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "ports": [{"name": label, "protocol": protocol, "port": port}],
        "endpoints": list(ends),
    }


def end(address: str, **conditions: bool) -> dict[str, Any]:
    return {"addresses": [address], "conditions": conditions}


def endpoints(*slices: dict[str, Any], **spec: Any) -> tuple[Endpoint, ...]:
    [port] = service_ports([service(**spec)], slices)
    return port.endpoints


def test_ready_endpoints_of_all_slices() -> None:
    first = slice_of("web", end("10.244.0.3", ready=True), end("10.244.0.4", ready=False))
    assert endpoints(first, slice_of("web", end("10.244.0.2"))) == (A, B)
    assert endpoints(slice_of("other", end("10.244.0.2"))) == ()


def test_where_none_is_ready_those_that_end_and_still_serve() -> None:
    ending = end("10.244.0.2", ready=False, serving=True, terminating=True)
    assert endpoints(slice_of("web", ending, end("10.244.0.9", ready=False, serving=False))) == (A,)
    assert endpoints(slice_of("web", ending, end("10.244.0.3", ready=True))) == (B,)


def test_ports_are_found_by_name_and_protocol() -> None:
    ports = [{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53, "protocol": "TCP"}]
    slices = [
        slice_of("web", end("10.244.0.2"), port=5353, label="dns", protocol="UDP"),
        slice_of("web", end("10.244.0.3"), port=5454, label="dns-tcp"),
    ]
    found = service_ports([service(ports=ports)], slices)
    assert [(each.protocol, each.endpoints) for each in found] == [
        ("tcp", (Endpoint("10.244.0.3", 5454),)),
        ("udp", (Endpoint("10.244.0.2", 5353),)),
    ]


@pytest.mark.parametrize(
    "spec", [{"address": "None"}, {"address": ""}, {"type": "ExternalName"}, {"address": "fd00::1"}]
)
def test_services_without_an_address_here_have_no_rules(spec: dict[str, Any]) -> None:
    assert service_ports([service(**spec)], [slice_of("web", end("10.244.0.2"))]) == []


def test_affinity_lasts_three_hours_unless_said() -> None:
    [port] = service_ports([service(sessionAffinity="ClientIP")], [])
    assert port.affinity == 10_800
    config = {"clientIP": {"timeoutSeconds": 60}}
    [port] = service_ports([service(sessionAffinity="ClientIP", sessionAffinityConfig=config)], [])
    assert port.affinity == 60


def port(*ends: Endpoint, affinity: int = 0, node_port: int = 0, protocol: str = "tcp") -> ServicePort:
    return ServicePort("default/web", protocol, "10.96.0.20", 80, node_port, affinity, ends)


def test_one_endpoint_and_several() -> None:
    other = port(A)._replace(service="default/api", address="10.96.0.21")
    lines = ruleset([port(A, B), other]).text.splitlines()
    key = "ip daddr . meta l4proto . th dport"
    where = [
        "10.96.0.20 . tcp . 80 . 0 : 10.244.0.2 . 8080",
        "10.96.0.20 . tcp . 80 . 1 : 10.244.0.3 . 8080",
        "10.96.0.21 . tcp . 80 . 0 : 10.244.0.2 . 8080",
    ]
    assert [
        line.removeprefix("add rule ip fairlead_lab services ") for line in lines if "rule ip fairlead_lab ser" in line
    ] == [
        f"{key} {{ 10.96.0.20 . tcp . 80 }} meta mark set numgen random mod 2",
        f"meta l4proto {{ tcp, udp }} dnat ip to {key} . meta mark map {{ {', '.join(where)} }}",
    ]


def test_a_pod_that_reaches_itself_is_masked() -> None:
    pairs = "{ 10.244.0.2 . 10.244.0.2, 10.244.0.3 . 10.244.0.3 } masquerade"
    assert f"ip saddr . ip daddr {pairs}" in ruleset([port(B, A)]).text
    assert "masquerade" not in ruleset([port()]).text


def test_what_has_no_endpoints_is_left_to_be_refused() -> None:
    text = ruleset([port()]).text
    assert "10.96.0.20" not in text
    assert "forward ip daddr 10.96.0.0/12 jump refuse" in text


def test_node_ports_are_those_of_every_address_of_the_node() -> None:
    rule = "dnat ip to meta l4proto . th dport . meta mark map { tcp . 30080 . 0 : 10.244.0.2 . 8080 }"
    assert f"services fib daddr type local meta l4proto {{ tcp, udp }} {rule}" in (
        ruleset([port(A, node_port=30080)]).text
    )
    sticky = "services fib daddr type local meta l4proto . th dport vmap { tcp . 30080 : goto svc.default/web/tcp/80 }"
    assert sticky in ruleset([port(A, node_port=30080, affinity=60)]).text


def test_what_is_gone_is_deleted_and_what_clients_had_stays() -> None:
    first = ruleset([port(A, B, affinity=60)])
    assert first.sets == {
        "stay.default/web/tcp/80/60/10.244.0.2/8080",
        "stay.default/web/tcp/80/60/10.244.0.3/8080",
    }
    second = ruleset([port(A, affinity=60)], first)
    assert "delete set ip fairlead_lab stay.default/web/tcp/80/60/10.244.0.3/8080" in second.text
    assert "delete set ip fairlead_lab stay.default/web/tcp/80/60/10.244.0.2/8080" not in second.text
    assert "flush set" not in second.text
    assert "delete chain ip fairlead_lab svc.default/web/tcp/80/10.244.0.3/8080" in second.text
    last = ruleset([], second)
    assert last.sets == frozenset()
    assert last.chains == {"refuse"}


def test_the_same_services_have_the_same_rules_whatever_was_before() -> None:
    before = ruleset([port(A, B, affinity=60)])
    assert ruleset([port(A)], before).rules == ruleset([port(A)], NOTHING).rules


def test_a_client_is_looked_up_before_one_is_drawn() -> None:
    lines = ruleset([port(A, B, affinity=60, protocol="udp")]).text.splitlines()
    chain = [
        line.split(" ", 4)[4] for line in lines if line.startswith("add rule ip fairlead_lab svc.default/web/udp/80 ")
    ]
    assert [line.split()[1] for line in chain] == ["ip", "ip", "numgen"]
    assert "meta l4proto udp dnat to 10.244.0.3:8080" in "\n".join(lines)
