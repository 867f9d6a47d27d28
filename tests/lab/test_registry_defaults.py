"""What is filled in."""

from __future__ import annotations

from base64 import b64decode
from copy import deepcopy
from typing import Any

import pytest

from fairlead.lab.registry import defaults
from fairlead.lab.registry.defaults.pods import is_latest
from fairlead.lab.registry.kinds import (
    DEPLOYMENT,
    ENDPOINT_SLICE,
    ENDPOINTS,
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
from fairlead.lab.registry.qos import qos_class
from fairlead.lab.registry.store import Object
from tests.support.lab_registry import Cluster, named, refused, workload


def filled(kind: Kind, **fields: Any) -> Object:
    value = {"metadata": {"name": "x"}, **deepcopy(fields)}
    defaults.fill(kind, value)
    once = deepcopy(value)
    defaults.fill(kind, value)
    assert value == once, "filling in again changes nothing"
    assert (value.pop("apiVersion"), value.pop("kind")) == (kind.api_version, kind.kind)
    return value


def container(**fields: Any) -> Object:
    spec = filled(POD, spec={"containers": [{"name": "c", "image": "nginx:1", **fields}]})["spec"]
    found: Object = spec["containers"][0]
    return {name: inner for name, inner in found.items() if inner != fields.get(name)}


POD_SPEC = {
    "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler",
    "securityContext": {}, "terminationGracePeriodSeconds": 30,
}  # fmt: skip
CONTAINER = {
    "name": "c", "image": "nginx:1", "imagePullPolicy": "IfNotPresent", "resources": {},
    "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
}  # fmt: skip
PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}


def test_pods() -> None:
    found = filled(POD, spec={"containers": [{"name": "c", "image": "nginx:1"}]})
    assert found["spec"] == {**POD_SPEC, "containers": [CONTAINER], "enableServiceLinks": True}
    found = filled(POD, spec={"containers": [], "restartPolicy": "Never", "enableServiceLinks": False})
    assert found["spec"] == {**POD_SPEC, "containers": [], "restartPolicy": "Never", "enableServiceLinks": False}


@pytest.mark.parametrize(
    ("image", "latest"),
    [
        ("nginx", True), ("nginx:latest", True), ("nginx:1", False), ("host:5000/nginx", True),
        ("host:5000/a/b:1", False), ("nginx@sha256:0", False), ("nginx:latest@sha256:0", True), ("", True),
    ],
)  # fmt: skip
def test_the_newest_image_is_always_asked_for(image: str, latest: bool) -> None:
    assert is_latest(image) is latest
    assert container(image=image).get("imagePullPolicy") == ("Always" if latest else "IfNotPresent")


