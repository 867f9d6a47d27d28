"""The addresses of services, and what a service keeps."""

from __future__ import annotations

from ipaddress import IPv4Network, ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.lab.registry.addresses import NODE_PORTS, SERVICE_NETWORK, Addresses
from fairlead.lab.registry.kinds import SERVICE
from fairlead.lab.registry.patching import MERGE
from fairlead.lab.registry.status import ApiStatusError
from fairlead.lab.registry.store import Object
from tests.support.lab_registry import Cluster, refused


def service(cluster: Cluster, name: str = "s", **spec: Any) -> Object:
    return cluster.make(SERVICE, name, spec={"ports": [{"port": 80}], "selector": {"a": "b"}, **spec})


def changed(cluster: Cluster, **spec: Any) -> Object:
    found: Object = cluster.patch(SERVICE, "ns", "s", MERGE, {"spec": spec})["spec"]
    return found


def test_every_service_has_an_address_of_its_own() -> None:
    cluster = Cluster()
    found = [service(cluster, f"s{number}")["spec"] for number in range(50)]
    assert len({spec["clusterIP"] for spec in found}) == 50
    for spec in found:
        assert ip_address(spec["clusterIP"]) in SERVICE_NETWORK
        assert spec["clusterIPs"] == [spec["clusterIP"]]
        assert (spec["ipFamilies"], spec["ipFamilyPolicy"]) == (["IPv4"], "SingleStack")


@given(st.integers(0, 1000))
def test_all_of_a_network_can_be_given_out_but_no_more(start: int) -> None:
    taken: list[Object] = []
    addresses = Addresses(lambda: iter(taken), lambda below: start % below, IPv4Network("10.0.0.0/27"))

    def another() -> Object:
        value = {"metadata": {"namespace": "ns", "name": f"s{len(taken)}"}, "spec": {"type": "ClusterIP", "ports": []}}
        addresses.give(value)
        return value

    for _ in range(32 - 2 - 16):
        value = another()
        taken.append(value)
    assert len({value["spec"]["clusterIP"] for value in taken}) == len(taken)
    with pytest.raises(ApiStatusError, match="range is full"):
        another()


def test_an_address_that_is_asked_for() -> None:
    cluster = Cluster()
    assert service(cluster, clusterIP="10.96.0.10")["spec"]["clusterIPs"] == ["10.96.0.10"]
    with refused(422, "Invalid") as error:
        service(cluster, "t", clusterIP="10.96.0.10")
    assert error.message == (
        'Service "t" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: '
        "provided IP is already allocated"
    )
    with refused(422, "Invalid") as error:
        service(cluster, "t", clusterIP="1.2.3.4")
    assert error.message.endswith(
        "failed to allocate IP 1.2.3.4: the provided IP (1.2.3.4) is not in the valid range. The range of valid IPs is "
        "10.96.0.0/20"
    )
    with refused(422, "Invalid") as error:
        service(cluster, "t", clusterIP="x")
    assert 'spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address' in error.message
    cluster.delete(SERVICE, "ns", "s")
    assert service(cluster, "t", clusterIP="10.96.0.10")


def test_services_without_an_address() -> None:
    cluster = Cluster()
    spec = service(cluster, clusterIP="None")["spec"]
    assert (spec["clusterIP"], spec["clusterIPs"], spec["ipFamilies"]) == ("None", ["None"], ["IPv4"])
    spec = cluster.make(SERVICE, "open", spec={"clusterIP": "None"})["spec"]
    assert (spec["ipFamilies"], spec["ipFamilyPolicy"]) == (["IPv4", "IPv6"], "RequireDualStack")
    spec = cluster.make(SERVICE, "alias", spec={"type": "ExternalName", "externalName": "x.io"})["spec"]
    assert spec.keys() == {"type", "externalName", "sessionAffinity"}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"ipFamilyPolicy": "RequireDualStack"}, "this cluster is not configured for dual-stack services"),
        ({"ipFamilies": ["IPv6"]}, 'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster'),
        ({"ipFamilies": ["IPv4", "IPv6"]}, "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families"),
    ],
)
def test_families_that_the_lab_has_not(spec: Object, message: str) -> None:
    with refused(422, "Invalid") as error:
        service(Cluster(), **spec)
    assert message in error.message


