from __future__ import annotations

from typing import Any

import pytest

from fairlead.model.objects import EndpointSlice, Pod, Service
from fairlead.model.target import Backend, PodRef, TargetPort
from fairlead.policy.candidates import Moved, compare, nothing_runs, of_named, of_pods, of_service, state
from fairlead.policy.ports import resolve
from fairlead.policy.portspec import parse_port
from tests.support import objects


def pod(name: str, **fields: Any) -> Pod:
    return Pod.from_json(objects.pod(name, **fields))


def port(word: str = "http", service: Service | None = None) -> TargetPort:
    return resolve([parse_port(word)], pod("first"), service)[0]


def shown(backends: tuple[Backend, ...]) -> list[str]:
    return [f"{each.pod.name}:{each.port}" + ("?" if each.fallback else "") for each in backends]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ["a:8080"]),
        ({"ready": False}, ["a:8080"]),
        ({"deleting": True}, ["a:8080"]),
        ({"phase": "Pending"}, []),
        ({"phase": "Failed"}, []),
        ({"phase": "Unknown"}, []),
        ({"ports": ()}, []),
    ],
)
def test_a_named_pod_needs_to_run_not_to_be_ready(fields: dict[str, Any], expected: list[str]) -> None:
    assert shown(of_named(pod("a", **fields), port())) == expected


def test_a_named_pod_that_is_not_there() -> None:
    assert of_named(None, port()) == ()


def test_pods_that_are_ready_and_have_the_port_are_used() -> None:
    pods = [
        pod("a"),
        pod("b", ready=False),
        pod("c", deleting=True),
        pod("d", phase="Pending"),
        pod("e", ports=(("http", 9090),)),
        pod("f", ports=()),
    ]
    assert shown(of_pods(pods, port())) == ["a:8080", "e:9090"]


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        ([pod("a", ready=False)], ["a:8080?"]),
        ([pod("a", phase="Pending"), pod("b", ready=False)], ["b:8080?"]),
        # as kubectl: ready and going is better than not ready
        ([pod("a", ready=False), pod("b", deleting=True)], ["b:8080?"]),
        ([pod("a", phase="Succeeded")], []),
        ([pod("a", ready=False, ports=())], []),
        ([], []),
    ],
)
def test_if_none_is_ready_the_one_that_kubectl_takes(pods: list[Pod], expected: list[str]) -> None:
    assert shown(of_pods(pods, port())) == expected


SERVICE = Service.from_json(objects.service())
HTTP = port("80", SERVICE)


def slices(*endpoints: dict[str, Any], **fields: Any) -> list[EndpointSlice]:
    return [EndpointSlice.from_json(objects.endpoint_slice("s", endpoints, **fields))]


def test_slices_name_the_ready_pods_and_their_ports() -> None:
    pods = [pod("a"), pod("b"), pod("c")]
    ports = [{"name": "http", "port": 9999, "protocol": "TCP"}]
    found = of_service(pods, HTTP, SERVICE, slices(objects.endpoint("a"), objects.endpoint("b"), ports=ports))
    assert shown(found) == ["a:9999", "b:9999"]


def test_pods_tell_of_their_end_before_the_slices_do() -> None:
    pods = [pod("a", deleting=True), pod("b"), pod("c", phase="Failed")]
    assert shown(of_service(pods, HTTP, SERVICE, slices(*map(objects.endpoint, "abc")))) == ["b:8080"]


def test_slices_may_be_ahead_of_the_pods() -> None:
    assert shown(of_service([], HTTP, SERVICE, slices(objects.endpoint("new")))) == ["new:8080"]


@pytest.mark.parametrize("pieces", [None, [], slices(objects.endpoint("a", ready=False))])
def test_without_slices_that_know_of_one_the_pods_count(pieces: list[EndpointSlice] | None) -> None:
    assert shown(of_service([pod("a"), pod("b", ready=False)], HTTP, SERVICE, pieces)) == ["a:8080"]
    assert shown(of_service([pod("b", ready=False)], HTTP, SERVICE, pieces)) == ["b:8080?"]


def test_a_headless_service_keeps_its_number() -> None:
    headless = Service.from_json(objects.service(clusterIP="None"))
    found = of_service([pod("a")], port("80", headless), headless, slices(objects.endpoint("a")))
    assert shown(found) == ["a:80"]


def test_a_port_that_the_service_has_no_more() -> None:
    assert of_service([pod("a")], HTTP, Service.from_json(objects.service(ports=())), None) == ()


def test_pods_are_new_left_or_gone() -> None:
    a, b, c, d = (PodRef("ns", name, f"uid-{name}") for name in "abcd")
    now = [pod("a"), pod("b", deleting=True), pod("d")]
    moved = compare([a, b, c], [a, d], [a, b, c], now, {c.uid: "relabelled"})
    assert moved == Moved(new=(d,), left=((b, "terminating"),), gone=((c, "relabelled"),))
    assert not compare([a], [a], [a], [pod("a")], {})


def test_a_pod_that_is_no_candidate_any_more_is_told_when_it_is_gone() -> None:
    a, b = (PodRef("ns", name, f"uid-{name}") for name in "ab")
    assert compare([a], [a], [a, b], [pod("a")], {}).gone == ((b, "deleted"),)
    assert compare([a], [a], [a, b], [pod("a"), pod("b", phase="Failed")], {}).gone == ((b, "Failed"),)


def test_the_same_name_with_another_uid_moved() -> None:
    old, new = PodRef("ns", "a", "1"), PodRef("ns", "a", "2")
    assert compare([old], [new], [old], [pod("a", uid="2")], {}) == Moved(new=(new,), gone=((old, "deleted"),))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"ready": False}, "not ready"),
        ({"deleting": True}, "terminating"),
        ({"phase": "Pending"}, "Pending"),
        ({"phase": ""}, "not started"),
        ({"phase": "Succeeded"}, "Succeeded"),
        ({"phase": "Succeeded", "deleting": True}, "deleted"),
        ({}, "not among the endpoints"),
    ],
)
def test_why_a_pod_is_not_used(fields: dict[str, Any], expected: str) -> None:
    assert state(pod("a", **fields)) == expected


def test_the_reason_why_nothing_runs_is_that_of_its_pods() -> None:
    waiting = objects.pod("a", phase="Pending")
    waiting["status"]["containerStatuses"] = [{"state": {"waiting": {"reason": "ImagePullBackOff"}}}]
    stuck = Pod.from_json(waiting)
    assert nothing_runs("deploy/web", "app=web", [], port()) == "no pod matches app=web (scaled to 0?)"
    assert nothing_runs("pod/a", "", [], port()) == "pod/a does not exist"
    assert nothing_runs("deploy/web", "app=web", [stuck], port()) == "pod a is Pending (ImagePullBackOff)"
    assert nothing_runs("svc/web", "app=web", [stuck, stuck], port()).endswith(", and 1 more like it")
    over = pod("a", phase="Succeeded", deleting=True)
    assert nothing_runs("deploy/web", "app=web", [over], port()) == "no pod matches app=web (scaled to 0?)"
    assert nothing_runs("deploy/web", "app=web", [over, stuck], port()) == "pod a is Pending (ImagePullBackOff)"
    assert nothing_runs("pod/a", "", [over], port()) == "pod a is deleted"
    assert nothing_runs("svc/web", "app=web", [pod("a", ports=())], port()) == "no pod of svc/web has a port http"
