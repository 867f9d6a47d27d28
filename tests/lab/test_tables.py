"""Objects as rows of a table, and by their metadata alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fairlead.lab.registry import ages, columns, tables
from fairlead.lab.registry.kinds import (
    CONFIG_MAP,
    CONTROLLER_REVISION,
    DEPLOYMENT,
    ENDPOINT_SLICE,
    ENDPOINTS,
    EVENT,
    INGRESS,
    KINDS,
    LEASE,
    NAMESPACE,
    NODE,
    POD,
    REPLICA_SET,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
    STATEFUL_SET,
    Kind,
)
from fairlead.lab.registry.status import ApiStatusError
from fairlead.lab.registry.tables import Form
from fairlead.lab.registry.times import micro_stamp, stamp

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
AS_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
KUBECTL = f"{AS_TABLE},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
TABLE = Form("Table")


def ago(**time: float) -> str:
    return stamp(NOW - timedelta(**time))


META = {"name": "x", "namespace": "ns", "creationTimestamp": ago(minutes=5), "resourceVersion": "7"}


def cells(kind: Kind, **value: Any) -> list[Any]:
    found = tables.rendered(TABLE, kind, {"kind": kind.kind, "metadata": META, **value}, NOW)
    assert len(found["columnDefinitions"]) == len(found["rows"][0]["cells"])
    row = found["rows"][0]["cells"]
    assert isinstance(row, list)
    return row


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-5, "<invalid>"), (-2, "<invalid>"), (-1.9, "0s"), (-0.1, "0s"), (0, "0s"), (1.9, "1s"), (119, "119s"),
        (120, "2m"), (187, "3m7s"), (599, "9m59s"), (600, "10m"), (10799, "179m"), (10800, "3h"),
        (5 * 3600 + 1800, "5h30m"), (8 * 3600 - 1, "7h59m"), (8 * 3600 + 1800, "8h"), (48 * 3600 - 1, "47h"),
        (48 * 3600, "2d"), (52 * 3600, "2d4h"), (8 * 86400 - 1, "7d23h"), (8 * 86400, "8d"), (700 * 86400, "700d"),
        (730 * 86400, "2y"), (742 * 86400, "2y12d"), (8 * 365 * 86400 + 86400, "8y"), (9000 * 86400, "24y"),
    ],
)  # fmt: skip
def test_ages(seconds: float, told: str) -> None:
    assert ages.told(seconds) == told


@pytest.mark.parametrize("time", [None, "", "yesterday", 5, "2026-01-01T00:00:00"])
def test_an_age_that_is_not_known(time: Any) -> None:
    assert ages.since(time, NOW) == "<unknown>"


SELECTOR = {
    "matchLabels": {"b": "1", "a": "2"},
    "matchExpressions": [
        {"key": "c", "operator": "In", "values": ["y", "x"]},
        {"key": "d", "operator": "DoesNotExist"},
    ],
}
TEMPLATE = {"spec": {"containers": [{"name": "web", "image": "nginx:1"}, {"name": "log", "image": "busybox"}]}}
WIDE = ["web,log", "nginx:1,busybox", "a=2,b=1,c in (x,y),!d"]


def test_workloads() -> None:
    spec = {"replicas": 3, "selector": SELECTOR, "template": TEMPLATE}
    status = {"replicas": 4, "readyReplicas": 2, "updatedReplicas": 1, "availableReplicas": 2}
    assert cells(DEPLOYMENT, spec=spec, status=status) == ["x", "2/3", 1, 2, "5m", *WIDE]
    assert cells(REPLICA_SET, spec=spec, status=status) == ["x", 3, 4, 2, "5m", *WIDE]
    assert cells(STATEFUL_SET, spec=spec, status=status) == ["x", "2/3", "5m", *WIDE[:2]]
    assert cells(tables.SCALE, spec={"replicas": 3}, status=status) == ["x", 3, 4, "5m"]
    assert cells(DEPLOYMENT, spec={}) == ["x", "0/0", 0, 0, "5m", "", "", ""]
    assert cells(REPLICA_SET, spec={}) == ["x", 0, 0, 0, "5m", "", "", "<none>"]


def test_pods() -> None:
    spec = {"containers": [{"name": "a"}], "nodeName": "node"}
    status = {"phase": "Pending", "podIP": "10.244.0.2"}
    assert cells(POD, spec=spec, status=status) == [
        "x", "0/1", "Pending", "0", "5m", "10.244.0.2", "node", "<none>", "<none>",
    ]  # fmt: skip
    assert cells(POD, spec={}, status={})[5:] == ["<none>"] * 4


def port(number: int, node: int = 0, protocol: str = "TCP") -> dict[str, Any]:
    return {"port": number, "protocol": protocol, **({"nodePort": node} if node else {})}


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        ({"type": "ClusterIP", "clusterIPs": ["10.96.0.1"], "ports": [port(443)], "selector": {"b": "1", "a": "2"}}, {},
         "ClusterIP 10.96.0.1 <none> 443/TCP 5m a=2,b=1"),
        ({"type": "ClusterIP", "clusterIPs": ["None"]}, {}, "ClusterIP None <none> <none> 5m <none>"),
        ({"type": "NodePort", "clusterIPs": ["a"], "ports": [port(80, 30000), port(53, protocol="UDP")]}, {},
         "NodePort a <none> 80:30000/TCP,53/UDP 5m <none>"),
        ({"type": "ClusterIP", "clusterIPs": ["a"], "externalIPs": ["b", "c"]}, {}, "ClusterIP a b,c <none> 5m <none>"),
        ({"type": "LoadBalancer", "clusterIPs": ["a"]}, {}, "LoadBalancer a <pending> <none> 5m <none>"),
        ({"type": "LoadBalancer", "clusterIPs": ["a"], "externalIPs": ["z"]},
         {"loadBalancer": {"ingress": [{"ip": "2.2.2.2"}, {"hostname": "h"}, {"ip": "1.1.1.1"}]}},
         "LoadBalancer a 1.1.1.1,2.2.2.2,h,z <none> 5m <none>"),
        ({"type": "ExternalName", "externalName": "a.example"}, {}, "ExternalName <none> a.example <none> 5m <none>"),
    ],
)  # fmt: skip
def test_services(spec: dict[str, Any], status: dict[str, Any], expected: str) -> None:
    assert cells(SERVICE, spec=spec, status=status) == ["x", *expected.split(" ")]


def addresses(*found: str) -> list[dict[str, Any]]:
    return [{"ip": each} for each in found]


@pytest.mark.parametrize(
    ("subsets", "expected"),
    [
        (None, "<none>"),
        ([{"notReadyAddresses": addresses("1.1.1.1"), "ports": [{"port": 80}]}], ""),
        ([{"addresses": addresses("1.1.1.1", "1.1.1.2"), "ports": [{"port": 80}]}], "1.1.1.1:80,1.1.1.2:80"),
        ([{"addresses": addresses("1.1.1.1", "1.1.1.2"), "ports": [{"port": 80}, {"port": 81}]}],
         "1.1.1.1:80,1.1.1.2:80,1.1.1.1:81 + 1 more..."),
        ([{"addresses": addresses("::1")}, {"addresses": addresses("::2"), "ports": [{"port": 1}]}], "::1,[::2]:1"),
    ],
)  # fmt: skip
def test_endpoints(subsets: Any, expected: str) -> None:
    assert cells(ENDPOINTS, **({"subsets": subsets} if subsets else {})) == ["x", expected, "5m"]


def test_endpoint_slices() -> None:
    found = [{"addresses": ["1.1.1.1", "1.1.1.2"]}, {"addresses": ["1.1.1.3"]}, {"addresses": ["1.1.1.4"]}]
    ports = [{"name": "http", "port": 80}, {"name": "named"}, {}]
    shown = "1.1.1.1,1.1.1.2,1.1.1.3 + 1 more..."
    assert cells(ENDPOINT_SLICE, addressType="IPv4", endpoints=found, ports=ports) == [
        "x", "IPv4", "80,named,*", shown, "5m",
    ]  # fmt: skip
    assert cells(ENDPOINT_SLICE, addressType="IPv4") == ["x", "IPv4", "<unset>", "<unset>", "5m"]


def node(**spec: Any) -> dict[str, Any]:
    info = {
        "kubeletVersion": "v1", "osImage": "Debian", "kernelVersion": "6.1", "architecture": "amd64",
        "containerRuntimeVersion": "fairlead://1",
    }  # fmt: skip
    status = {
        "conditions": [{"type": "DiskPressure", "status": "True"}, {"type": "Ready", "status": "True"}],
        "addresses": [{"type": "Hostname", "address": "n"}, {"type": "InternalIP", "address": "10.0.0.1"}],
        "nodeInfo": info,
    }
    return {"spec": spec, "status": status}


def test_nodes() -> None:
    assert cells(NODE, **node()) == [
        "x", "Ready", "<none>", "5m", "v1", "10.0.0.1", "<none>", "Debian", "6.1 (amd64)", "fairlead://1",
    ]  # fmt: skip
    assert cells(NODE, **node(unschedulable=True))[1] == "Ready,SchedulingDisabled"
    assert cells(NODE, status={"conditions": [{"type": "Ready", "status": "Unknown"}]})[1] == "NotReady"
    assert cells(NODE)[1:] == ["Unknown", "<none>", "5m", "", "<none>", "<none>", *["<unknown>"] * 3]
    labels = {
        "node-role.kubernetes.io/worker": "",
        "node-role.kubernetes.io/": "",
        "kubernetes.io/role": "control-plane",
    }
    assert cells(NODE, metadata={**META, "labels": labels})[2] == "control-plane,worker"


def test_events() -> None:
    about = {"kind": "Pod", "name": "web", "fieldPath": "spec.containers{a}"}
    head = {"type": "Normal", "reason": "Started", "involvedObject": about, "message": " Up \n"}
    old = {"firstTimestamp": ago(minutes=10), "lastTimestamp": ago(seconds=3), "count": 4}
    assert cells(EVENT, **head, **old, source={"component": "kubelet", "host": "node"}) == [
        "3s", "Normal", "Started", "pod/web", "spec.containers{a}", "kubelet, node", "Up", "10m", 4, "x",
    ]  # fmt: skip
    new = {"eventTime": micro_stamp(NOW - timedelta(seconds=90)), "reportingComponent": "scheduler"}
    assert cells(EVENT, **head, **new)[:1] + cells(EVENT, **head, **new)[5:] == [
        "90s",
        "scheduler",
        "Up",
        "90s",
        1,
        "x",
    ]
    series = {"count": 9, "lastObservedTime": micro_stamp(NOW - timedelta(seconds=5))}
    assert cells(EVENT, **head, **new, series=series)[0::8] == ["5s", 9]
    assert cells(EVENT, involvedObject={"kind": "Node"})[3] == "node"


def test_what_is_kept_only() -> None:
    assert cells(CONFIG_MAP, data={"a": "", "b": ""}, binaryData={"c": ""}) == ["x", 3, "5m"]
    assert cells(SECRET, type="Opaque", data={"a": ""}) == ["x", "Opaque", 1, "5m"]
    assert cells(SERVICE_ACCOUNT) == ["x", "5m"]
    assert cells(NAMESPACE, status={"phase": "Active"}) == ["x", "Active", "5m"]
    assert cells(LEASE, spec={"holderIdentity": "me"}) == ["x", "me", "5m"]
    assert cells(LEASE) == ["x", "", "5m"]


def test_ingresses() -> None:
    rules = [{"host": "a"}, {}, {"host": "b"}, {"host": "c"}, {"host": "d"}]
    balancer = {"loadBalancer": {"ingress": [{"ip": "1.1.1.1"}]}}
    assert cells(INGRESS, spec={"ingressClassName": "nginx", "rules": rules, "tls": [{}]}, status=balancer) == [
        "x", "nginx", "a,b,c + 2 more...", "1.1.1.1", "80, 443", "5m",
    ]  # fmt: skip
    assert cells(INGRESS, spec={"rules": [{}]}) == ["x", "<none>", "*", "", "80", "5m"]


def test_revisions() -> None:
    owners = [
        {"kind": "X", "apiVersion": "v1", "name": "y"},
        {"kind": "StatefulSet", "apiVersion": "apps/v1", "name": "w", "controller": True},
    ]
    assert cells(CONTROLLER_REVISION, metadata={**META, "ownerReferences": owners}, revision=3) == [
        "x", "statefulset.apps/w", 3, "5m",
    ]  # fmt: skip
    assert cells(CONTROLLER_REVISION, revision=1)[1] == "<none>"


def test_what_has_no_columns_of_its_own() -> None:
    assert cells(Kind("x", "v1", "things", "Thing")) == ["x", META["creationTimestamp"]]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_every_kind_has_columns_and_bears_an_empty_object(kind: Kind) -> None:
    of = columns.OF_KIND[kind.kind]
    assert len(of.cells({}, NOW)) == len(of.columns)
    assert [column.is_name for column in of.columns].count(True) == 1
    assert all(column.words for column in of.columns)


# Forms


@pytest.mark.parametrize(
    ("accept", "include", "form"),
    [
        ("", "", Form()),
        ("*/*", "", Form()),
        ("application/json", "Object", Form()),
        (KUBECTL, "", Form("Table", "v1", "Metadata")),
        (KUBECTL, "Object", Form("Table", "v1", "Object")),
        (AS_TABLE.replace("v1", "v1beta1") + ",application/json", "None", Form("Table", "v1beta1", "None")),
        ("application/json;as=Table;v=v2;g=meta.k8s.io,application/json", "", Form()),
        ("application/json;as=Table;v=v1;g=other,application/json", "", Form()),
        ("application/json;as=Chair;v=v1;g=meta.k8s.io, */*", "", Form()),
        (f"application/vnd.kubernetes.protobuf,{AS_TABLE}", "", Form("Table")),
        ("application/vnd.kubernetes.protobuf,application/json", "", Form()),
        (
            "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,"
            "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json",
            "", Form("PartialObjectMetadataList"),
        ),
        ("application/json;q=0.5," + AS_TABLE, "", Form("Table")),
    ],
)  # fmt: skip
def test_what_a_client_wants(accept: str, include: str, form: Form) -> None:
    assert tables.wanted(accept, include) == form


@pytest.mark.parametrize(
    ("accept", "include", "code"),
    [("application/vnd.kubernetes.protobuf", "", 406), ("text/html", "", 406), (KUBECTL, "All", 400)],
)
def test_what_cannot_be_had(accept: str, include: str, code: int) -> None:
    with pytest.raises(ApiStatusError) as error:
        tables.wanted(accept, include)
    assert error.value.code == code


SECRETS: dict[str, Any] = {
    "kind": "SecretList", "apiVersion": "v1",
    "metadata": {"resourceVersion": "9", "continue": "c", "remainingItemCount": 3, "selfLink": "s"},
    "items": [{"metadata": {**META, "name": name}, "type": "Opaque"} for name in "ab"],
}  # fmt: skip


def test_a_list_as_a_table() -> None:
    found = tables.rendered(Form("Table", "v1beta1"), SECRET, SECRETS, NOW)
    assert {name: found[name] for name in ("kind", "apiVersion", "metadata")} == {
        "kind": "Table", "apiVersion": "meta.k8s.io/v1beta1",
        "metadata": {"resourceVersion": "9", "continue": "c", "remainingItemCount": 3},
    }  # fmt: skip
    assert found["columnDefinitions"][0] == {
        "name": "Name", "type": "string", "format": "name", "description": "Its name.", "priority": 0,
    }  # fmt: skip
    assert [row["cells"][0] for row in found["rows"]] == ["a", "b"]
    assert found["rows"][0]["object"] == {
        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1beta1", "metadata": {**META, "name": "a"},
    }  # fmt: skip


def test_what_goes_with_a_row() -> None:
    def included(name: str) -> Any:
        return tables.rendered(Form("Table", "v1", name), SECRET, SECRETS, NOW)["rows"][0]["object"]

    assert included("None") is None
    assert included("Object") == {"kind": "Secret", "apiVersion": "v1", **SECRETS["items"][0]}


def test_an_empty_list_has_columns() -> None:
    found = tables.rendered(TABLE, SECRET, {**SECRETS, "items": []}, NOW)
    assert found["rows"] == []
    assert found["columnDefinitions"]


@pytest.mark.parametrize(("phase", "ended"), [("Running", None), ("Succeeded", "Succeeded"), ("Failed", "Failed")])
def test_a_pod_that_ended_says_so(phase: str, ended: str | None) -> None:
    row = tables.rendered(TABLE, POD, {"kind": "Pod", "metadata": META, "status": {"phase": phase}}, NOW)["rows"][0]
    assert [each["reason"] for each in row.get("conditions", ())] == ([ended] if ended else [])


def test_metadata_alone() -> None:
    one = {"kind": "Secret", "apiVersion": "v1", "metadata": META, "data": {"a": "b"}}
    expected = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": META}
    assert tables.rendered(Form("PartialObjectMetadata"), SECRET, one, NOW) == expected
    found = tables.rendered(Form("PartialObjectMetadataList"), SECRET, SECRETS, NOW)
    assert (found["kind"], found["metadata"]) == ("PartialObjectMetadataList", SECRETS["metadata"])
    assert [each["metadata"]["name"] for each in found["items"]] == ["a", "b"]
    assert "type" not in found["items"][0]


@pytest.mark.parametrize(
    ("form", "value"),
    [("PartialObjectMetadata", SECRETS), ("PartialObjectMetadataList", {"kind": "Secret", "metadata": META})],
)
def test_a_list_is_no_object(form: str, value: dict[str, Any]) -> None:
    with pytest.raises(ApiStatusError) as error:
        tables.rendered(Form(form), SECRET, value, NOW)
    assert error.value.code == 406


@pytest.mark.parametrize("name", ["", "Table", "PartialObjectMetadata"])
def test_a_status_stays_what_it_is(name: str) -> None:
    status = {"kind": "Status", "apiVersion": "v1", "status": "Success"}
    assert tables.rendered(Form(name), SECRET, status, NOW) == status
    assert tables.rendered_event(Form(name), SECRET, "ERROR", status, NOW, first=True) == status


def test_a_watch_tells_of_the_columns_once() -> None:
    value = {"kind": "Secret", "apiVersion": "v1", "metadata": META}
    first = tables.rendered_event(TABLE, SECRET, "ADDED", value, NOW, first=True)
    later = tables.rendered_event(TABLE, SECRET, "MODIFIED", value, NOW, first=False)
    assert first["columnDefinitions"]
    assert later["columnDefinitions"] is None
    assert first["rows"] == later["rows"]
    assert later["metadata"] == {"resourceVersion": "7"}
    assert tables.rendered_event(Form(), SECRET, "ADDED", value, NOW, first=True) is value
    partial = tables.rendered_event(Form("PartialObjectMetadata"), SECRET, "ADDED", value, NOW, first=True)
    assert partial["kind"] == "PartialObjectMetadata"
    bookmark = {"kind": "Secret", "apiVersion": "v1", "metadata": {"resourceVersion": "12"}}
    assert tables.rendered_event(TABLE, SECRET, "BOOKMARK", bookmark, NOW, first=False)["rows"][0]["cells"][0] == ""
