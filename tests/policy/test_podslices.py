"""Slices made of pods are planned with as the controller's own."""

from __future__ import annotations

from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.model.named import GroupKey
from fairlead.model.objects import Pod, Service
from fairlead.policy.plan import Locals, plan
from fairlead.policy.podslices import PodSlices
from tests.support.objects import pod, service


def made(*pods: dict[str, Any], **spec: Any) -> list[tuple[GroupKey, int, list[str]]]:
    found = Service.from_json(service(**spec))
    planned = plan("c", found, slices_of(found, pods), Locals())
    return [
        (group.key, port.number, [f"{backend.pod.name}:{backend.port}" for backend in port.backends])
        for group in planned.groups
        for port in group.ports
    ]


def slices_of(found: Service, pods: Any) -> Any:
    slices = PodSlices()
    for each in pods:
        slices.change_pod(None, Pod.from_json(each))
    return slices.of(found)


WEB = GroupKey("c", "ns", "web")


def test_ready_pods_with_their_own_numbers() -> None:
    pods = [pod("a"), pod("b", ports=(("http", 9090),)), pod("c", ready=False), pod("d", deleting=True)]
    assert made(*pods) == [(WEB, 80, ["a:8080", "b:9090"])]


def test_only_those_that_it_selects() -> None:
    labels = {"app": "web", "tier": "x"}
    assert made(pod("a", labels=labels), pod("b", labels={"app": "api"})) == [(WEB, 80, ["a:8080"])]
    assert made(pod("a", labels=labels), selector={"app": "web", "tier": "y"}) == [(WEB, 80, [])]
    elsewhere = pod("a", labels=labels)
    elsewhere["metadata"]["namespace"] = "other"
    assert made(elsewhere) == [(WEB, 80, [])]


@pytest.mark.parametrize("target", [8081, None])
def test_a_number_needs_no_name_in_the_pod(target: int | None) -> None:
    port = {"name": "http", "port": 80, "protocol": "TCP", **({"targetPort": target} if target else {})}
    assert made(pod("a", ports=()), ports=(port,)) == [(WEB, 80, [f"a:{target or 80}"])]


def test_a_completed_pod_is_ignored() -> None:
    assert made(pod("a", phase="Succeeded")) == [(WEB, 80, [])]


def test_unready_pods_of_a_service_that_publishes_them() -> None:
    assert made(pod("a", ready=False), publishNotReadyAddresses=True) == [(WEB, 80, ["a:8080"])]


def test_a_headless_service_knows_the_hostnames() -> None:
    stateful = pod("web-0")
    stateful["spec"] |= {"hostname": "zero", "subdomain": "web"}
    found = Service.from_json(service(clusterIP="None"))
    groups = plan("c", found, slices_of(found, [stateful]), Locals()).groups
    assert [(group.key.pod, group.hostname) for group in groups] == [("", ""), ("web-0", "zero")]


LABELS = st.dictionaries(st.sampled_from("ab"), st.sampled_from("xy"))
STEPS = st.lists(st.tuples(st.booleans(), st.sampled_from("123"), st.none() | LABELS), max_size=30)


@given(STEPS)
def test_they_are_found_as_if_all_were_looked_at(steps: list[tuple[bool, str, dict[str, str] | None]]) -> None:
    slices, pods, services = PodSlices(), dict[str, Pod](), dict[str, Service]()
    for is_pod, name, labels in steps:
        if is_pod:
            old, new = pods.pop(name, None), None if labels is None else Pod.from_json(pod(name, labels=labels))
            touched = slices.change_pod(old, new)
            wanted = {each.name for each in services.values() if behind(each, old) or behind(each, new)}
            assert {each.name for each in touched} == wanted
            pods.update({name: new} if new else {})
        else:
            gone = services.pop(name, None)
            body = service(name)
            body["spec"]["selector"] = labels
            come = None if labels is None else Service.from_json(body)
            slices.change_service(gone, come)
            services.update({name: come} if come else {})
    for each in services.values():
        found = {entry.pod.name for piece in slices.of(each) for entry in piece.endpoints if entry.pod}
        assert found == {one.name for one in pods.values() if behind(each, one)}


def behind(found: Service, one: Pod | None) -> bool:
    if one is None or found.selector is None:
        return False
    return {(term.key, term.values[0]) for term in found.selector.requirements} <= one.labels


def test_a_thousand_services_over_three_thousand_pods() -> None:
    """Also where all have a label in common."""
    slices = PodSlices()
    services = [Service.from_json(service(f"s{at}", selector={"all": "x", "app": f"{at}"})) for at in range(1000)]
    pods = [Pod.from_json(pod(f"p{at}", labels={"all": "x", "app": f"{at % 1000}"})) for at in range(3000)]
    began = process_time()
    for each in services:
        slices.change_service(None, each)
    for one in pods:
        assert len(slices.change_pod(None, one)) == 1
    assert all(len(slices.of(each)[0].endpoints) == 3 for each in services)
    assert process_time() - began < 1


def test_endpoints_have_their_pods_addresses() -> None:
    value = pod("a")
    value["status"]["podIPs"] = [{"ip": "10.1.0.1"}, {"ip": "fd00::1"}]
    found = Service.from_json(service())
    [piece] = slices_of(found, [value])
    assert piece.endpoints[0].addresses == ("10.1.0.1", "fd00::1")
