"""Slices made of pods are planned with as the controller's own."""

from __future__ import annotations

from typing import Any

import pytest

from fairlead.model.named import GroupKey
from fairlead.model.objects import Pod, Service
from fairlead.policy.plan import Locals, plan
from fairlead.policy.podslices import selects, slices_of
from tests.support.objects import pod, service


def made(*pods: dict[str, Any], **spec: Any) -> list[tuple[GroupKey, int, list[str]]]:
    found = Service.from_json(service(**spec))
    planned = plan("c", found, slices_of(found, map(Pod.from_json, pods)), Locals())
    return [
        (group.key, port.number, [f"{backend.pod.name}:{backend.port}" for backend in port.backends])
        for group in planned.groups
        for port in group.ports
    ]


WEB = GroupKey("c", "ns", "web")


def test_ready_pods_with_their_own_numbers() -> None:
    pods = [pod("a"), pod("b", ports=(("http", 9090),)), pod("c", ready=False), pod("d", deleting=True)]
    assert made(*pods) == [(WEB, 80, ["a:8080", "b:9090"])]


def test_only_those_that_it_selects() -> None:
    other = Pod.from_json(pod("a", labels={"app": "web", "tier": "x"}))
    assert selects(Service.from_json(service()), other)
    assert not selects(Service.from_json(service(selector={"app": "web", "tier": "y"})), other)
    assert not selects(Service.from_json(service(selector={"app": "api"})), other)


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
    groups = plan("c", found, slices_of(found, [Pod.from_json(stateful)]), Locals()).groups
    assert [(group.key.pod, group.hostname) for group in groups] == [("", ""), ("web-0", "zero")]