def test_ports_of_the_node() -> None:
    cluster = Cluster()
    ports = [{"port": 53, "name": "a", "protocol": "UDP"}, {"port": 53, "name": "b"}, {"port": 80, "name": "c"}]
    found = service(cluster, type="NodePort", ports=ports)["spec"]["ports"]
    numbers = [port["nodePort"] for port in found]
    assert all(number in NODE_PORTS for number in numbers)
    assert numbers[0] == numbers[1] != numbers[2]
    with refused(422, "Invalid") as error:
        service(cluster, "t", type="NodePort", ports=[{"port": 1, "nodePort": numbers[2]}])
    assert error.message == (
        f'Service "t" is invalid: spec.ports[0].nodePort: Invalid value: {numbers[2]}: provided port is already '
        "allocated"
    )
    with refused(422, "Invalid") as error:
        service(cluster, "t", type="NodePort", ports=[{"port": 1, "nodePort": 80}])
    assert "provided port is not in the valid range. The range of valid ports is 30000-32767" in error.message
    spec = service(cluster, "lb", type="LoadBalancer", allocateLoadBalancerNodePorts=False)["spec"]
    assert "nodePort" not in spec["ports"][0]


def test_what_a_replaced_service_keeps() -> None:
    cluster = Cluster()
    before = service(cluster, type="NodePort")["spec"]
    sent = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}], "selector": {"a": "b"}, "type": "NodePort"}}
    assert cluster.replace(SERVICE, "ns", "s", sent)["spec"] == before
    assert changed(cluster, type="NodePort", ports=[{"port": 80, "nodePort": 30001}])["ports"][0]["nodePort"] == 30001
    for change in ({"clusterIP": "10.96.0.77"}, {"clusterIP": "10.96.0.77", "clusterIPs": ["10.96.0.77"]}):
        with refused(422, "Invalid") as error:
            changed(cluster, **change)
        assert error.message == (
            'Service "s" is invalid: spec.clusterIPs[0]: Invalid value: ["10.96.0.77"]: may not change once set'
        )
    with refused(422, "Invalid") as error:
        changed(cluster, clusterIPs=["10.96.0.77"])
    assert "first value must match `clusterIP`" in error.message
    assert changed(cluster, clusterIP="")["clusterIP"] == before["clusterIP"]


def test_only_a_load_balancer_has_an_address_outside() -> None:
    cluster = Cluster()
    service(cluster)
    patch = {"status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}}
    with refused(422, "Invalid") as error:
        cluster.patch(SERVICE, "ns", "s", MERGE, patch, subresource="status")
    assert error.message == (
        'Service "s" is invalid: status.loadBalancer.ingress: Forbidden: '
        "may only be used when `spec.type` is 'LoadBalancer'"
    )
    changed(cluster, type="LoadBalancer")
    assert cluster.patch(SERVICE, "ns", "s", MERGE, patch, subresource="status")["status"] == patch["status"]


def test_a_service_of_another_type() -> None:
    cluster = Cluster()
    before = service(cluster)["spec"]
    spec = changed(cluster, type="NodePort")
    assert spec["clusterIP"] == before["clusterIP"]
    assert spec["ports"][0]["nodePort"] in NODE_PORTS
    assert spec["externalTrafficPolicy"] == "Cluster"
    assert changed(cluster, type="LoadBalancer")["ports"] == spec["ports"]
    assert changed(cluster, type="ClusterIP") == before
    spec = changed(
        cluster, type="ExternalName", externalName="x.io", ports=None, selector=None, internalTrafficPolicy=None
    )
    assert spec.keys() == {"type", "externalName", "sessionAffinity"}
    spec = changed(cluster, type="ClusterIP", externalName=None, ports=[{"port": 80}])
    assert ip_address(spec["clusterIP"]) in SERVICE_NETWORK
