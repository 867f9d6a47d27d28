"""Endpoints and EndpointSlices of services, against what the pods say themselves."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.lab.controllers import endpoints, garbage, mirroring, slices
from fairlead.lab.controllers.slice_sets import Group, lay_out
from fairlead.lab.controllers.slices import MANAGED_BY, SERVICE_NAME
from fairlead.lab.controllers.steps import Create, Delete, Replace
from fairlead.lab.registry.kinds import ENDPOINT_SLICE, ENDPOINTS, NODE, POD, SERVICE
from fairlead.lab.registry.store import Object
from tests.support.labworld import START, World, namespace, one_node, set_spec

HTTP = {"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}


def world() -> World:
    made = World(endpoints.CONTROLLER, slices.CONTROLLER, mirroring.CONTROLLER, garbage.CONTROLLER)
    made.create(namespace())
    return made


def service(name: str = "web", **spec: Any) -> Object:
    whole = {"clusterIP": "10.96.0.7", "selector": {"app": "web"}, "ports": [HTTP], **spec}
    meta = {"name": name, "namespace": "ns", "labels": {"team": "a"}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": whole}


def pod(
    name: str,
    last: int = 2,
    *,
    ready: bool = True,
    leaving: bool = False,
    phase: str = "Running",
    port: int = 8080,
    **more: Any,
) -> Object:
    """As a store has it; ``last`` is the last part of its address, 0 for none."""
    meta: Object = {"name": name, "namespace": "ns", "uid": f"uid-{name}", "labels": {"app": "web"}}
    if leaving:
        meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    ports = [{"name": "http", "containerPort": port, "protocol": "TCP"}]
    condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": "2026-01-01T00:00:00Z"}
    addresses = {"podIP": f"10.244.0.{last}", "podIPs": [{"ip": f"10.244.0.{last}"}]} if last else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": {"nodeName": "n1", "containers": [{"name": "main", "image": "a", "ports": ports}], **more},
        "status": {"phase": phase, "conditions": [condition], **addresses},
    }


def put(made: World, *pods: Object) -> None:
    for each in pods:
        made.store.put(POD, each)
    made.settle()


def reference(name: str) -> Object:
    return {"kind": "Pod", "namespace": "ns", "name": name, "uid": f"uid-{name}"}


def subsets(made: World, name: str = "web") -> Any:
    return made.get(ENDPOINTS, name)["subsets"]


def only_slice(made: World) -> Object:
    (found,) = made.all(ENDPOINT_SLICE)
    return found


def test_a_service_without_pods_has_empty_ones() -> None:
    made = world()
    made.create(service())
    assert subsets(made) == []
    found = only_slice(made)
    assert (found.get("endpoints"), found.get("ports"), found["addressType"]) == (None, None, "IPv4")
    assert found["metadata"]["name"].startswith("web-")
    assert found["metadata"]["labels"] == {
        "team": "a", SERVICE_NAME: "web", MANAGED_BY: "endpointslice-controller.k8s.io",
    }  # fmt: skip
    assert found["metadata"]["ownerReferences"][0]["kind"] == "Service"
    labels = {"team": "a", "endpoints.kubernetes.io/managed-by": "endpoint-controller"}
    assert made.get(ENDPOINTS, "web")["metadata"]["labels"] == labels


def test_pods_that_are_ready_and_others() -> None:
    made = world()
    made.create(service())
    put(
        made,
        pod("b", 4),
        pod("a", 3, ready=False),
        pod("c", 5, leaving=True),
        pod("d", 6, phase="Succeeded"),
        pod("e", 0),
    )
    assert subsets(made) == [
        {
            "addresses": [{"ip": "10.244.0.4", "nodeName": "n1", "targetRef": reference("b")}],
            "notReadyAddresses": [{"ip": "10.244.0.3", "nodeName": "n1", "targetRef": reference("a")}],
            "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        }
    ]
    found = only_slice(made)
    assert found["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
    conditions = {each["targetRef"]["name"]: tuple(each["conditions"].values()) for each in found["endpoints"]}
    assert conditions == {"a": (False, False, False), "b": (True, True, False), "c": (False, True, True)}
    assert found["endpoints"][0] == {
        "addresses": ["10.244.0.3"],
        "conditions": {"ready": False, "serving": False, "terminating": False},
        "nodeName": "n1",
        "targetRef": reference("a"),
    }


def test_what_is_not_ready_may_be_published() -> None:
    made = world()
    made.create(service(publishNotReadyAddresses=True))
    put(made, pod("a", 2, ready=False), pod("b", 3, leaving=True))
    assert len(subsets(made)[0]["addresses"]) == 2
    found = {each["targetRef"]["name"]: each["conditions"] for each in only_slice(made)["endpoints"]}
    assert found == {
        "a": {"ready": True, "serving": False, "terminating": False},
        "b": {"ready": True, "serving": True, "terminating": True},
    }


def test_a_named_port_is_each_pods_own() -> None:
    made = world()
    second = {"name": "more", "port": 81, "targetPort": 9000, "protocol": "TCP", "appProtocol": "http"}
    made.create(service(ports=[HTTP, second]))
    put(made, pod("a", 2), pod("b", 3, port=9090), pod("c", 4), pod("none", 5, containers=[{"name": "main"}]))
    more = {"name": "more", "port": 9000, "protocol": "TCP", "appProtocol": "http"}
    expected = [
        ([{"name": "http", "port": 8080, "protocol": "TCP"}, more], ["a", "c"]),
        ([{"name": "http", "port": 9090, "protocol": "TCP"}, more], ["b"]),
        ([more], ["none"]),
    ]
    assert [
        (subset["ports"], [each["targetRef"]["name"] for each in subset["addresses"]]) for subset in subsets(made)
    ] == expected
    found = [
        (each["ports"], [endpoint["targetRef"]["name"] for endpoint in each["endpoints"]])
        for each in made.all(ENDPOINT_SLICE)
    ]
    assert sorted(found, key=lambda entry: entry[1]) == expected


def test_a_sidecar_has_ports_too() -> None:
    made = world()
    made.create(service())
    ports = [{"name": "http", "containerPort": 7000, "protocol": "TCP"}]
    sidecar = {"name": "proxy", "restartPolicy": "Always", "ports": ports}
    put(made, pod("a", containers=[{"name": "main"}], initContainers=[{"name": "init", "ports": ports}, sidecar]))
    assert subsets(made)[0]["ports"][0]["port"] == 7000


def test_headless_with_names_and_without_ports() -> None:
    made = world()
    made.create(service(clusterIP="None", ports=[]))
    put(made, pod("a", 2, hostname="first", subdomain="web"), pod("b", 3, hostname="second", subdomain="else"))
    (subset,) = subsets(made)
    assert "ports" not in subset
    assert [each.get("hostname") for each in subset["addresses"]] == ["first", None]
    found = only_slice(made)
    assert "ports" not in found
    assert [each.get("hostname") for each in found["endpoints"]] == ["first", None]
    for value in (found, made.get(ENDPOINTS, "web")):
        assert value["metadata"]["labels"]["service.kubernetes.io/headless"] == ""


def test_a_slice_keeps_its_name_and_its_order() -> None:
    made = world()
    made.create(service())
    put(made, *(pod(f"p{at}", at) for at in range(2, 6)))
    before = only_slice(made)
    put(made, pod("p3", 3, ready=False), pod("a", 9))
    made.store.drop(POD, "ns", "p2")
    made.settle()
    after = only_slice(made)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert [each["targetRef"]["name"] for each in after["endpoints"]] == ["p3", "p4", "p5", "a"]


def test_a_pod_that_changes_nothing_changes_nothing() -> None:
    made = world()
    made.create(service())
    put(made, pod("a"))
    revision = made.store.revision
    changed = pod("a")
    changed["metadata"]["annotations"] = {"x": "y"}
    put(made, changed)
    assert made.store.revision == revision + 1


def test_the_zone_of_the_node() -> None:
    made = world()
    node = one_node()
    node["metadata"]["labels"]["topology.kubernetes.io/zone"] = "z1"
    made.store.put(NODE, {**node, "metadata": {**node["metadata"], "uid": "n"}})
    made.create(service())
    put(made, pod("a"))
    assert only_slice(made)["endpoints"][0]["zone"] == "z1"


def test_deletion_and_labels() -> None:
    made = world()
    made.create(service())
    put(made, pod("a"))

    def relabel(value: Any) -> None:
        value["metadata"]["labels"] = {"team": "b"}

    made.change(SERVICE, "web", relabel)
    assert only_slice(made)["metadata"]["labels"]["team"] == "b"
    assert made.get(ENDPOINTS, "web")["metadata"]["labels"]["team"] == "b"
    made.rules.delete(ENDPOINTS, "ns", "web", {})
    made.rules.delete(ENDPOINT_SLICE, "ns", only_slice(made)["metadata"]["name"], {})
    made.settle()
    assert len(subsets(made)) == len(made.all(ENDPOINT_SLICE)) == 1
    made.delete(SERVICE, "web")
    assert made.all(ENDPOINTS) == made.all(ENDPOINT_SLICE) == []


def test_a_name_of_something_else_has_none() -> None:
    made = world()
    made.create(service(type="ExternalName", externalName="example.com", clusterIP=None))
    put(made, pod("a"))
    assert made.all(ENDPOINTS) == made.all(ENDPOINT_SLICE) == []


def test_beyond_a_thousand_the_rest_is_left_out() -> None:
    pods = [pod(f"p{at}", ready=at % 2 == 0) for at in range(1500)]
    for at, each in enumerate(pods):
        each["status"]["podIPs"] = [{"ip": f"10.244.{at // 250}.{at % 250 + 1}"}]
        each["status"]["podIP"] = each["status"]["podIPs"][0]["ip"]
    made = world()
    put(made, *pods)
    made.create(service())
    (subset,) = subsets(made)
    assert (len(subset["addresses"]), len(subset["notReadyAddresses"])) == (750, 250)
    assert made.get(ENDPOINTS, "web")["metadata"]["annotations"]["endpoints.kubernetes.io/over-capacity"] == "truncated"
    assert sorted(len(each["endpoints"]) for each in made.all(ENDPOINT_SLICE)) == [100] * 15


# Without a selector


def own_endpoints(**more: Any) -> Object:
    addresses = [{"ip": "192.0.2.1"}, {"ip": "2001:db8::1"}]
    ports = [{"name": "http", "port": 80, "protocol": "TCP"}]
    subset = {"addresses": addresses, "notReadyAddresses": [{"ip": "192.0.2.9", "hostname": "nine"}], "ports": ports}
    meta = {"name": "web", "namespace": "ns", "labels": {"of": "mine"}, **more}
    return {"apiVersion": "v1", "kind": "Endpoints", "metadata": meta, "subsets": [subset]}


def test_endpoints_of_a_user_are_mirrored() -> None:
    made = world()
    made.create(own_endpoints())
    assert len(made.all(ENDPOINTS)) == 1  # they may be there before their service
    assert made.all(ENDPOINT_SLICE) == []
    made.create(service(selector=None))
    found = {each["addressType"]: each for each in made.all(ENDPOINT_SLICE)}
    assert set(found) == {"IPv4", "IPv6"}
    assert found["IPv4"]["endpoints"] == [
        {"addresses": ["192.0.2.1"], "conditions": {"ready": True}},
        {"addresses": ["192.0.2.9"], "conditions": {"ready": False}, "hostname": "nine"},
    ]
    labels = {"of": "mine", SERVICE_NAME: "web", MANAGED_BY: "endpointslicemirroring-controller.k8s.io"}
    assert found["IPv6"]["metadata"]["labels"] == labels
    assert found["IPv6"]["metadata"]["ownerReferences"][0]["kind"] == "Endpoints"

    def shrink(value: Any) -> None:
        value["subsets"][0]["addresses"] = [{"ip": "192.0.2.1"}]

    made.change(ENDPOINTS, "web", shrink)
    assert only_slice(made)["metadata"]["uid"] == found["IPv4"]["metadata"]["uid"]
    made.delete(ENDPOINTS, "web")
    assert made.all(ENDPOINT_SLICE) == []


def test_endpoints_that_ask_for_it_are_not_mirrored() -> None:
    made = world()
    made.create(service(selector=None))
    made.create(own_endpoints(labels={"endpointslice.kubernetes.io/skip-mirror": "true"}))
    assert made.all(ENDPOINT_SLICE) == []


def test_a_selector_that_comes_and_goes() -> None:
    made = world()
    put(made, pod("a"))
    made.create(service(selector=None))
    made.create(own_endpoints())
    made.change(SERVICE, "web", set_spec(selector={"app": "web"}))
    assert [each["metadata"]["labels"][MANAGED_BY] for each in made.all(ENDPOINT_SLICE)] == [slices.BY]
    made.change(SERVICE, "web", set_spec(selector={}))
    assert [each["metadata"]["labels"][MANAGED_BY] for each in made.all(ENDPOINT_SLICE)] == [mirroring.BY]


# Against a direct computation

PODS = st.lists(
    st.builds(
        pod,
        st.sampled_from("abcdefgh"),
        st.integers(0, 5),
        ready=st.booleans(),
        leaving=st.booleans(),
        phase=st.sampled_from(["Running", "Running", "Pending", "Failed"]),
        port=st.sampled_from([80, 8080]),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(changes=PODS, published=st.booleans())
def test_slices_say_what_the_pods_say(changes: list[Object], published: bool) -> None:
    made = world()
    made.create(service(publishNotReadyAddresses=published))
    for change in changes:
        put(made, change)
        expected = set()
        for each in made.all(POD):
            status, meta = each["status"], each["metadata"]
            serving, leaving = status["conditions"][0]["status"] == "True", "deletionTimestamp" in meta
            if status["phase"] != "Failed" and "podIP" in status:
                number = each["spec"]["containers"][0]["ports"][0]["containerPort"]
                ready = published or (serving and not leaving)
                expected.add((meta["name"], status["podIP"], number, ready, serving, leaving))
        found = [
            (each["targetRef"]["name"], each["addresses"][0], piece["ports"][0]["port"], *each["conditions"].values())
            for piece in made.all(ENDPOINT_SLICE)
            for each in piece.get("endpoints", ())
        ]
        assert len(found) == len(set(found))
        assert set(found) == expected
        old = {
            (each["targetRef"]["name"], subset["ports"][0]["port"], kind == "addresses")
            for subset in subsets(made)
            for kind in ("addresses", "notReadyAddresses")
            for each in subset.get(kind, ())
        }
        assert old == {
            (name, number, published or serving)
            for name, _, number, _, serving, leaving in expected
            if published or not leaving
        }


def numbered(*numbers: int) -> list[Object]:
    return [{"addresses": [f"10.0.0.{number}"], "targetRef": {"uid": str(number)}} for number in numbers]


def piece(name: str, *numbers: int) -> Object:
    meta = {"name": name, "uid": name}
    return {"metadata": meta, "addressType": "IPv4", "endpoints": numbered(*numbers), "ports": None}


@pytest.mark.parametrize(
    ("wanted", "existing", "expected"),
    [
        ([1, 2], [piece("a", 1, 2)], {}),
        ([1, 2, 3], [piece("a", 1, 2)], {"a": [1, 2, 3]}),
        ([1, 2, 3, 4, 5], [piece("a", 1, 2)], {"a": [1, 2, 3], "": [4, 5]}),
        ([2, 3, 9], [piece("a", 1, 2), piece("b", 3)], {"a": [2, 9]}),
        ([3], [piece("a", 1, 2), piece("b", 3)], {"a": None}),
        ([], [piece("a", 1), piece("b", 3)], {"a": [], "b": None}),
        ([], [], {"": []}),
        ([1], [piece("a", 1), piece("b", 1)], {"b": None}),
    ],
)
def test_how_endpoints_are_laid_out(
    wanted: list[int], existing: list[Object], expected: dict[str, list[int] | None]
) -> None:
    steps = lay_out([Group("IPv4", [], numbered(*wanted))], existing, 3, lambda each: each, START)
    found: dict[str, list[int] | None] = {}
    for step in steps:
        assert isinstance(step, Create | Replace | Delete)
        numbers = [int(each["targetRef"]["uid"]) for each in step.value["endpoints"] or ()]
        found[step.value["metadata"].get("name", "")] = None if isinstance(step, Delete) else numbers
    assert found == expected
