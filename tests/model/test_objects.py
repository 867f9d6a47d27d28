from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import ProtocolError, UsageError
from fairlead.model.objects import EndpointSlice, OwnerRef, Pod, Service, Stopped, Workload
from fairlead.model.target import PodRef
from tests.support.objects import endpoint, endpoint_slice, pod, service, workload

READERS = (Pod.from_json, Service.from_json, EndpointSlice.from_json, Workload.reader("Deployment"))


def test_a_pod_is_read() -> None:
    value = pod("web-1", owner=("ReplicaSet", "web"), ports=(("http", 8080), ("", 9)))
    value["spec"]["initContainers"] = [
        {"name": "side", "restartPolicy": "Always", "ports": [{"name": "adm", "containerPort": 1, "protocol": "UDP"}]},
        {"name": "once"},
    ]
    value["status"]["containerStatuses"] = [{"name": "main", "restartCount": 2}, {"name": "b", "restartCount": 5}]
    value["status"]["initContainerStatuses"] = [
        {"name": "side", "restartCount": 3},
        {"name": "once", "restartCount": 9},
    ]
    read = Pod.from_json(value)
    assert read.ref == PodRef("ns", "web-1", "uid-web-1")
    assert read.owner == OwnerRef("apps/v1", "ReplicaSet", "web", "o")
    assert (read.ready, read.ready_since, read.created_at) == (True, 1767225610.0, 1767225600.0)
    assert (read.restarts, read.sidecar_restarts) == (5, 3)
    assert [(port.name, port.port, port.protocol) for port in read.ports] == [("http", 8080, "TCP"), ("", 9, "TCP")]
    assert [(port.name, port.protocol) for port in read.init_ports] == [("adm", "UDP")]
    assert read.running
    assert read.deleted_at is None


def test_the_first_ready_condition_counts() -> None:
    value = pod("a")
    value["status"]["conditions"].insert(0, {"type": "Ready", "status": "Unknown"})
    assert not Pod.from_json(value).ready


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"containerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff"}}}]}, "ImagePullBackOff"),
        (
            {
                "initContainerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}],
                "containerStatuses": [{"state": {"waiting": {"reason": "PodInitializing"}}}],
            },
            "CrashLoopBackOff",
        ),
        ({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]}, "Unschedulable"),
        ({"phase": "Failed", "reason": "Evicted"}, "Evicted"),
        ({"containerStatuses": [{"state": {"running": {}}}]}, ""),
    ],
)
def test_why_a_pod_does_not_run(status: dict[str, Any], expected: str) -> None:
    assert Pod.from_json({"metadata": {"name": "a"}, "status": status}).waiting == expected


ENDED = {"terminated": {"reason": "Error", "exitCode": 3}}


def lasted(seconds: int) -> dict[str, Any]:
    times = {"startedAt": "2026-01-01T00:00:00Z", "finishedAt": f"2026-01-01T00:00:{seconds:02}Z"}
    return {"terminated": {"reason": "Error", "exitCode": 3, **times}}


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ({"state": {"running": {}}, "lastState": ENDED}, None),
        ({"state": {"running": {}}, "lastState": lasted(0)}, Stopped("c", "Error", 3, "", again=True)),
        ({"state": {"running": {}}, "lastState": lasted(30)}, None),
        ({"state": {"waiting": {"reason": "ImagePullBackOff"}}}, None),
        ({"state": ENDED, "lastState": {"terminated": {"exitCode": 9}}}, Stopped("c", "Error", 3, "")),
        (
            {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": ENDED},
            Stopped("c", "Error", 3, "CrashLoopBackOff"),
        ),
        ({"state": {"terminated": "?"}}, None),
    ],
)
def test_the_container_that_does_not_run(container: dict[str, Any], expected: Stopped | None) -> None:
    statuses = [{"name": "other", "state": {"running": {}}}, {"name": "c", **container}]
    found = Pod.from_json({"metadata": {"name": "a"}, "status": {"containerStatuses": statuses}})
    assert found.stopped == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-01T00:00:00Z", 1767225600.0),
        ("2026-01-01T01:00:00+01:00", 1767225600.0),
        ("2026-01-01T00:00:00", None),
        ("yesterday", None),
        ("", None),
        (5, None),
    ],
)
def test_a_time_without_a_zone_or_of_another_shape_is_none(text: object, expected: float | None) -> None:
    assert Pod.from_json({"metadata": {"name": "a", "creationTimestamp": text}}).created_at == expected