def test_containers() -> None:
    found = container(
        ports=[{"containerPort": 80}],
        livenessProbe={"httpGet": {"port": 80}, "periodSeconds": 0},
        readinessProbe={"grpc": {"port": 1}, "timeoutSeconds": 5},
        lifecycle={"preStop": {"httpGet": {"port": 80, "path": "/x"}}, "stopSignal": "SIGINT"},
        env=[
            {"name": "a", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "b", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
        ],
        resources={"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}},
    )
    assert found["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert found["livenessProbe"] == {**PROBE, "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"}}
    assert found["readinessProbe"] == {**PROBE, "grpc": {"port": 1, "service": ""}, "timeoutSeconds": 5}
    assert found["lifecycle"]["preStop"]["httpGet"] == {"port": 80, "path": "/x", "scheme": "HTTP"}
    assert found["env"][0]["valueFrom"]["fieldRef"] == {"fieldPath": "metadata.name", "apiVersion": "v1"}
    assert found["env"][1]["valueFrom"]["resourceFieldRef"] == {"resource": "limits.cpu", "divisor": "0"}
    assert found["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}


def test_volumes() -> None:
    token = {"serviceAccountToken": {"path": "t"}}
    field = {"fieldRef": {"fieldPath": "metadata.name"}, "path": "n"}
    volumes = [
        {"name": "a"}, {"name": "b", "secret": {"secretName": "s"}}, {"name": "c", "hostPath": {"path": "/"}},
        {"name": "d", "configMap": {"name": "c", "defaultMode": 256}}, {"name": "e", "downwardAPI": {"items": [field]}},
        {"name": "f", "projected": {"sources": [token, {"downwardAPI": {"items": [field]}}]}},
        {"name": "g", "image": {"reference": "x"}},
    ]  # fmt: skip
    found = filled(POD, spec={"containers": [], "volumes": volumes})["spec"]["volumes"]
    read = {**field, "fieldRef": {"fieldPath": "metadata.name", "apiVersion": "v1"}}
    assert found == [
        {"name": "a", "emptyDir": {}}, {"name": "b", "secret": {"secretName": "s", "defaultMode": 420}},
        {"name": "c", "hostPath": {"path": "/", "type": ""}},
        {"name": "d", "configMap": {"name": "c", "defaultMode": 256}},
        {"name": "e", "downwardAPI": {"items": [read], "defaultMode": 420}},
        {
            "name": "f",
            "projected": {
                "sources": [
                    {"serviceAccountToken": {"path": "t", "expirationSeconds": 3600}},
                    {"downwardAPI": {"items": [read]}},
                ],
                "defaultMode": 420,
            },
        },
        {"name": "g", "image": {"reference": "x", "pullPolicy": "Always"}},
    ]  # fmt: skip


def test_ports_of_the_host() -> None:
    spec = {
        "hostNetwork": True,
        "containers": [{"ports": [{"containerPort": 80}, {"containerPort": 81, "hostPort": 9}]}],
    }
    found = filled(POD, spec=spec)["spec"]["containers"][0]["ports"]
    assert [port["hostPort"] for port in found] == [80, 9]
    template = filled(DEPLOYMENT, spec={"template": {"spec": spec}})["spec"]["template"]
    assert "hostPort" not in template["spec"]["containers"][0]["ports"][0]


def test_accounts_have_two_names() -> None:
    for name in ("serviceAccount", "serviceAccountName"):
        spec = filled(DEPLOYMENT, spec={"template": {"spec": {name: "a"}}})["spec"]["template"]["spec"]
        assert (spec["serviceAccount"], spec["serviceAccountName"]) == ("a", "a")


def test_deployments() -> None:
    assert filled(DEPLOYMENT)["spec"] == {
        "replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
        "template": {"metadata": {}, "spec": POD_SPEC},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
    }  # fmt: skip
    spec = filled(DEPLOYMENT, spec={"replicas": 0, "strategy": {"type": "Recreate"}})["spec"]
    assert spec["replicas"] == 0
    assert spec["strategy"] == {"type": "Recreate"}
    spec = filled(DEPLOYMENT, spec={"strategy": {"rollingUpdate": {"maxSurge": 0}}})["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": "25%"}


def test_replica_sets_and_stateful_sets() -> None:
    assert filled(REPLICA_SET)["spec"] == {"replicas": 1, "template": {"metadata": {}, "spec": POD_SPEC}}
    claim = {"metadata": {"name": "c"}, "spec": {"accessModes": ["ReadWriteOnce"]}}
    assert filled(STATEFUL_SET, spec={"volumeClaimTemplates": [claim]})["spec"] == {
        "serviceName": "", "replicas": 1, "revisionHistoryLimit": 10, "podManagementPolicy": "OrderedReady",
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        "template": {"metadata": {}, "spec": POD_SPEC},
        "volumeClaimTemplates": [
            {
                **claim, "apiVersion": "v1", "kind": "PersistentVolumeClaim", "status": {"phase": "Pending"},
                "spec": {"accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem"},
            }
        ],
    }  # fmt: skip
    assert filled(STATEFUL_SET, spec={"updateStrategy": {"type": "OnDelete"}})["spec"]["updateStrategy"] == {
        "type": "OnDelete"
    }


def test_services() -> None:
    assert filled(SERVICE, spec={"ports": [{"port": 80}, {"port": 81, "targetPort": "x", "protocol": "UDP"}]}) == {
        "metadata": {"name": "x"}, "status": {"loadBalancer": {}},
        "spec": {
            "type": "ClusterIP", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster",
            "ports": [
                {"port": 80, "targetPort": 80, "protocol": "TCP"}, {"port": 81, "targetPort": "x", "protocol": "UDP"},
            ],
        },
    }  # fmt: skip
    spec = filled(SERVICE, spec={"type": "LoadBalancer", "sessionAffinity": "ClientIP"})["spec"]
    assert spec["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 10800}}
    assert (spec["externalTrafficPolicy"], spec["allocateLoadBalancerNodePorts"]) == ("Cluster", True)
    spec = filled(SERVICE, spec={"type": "ExternalName", "externalName": "x"})["spec"]
    assert spec == {"type": "ExternalName", "externalName": "x", "sessionAffinity": "None"}
    spec = filled(SERVICE, spec={"externalIPs": ["1.2.3.4"], "sessionAffinityConfig": {"clientIP": {}}})["spec"]
    assert spec["externalTrafficPolicy"] == "Cluster"
    assert "sessionAffinityConfig" not in spec


def test_kinds_with_few_defaults() -> None:
    found = filled(SECRET, stringData={"a": "äb", "b": ""}, data={"a": "eA==", "c": "eA=="})
    assert found.keys() == {"metadata", "type", "data"}
    assert found["type"] == "Opaque"
    assert {key: b64decode(value).decode() for key, value in found["data"].items()} == {"a": "äb", "b": "", "c": "x"}
    found = filled(NAMESPACE)
    assert found["metadata"]["labels"] == {"kubernetes.io/metadata.name": "x"}
    assert found["status"] == {"phase": "Active"}
    assert filled(NODE, status={"capacity": {"cpu": "1"}})["status"]["allocatable"] == {"cpu": "1"}
    assert filled(ENDPOINTS, subsets=[{"ports": [{"port": 1}]}])["subsets"][0]["ports"] == [
        {"port": 1, "protocol": "TCP"}
    ]
    assert filled(ENDPOINT_SLICE, ports=[{"port": 1}])["ports"] == [{"port": 1, "protocol": "TCP", "name": ""}]
    assert filled(SERVICE_ACCOUNT) == {"metadata": {"name": "x"}}


@pytest.mark.parametrize(
    ("requests", "limits", "expected"),
    [
        ({}, {}, "BestEffort"),
        ({"cpu": "0"}, {}, "BestEffort"),
        ({"cpu": "1"}, {}, "Burstable"),
        ({"cpu": "1", "memory": "1Gi"}, {"cpu": "1", "memory": "1Gi"}, "Guaranteed"),
        ({"cpu": "1", "memory": "1Gi"}, {"cpu": "1000m", "memory": "1024Mi"}, "Guaranteed"),
        ({"cpu": "1"}, {"cpu": "1"}, "Burstable"),
        ({"cpu": "1", "memory": "1Gi"}, {"cpu": "2", "memory": "1Gi"}, "Burstable"),
        ({"x.io/y": "1"}, {"x.io/y": "1"}, "BestEffort"),
    ],
)
def test_how_sure_a_pod_may_be(requests: Object, limits: Object, expected: str) -> None:
    resources = {"requests": requests, "limits": limits}
    assert qos_class({"containers": [{"resources": resources}]}) == expected
    mixed = {"containers": [{"resources": resources}, {}]}
    assert qos_class(mixed) == ("BestEffort" if expected == "BestEffort" else "Burstable")


def test_what_is_given_to_every_pod() -> None:
    cluster = Cluster()
    spec = cluster.pod()["spec"]
    assert (spec["serviceAccountName"], spec["priority"], spec["preemptionPolicy"]) == (
        "default",
        0,
        "PreemptLowerPriority",
    )
    assert [each["key"].partition("/")[2] for each in spec["tolerations"]] == ["not-ready", "unreachable"]
    spec = cluster.pod("q", tolerations=[{"operator": "Exists"}], priorityClassName="system-node-critical")["spec"]
    assert spec["tolerations"] == [{"operator": "Exists"}]
    assert spec["priority"] == 2_000_001_000
    key = "node.kubernetes.io/unreachable"
    spec = cluster.pod("r", tolerations=[{"key": key, "operator": "Exists", "effect": "NoSchedule"}])["spec"]
    assert len(spec["tolerations"]) == 3


def test_accounts_and_priorities_that_there_are_not() -> None:
    cluster = Cluster()
    with refused(403, "Forbidden") as error:
        cluster.pod(serviceAccountName="bot")
    assert error.message == (
        'pods "p" is forbidden: error looking up service account ns/bot: serviceaccount "bot" not found'
    )
    cluster.make(SERVICE_ACCOUNT, "bot", imagePullSecrets=[{"name": "s"}])
    assert cluster.pod(serviceAccountName="bot")["spec"]["imagePullSecrets"] == [{"name": "s"}]
    with refused(403, "Forbidden") as error:
        cluster.pod("q", priorityClassName="high")
    assert error.message == 'pods "q" is forbidden: no PriorityClass with name high was found'
    with refused(403, "Forbidden") as error:
        cluster.pod("q", priority=5)
    assert "the integer value of priority (5) must not be provided in pod spec" in error.message


def test_templates_are_left_alone() -> None:
    cluster = Cluster()
    spec = cluster.create(DEPLOYMENT, "ns", {**named("d"), "spec": workload()})["spec"]["template"]["spec"]
    assert "tolerations" not in spec
    assert "serviceAccountName" not in spec