def test_any_deletion_timestamp_means_deleting() -> None:
    assert Pod.from_json({"metadata": {"name": "a", "deletionTimestamp": "soon"}}).deleted_at == 0.0
    assert Pod.from_json({"metadata": {"name": "a", "deletionTimestamp": None}}).deleted_at is None


def test_a_service_is_read() -> None:
    ports = (
        {"name": "a", "port": 80, "targetPort": "http"},
        {"name": "b", "port": 81, "targetPort": 8080, "protocol": "UDP"},
        {"port": 82},
        {"port": 83, "targetPort": 0},
    )
    read = Service.from_json(service(ports=ports, selector={"b": "2", "a": "1"}, sessionAffinity="ClientIP"))
    assert [port.target for port in read.ports] == ["http", 8080, None, None]
    assert [port.protocol for port in read.ports] == ["TCP", "UDP", "TCP", "TCP"]
    assert str(read.selector) == "a=1,b=2"
    assert read.affinity_seconds == 10800
    assert not read.headless


def test_affinity_has_a_time_of_its_own() -> None:
    config = {"clientIP": {"timeoutSeconds": 7}}
    read = Service.from_json(service(sessionAffinity="ClientIP", sessionAffinityConfig=config))
    assert read.affinity_seconds == 7
    assert Service.from_json(service(sessionAffinity="None", sessionAffinityConfig=config)).affinity_seconds is None


def test_services_without_a_selector() -> None:
    read = Service.from_json(
        {"metadata": {"name": "a"}, "spec": {"type": "ExternalName", "externalName": "db.example.org", "selector": {}}}
    )
    assert read.selector is None
    assert read.external_name == "db.example.org"


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, (True, True, False)),
        ({"ready": None, "serving": None, "terminating": None}, (True, True, False)),
        ({"ready": False}, (False, False, False)),
        ({"ready": False, "serving": True, "terminating": True}, (False, True, True)),
        ({"ready": True, "serving": False}, (True, False, False)),
    ],
)
def test_an_endpoint_is_ready_unless_it_says_otherwise(
    conditions: dict[str, Any], expected: tuple[bool, bool, bool]
) -> None:
    read = EndpointSlice.from_json(endpoint_slice("s", [endpoint("a", **conditions)])).endpoints[0]
    assert (read.ready, read.serving, read.terminating) == expected
    assert read.pod == PodRef("ns", "a", "uid-a")


def test_endpoints_that_are_no_pods() -> None:
    entries = [{"addresses": ["1.2.3.4"]}, {"targetRef": {"kind": "Node", "name": "n1"}}, {}]
    read = EndpointSlice.from_json(endpoint_slice("s", entries))
    assert [entry.pod for entry in read.endpoints] == [None, None, None]
    assert [entry.what for entry in read.endpoints] == ["1.2.3.4", "Node n1", "an endpoint without an address"]


def test_the_ports_of_a_slice_may_be_absent_or_incomplete() -> None:
    value = endpoint_slice("s", [])
    value["ports"] = None
    assert EndpointSlice.from_json(value).ports is None
    value["ports"] = [{"name": "a", "port": None}, {"port": 9, "protocol": "UDP"}]
    ports = EndpointSlice.from_json(value).ports
    assert ports is not None
    assert [(port.name, port.port, port.protocol) for port in ports] == [("a", None, "TCP"), ("", 9, "UDP")]


@pytest.mark.parametrize("number", [-1, 65536, 10**400, True])
def test_what_is_no_port_is_none(number: int) -> None:
    wrong = {"name": "x", "port": number, "protocol": "TCP", "targetPort": number, "containerPort": number}
    assert EndpointSlice.from_json(endpoint_slice("s", [], ports=[wrong])).ports == ()
    assert [(port.port, port.target) for port in Service.from_json(service("s", ports=(wrong,))).ports] == [(0, None)]
    body = {"metadata": {"name": "p"}, "spec": {"containers": [{"ports": [wrong]}]}}
    assert [port.port for port in Pod.from_json(body).ports] == [0]


def test_the_addresses_of_a_service() -> None:
    def read(**spec: Any) -> tuple[str, ...]:
        return Service.from_json(service(**spec)).cluster_ips

    assert read() == ("10.0.0.1",)
    assert read(clusterIPs=["10.0.0.1", "FD00:0::1"]) == ("10.0.0.1", "fd00::1")
    assert read(clusterIP="None", clusterIPs=["None"]) == ()
    assert read(clusterIP="", type="ExternalName", externalName="x.y") == ()
    assert read(type="ExternalName") == ()
    assert read(clusterIP=None, clusterIPs="10.0.0.1") == ()


def test_the_addresses_of_a_pod() -> None:
    value = pod("a")
    assert Pod.from_json(value).ips == ()
    value["status"]["podIP"] = "10.1.0.1"
    assert Pod.from_json(value).ips == ("10.1.0.1",)
    assert not Pod.from_json(value).host_network
    value["status"]["podIPs"] = [{"ip": "10.1.0.2"}, {"ip": 7}, {}, {"ip": "fd00::2"}]
    value["spec"]["hostNetwork"] = True
    assert Pod.from_json(value).ips == ("10.1.0.2", "fd00::2")
    assert Pod.from_json(value).host_network


def test_the_addresses_of_an_endpoint() -> None:
    entry = endpoint("a")
    assert EndpointSlice.from_json(endpoint_slice("s", [entry])).endpoints[0].addresses == ("10.1.0.1",)
    entry["addresses"] = ["db.example.org", ["10.1.0.1"], "10.1.0.300", "10.1.0.3"]
    assert EndpointSlice.from_json(endpoint_slice("s", [entry])).endpoints[0].addresses == ("10.1.0.3",)


def test_a_workload_has_its_selector_and_owner_whatever_its_kind() -> None:
    read = Workload.reader("ReplicaSet")(workload("ReplicaSet", "web-1", owner=("Deployment", "web")))
    assert str(read.selector) == "app=web"
    assert read.owner is not None
    assert read.owner.name == "web"
    controller = {"metadata": {"name": "rc"}, "spec": {"selector": {"b": "1", "a": "2"}}}
    assert str(Workload.reader("ReplicationController")(controller).selector) == "a=2,b=1"
    assert Workload.reader("Job")({"metadata": {"name": "j"}}).selector is None


def test_a_selector_with_an_operator_that_does_not_exist() -> None:
    value = workload("Deployment", "web")
    value["spec"]["selector"] = {"matchExpressions": [{"key": "a", "operator": "Like", "values": ["b"]}]}
    with pytest.raises(UsageError, match='"Like" is not a valid label selector operator'):
        Workload.reader("Deployment")(value)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "value", [None, [], "x", {}, {"metadata": []}, {"metadata": {"name": ""}}, {"metadata": {"name": 5}}]
)
def test_an_object_without_a_name_is_refused(reader: Any, value: object) -> None:
    with pytest.raises(ProtocolError, match="without a name"):
        reader(value)


WORDS = [
    "metadata",
    "name",
    "spec",
    "status",
    "ports",
    "containers",
    "conditions",
    "selector",
    "endpoints",
    "targetRef",
]
WORDS += [
    "matchLabels",
    "matchExpressions",
    "ownerReferences",
    "containerStatuses",
    "state",
    "lastState",
    "terminated",
    "exitCode",
    "waiting",
    "sessionAffinity",
    "clusterIPs",
    "podIPs",
    "addresses",
]
PLAIN = [
    None,
    True,
    False,
    0,
    -1,
    10**30,
    0.5,
    float("nan"),
    "",
    "x",
    "True",
    "ClientIP",
    "Pod",
    "10.0.0.1",
    "fe80::1%eth0",
    "2026-01-01T00:00:00Z",
]
JSON = st.recursive(
    st.sampled_from(PLAIN),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(WORDS), JSON, max_size=6))
def test_no_shape_is_a_traceback(body: dict[str, Any]) -> None:
    body["metadata"] = {"name": "a", **(body["metadata"] if isinstance(body.get("metadata"), dict) else {})}
    for reader in READERS:
        try:
            reader(body)
        except (ProtocolError, UsageError):
            pass
