"""Mistakes, and the words that the API server (1.36) has for them."""

# ruff: noqa: E501 -- the words of the API server are long

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.lab.registry.kinds import (
    CONFIG_MAP,
    CONTROLLER_REVISION,
    DEPLOYMENT,
    ENDPOINT_SLICE,
    ENDPOINTS,
    INGRESS,
    LEASE,
    NAMESPACE,
    POD,
    REPLICA_SET,
    SECRET,
    SERVICE,
    STATEFUL_SET,
    Kind,
)
from fairlead.lab.registry.patching import MERGE, STRATEGIC
from fairlead.lab.registry.status import ApiStatusError
from fairlead.lab.registry.store import Object
from tests.support.lab_registry import Cluster, refused, workload

C = {"name": "c", "image": "i"}


def causes(kind: Kind, **fields: Any) -> list[str]:
    """What is wrong, without the long words about regular expressions."""
    cluster = Cluster()
    with refused(422, "Invalid") as error:
        cluster.make(kind, "x", **fields)
    found = []
    for cause in error.details["causes"]:
        message = cause["message"].partition(" (e.g. '")[0]
        found.append(f"{cause['field']}: {message}")
    return found


def container(**fields: Any) -> list[str]:
    return causes(POD, spec={"containers": [{**C, **fields}]})


def pod(**fields: Any) -> list[str]:
    return causes(POD, spec={"containers": [C], **fields})


P = "spec.containers[0]"
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an "
    "alphanumeric character"
)
KEY = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"


def test_metadata() -> None:
    cluster = Cluster()
    meta = {
        "name": "A", "labels": {"a b": "c d"}, "annotations": {"a b": "x" * 300_000}, "finalizers": ["x"],
        "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "controller": True}] * 2,
    }  # fmt: skip
    with refused(422, "Invalid") as error:
        cluster.create(CONFIG_MAP, "ns", {"metadata": meta})
    fields = [cause["field"].removeprefix("metadata.") for cause in error.details["causes"]]
    assert fields == [
        "name", "labels", "labels", "annotations", "annotations", "ownerReferences.uid", "ownerReferences.uid",
        "ownerReferences", "finalizers[0]",
    ]  # fmt: skip
    assert error.message.startswith(
        'ConfigMap "A" is invalid: [metadata.name: Invalid value: "A": a lowercase RFC 1123'
    )
    with refused(422, "Invalid") as error:
        cluster.create(CONFIG_MAP, "ns", {"metadata": {"generateName": "A_"}})
    assert [cause["field"] for cause in error.details["causes"]] == ["metadata.generateName", "metadata.name"]


def test_names_that_are_one_label() -> None:
    for kind, fields in (
        (NAMESPACE, {}),
        (SERVICE, {"spec": {"clusterIP": "None"}}),
        (STATEFUL_SET, {"spec": workload()}),
    ):
        cluster = Cluster()
        with refused(422, "Invalid") as error:
            cluster.make(kind, "a.b", **fields)
        assert error.message.endswith('metadata.name: Invalid value: "a.b": must not contain dots')
    assert Cluster().make(DEPLOYMENT, "a.b", spec=workload())
    assert Cluster().make(SERVICE, "1a", spec={"clusterIP": "None"})


def test_containers() -> None:
    assert causes(POD) == ["spec.containers: Required value"]
    assert causes(POD, spec={"containers": [{}, {"name": "A", "image": " x"}]}) == [
        f"{P}.name: Required value", f"{P}.image: Required value",
        f'spec.containers[1].name: Invalid value: "A": {LABEL}',
        'spec.containers[1].image: Invalid value: " x": must not have leading or trailing whitespace',
    ]  # fmt: skip
    assert causes(POD, spec={"containers": [C, C]}) == ['spec.containers[1].name: Duplicate value: "c"']
    assert container(imagePullPolicy="Never!", terminationMessagePolicy="X", restartPolicy="Y") == [
        f'{P}.terminationMessagePolicy: Unsupported value: "X": supported values: "File", "FallbackToLogsOnError"',
        f'{P}.imagePullPolicy: Unsupported value: "Never!": supported values: "Always", "IfNotPresent", "Never"',
        f'{P}.restartPolicy: Unsupported value: "Y": supported values: "Always", "Never", "OnFailure"',
    ]


def test_ports_of_containers() -> None:
    ports = [
        {"containerPort": 0}, {"containerPort": 70000, "hostPort": 99999}, {"containerPort": 80, "name": "A"},
        {"containerPort": 80, "name": "a", "protocol": "X", "hostPort": 1}, {"containerPort": 81, "name": "a", "hostPort": 1},
    ]  # fmt: skip
    assert container(ports=ports) == [
        f"{P}.ports[0].containerPort: Required value",
        f"{P}.ports[1].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
        f"{P}.ports[1].hostPort: Invalid value: 99999: must be between 1 and 65535, inclusive",
        f'{P}.ports[2].name: Invalid value: "A": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
        f'{P}.ports[2].name: Invalid value: "A": must contain at least one letter (a-z)',
        f'{P}.ports[3].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
        f'{P}.ports[4].name: Duplicate value: "a"',
    ]
    same = [{"containerPort": 80, "hostPort": 80}, {"containerPort": 81, "hostPort": 80}]
    assert container(ports=same) == [f'{P}.ports[1].hostPort: Duplicate value: "TCP//80"']
    assert causes(POD, spec={"hostNetwork": True, "containers": [{**C, "ports": same[1:]}]}) == [
        f"{P}.ports[0].hostPort: Invalid value: 80: must match `containerPort` when `hostNetwork` is true"
    ]


def test_variables() -> None:
    field = {"fieldRef": {"fieldPath": "metadata.name"}}
    key = {"configMapKeyRef": {"name": "c", "key": "a b"}}
    assert container(
        env=[
            {"name": ""}, {"name": "A", "valueFrom": {}}, {"name": "A", "value": "x", "valueFrom": field},
            {"name": "A", "valueFrom": {**field, "secretKeyRef": {"name": "s", "key": "k"}}},
            {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.foo"}}},
            {"name": "A", "valueFrom": {"fieldRef": {}}}, {"name": "A", "valueFrom": {"resourceFieldRef": {}}},
            {"name": "A", "valueFrom": key}, {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s"}}},
        ],
        envFrom=[{}, {"secretRef": {}}, {"secretRef": {"name": "s"}, "configMapRef": {"name": "c"}}],
    ) == [
        f"{P}.env[0].name: Required value",
        f"{P}.env[1].valueFrom: Invalid value: \"\": must specify one of: `fieldRef`, `resourceFieldRef`, "
        "`configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
        f"{P}.env[2].valueFrom: Invalid value: \"\": may not be specified when `value` is not empty",
        f"{P}.env[3].valueFrom: Invalid value: \"\": may not have more than one field specified at a time",
        f"{P}.env[4].valueFrom.fieldRef.fieldPath: Invalid value: \"spec.foo\": error converting fieldPath: field label not "
        "supported: spec.foo",
        f"{P}.env[5].valueFrom.fieldRef.fieldPath: Required value",
        f"{P}.env[6].valueFrom.resourceFieldRef.resource: Required value",
        f"{P}.env[7].valueFrom.configMapKeyRef.key: Invalid value: \"a b\": a valid config key must consist of alphanumeric "
        "characters, '-', '_' or '.'",
        f"{P}.env[8].valueFrom.secretKeyRef.key: Required value",
        f"{P}.envFrom: Invalid value: \"\": must specify one of: `configMapRef` or `secretRef`",
        f"{P}.envFrom[1].secretRef.name: Required value",
        f"{P}.envFrom: Invalid value: \"\": may not have more than one field specified at a time",
    ]  # fmt: skip
    env = [
        {"name": "X", "valueFrom": {"fieldRef": {"fieldPath": path}}}
        for path in ("metadata.labels['a']", "status.podIP")
    ]
    assert Cluster().pod(containers=[{**C, "env": env}])


def test_volumes() -> None:
    volumes = [
        {"name": "v"}, {"name": "v"}, {"name": "", "secret": {}}, {"name": "x", "configMap": {"name": "c"}, "emptyDir": {}},
        {"name": "y", "hostPath": {"path": "/a/../b"}},
        {"name": "z", "secret": {"secretName": "s", "items": [{"key": "k", "path": "/x"}, {}], "defaultMode": 9999}},
    ]  # fmt: skip
    assert pod(volumes=volumes) == [
        'spec.volumes[1].name: Duplicate value: "v"',
        "spec.volumes[2].secret.secretName: Required value", "spec.volumes[2].name: Required value",
        "spec.volumes[3].configMap: Forbidden: may not specify more than 1 volume type",
        "spec.volumes[4].hostPath.path: Invalid value: \"/a/../b\": must not contain '..'",
        "spec.volumes[5].secret.defaultMode: Invalid value: 9999: must be a number between 0 and 0777 (octal), both inclusive",
        'spec.volumes[5].secret.items[0].path: Invalid value: "/x": must be a relative path',
        "spec.volumes[5].secret.items[1].key: Required value", "spec.volumes[5].secret.items[1].path: Required value",
    ]  # fmt: skip
    mounts = [{"name": "v", "mountPath": "/a"}, {"name": "", "mountPath": "/a"}, {"name": "v", "subPath": "../x"}]
    assert container(volumeMounts=mounts) == [
        f'{P}.volumeMounts[0].name: Not found: "v"',
        f"{P}.volumeMounts[1].name: Required value", f'{P}.volumeMounts[1].name: Not found: ""',
        f'{P}.volumeMounts[1].mountPath: Invalid value: "/a": must be unique',
        f'{P}.volumeMounts[2].name: Not found: "v"', f"{P}.volumeMounts[2].mountPath: Required value",
        f"{P}.volumeMounts.subPath: Invalid value: \"../x\": must not contain '..'",
    ]  # fmt: skip


def test_probes_and_handlers() -> None:
    assert container(
        livenessProbe={}, readinessProbe={"tcpSocket": {"port": "http"}, "terminationGracePeriodSeconds": 1},
        startupProbe={"exec": {}, "httpGet": {"port": 0}, "periodSeconds": -1, "successThreshold": 2},
        lifecycle={"preStop": {"httpGet": {"port": 80, "scheme": "FTP", "httpHeaders": [{"name": "a b"}]}}},
    ) == [
        f"{P}.lifecycle.preStop.httpGet.scheme: Unsupported value: \"FTP\": supported values: \"HTTP\", \"HTTPS\"",
        f"{P}.lifecycle.preStop.httpGet.httpHeaders: Invalid value: \"a b\": a valid HTTP header must consist of alphanumeric "
        "characters or '-'",
        f"{P}.livenessProbe: Required value: must specify a handler type",
        f"{P}.readinessProbe.terminationGracePeriodSeconds: Invalid value: 1: must not be set for readinessProbes",
        f"{P}.startupProbe.exec.command: Required value",
        f"{P}.startupProbe.httpGet: Forbidden: may not specify more than 1 handler type",
        f"{P}.startupProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0",
        f"{P}.startupProbe.successThreshold: Invalid value: 2: must be 1",
    ]  # fmt: skip
    assert pod(initContainers=[{"name": "c", "image": "i", "livenessProbe": {"exec": {"command": ["x"]}}}]) == [
        'spec.initContainers[0].name: Duplicate value: "c"',
        "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
    ]
    sidecar = {"name": "s", "image": "i", "restartPolicy": "Always", "readinessProbe": {"tcpSocket": {"port": 1}}}
    assert Cluster().pod(initContainers=[sidecar])


def test_amounts() -> None:
    resources = {"limits": {"cpu": "1", "foo": "1"}, "requests": {"cpu": "2", "memory": "-1"}}
    assert container(resources=resources, securityContext={"runAsUser": -1}) == [
        f'{P}.resources.limits[foo]: Invalid value: "foo": must be a standard resource type or fully qualified',
        f'{P}.resources.limits[foo]: Invalid value: "foo": must be a standard resource for containers',
        f'{P}.resources.requests[foo]: Invalid value: "foo": must be a standard resource type or fully qualified',
        f'{P}.resources.requests[foo]: Invalid value: "foo": must be a standard resource for containers',
        f'{P}.resources.requests[memory]: Invalid value: "-1": must be greater than or equal to 0',
        f'{P}.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
        f"{P}.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive",
    ]


def test_pods() -> None:
    assert pod(
        restartPolicy="X", dnsPolicy="Y", nodeName="A", activeDeadlineSeconds=0, hostname="a.b", nodeSelector={"a b": "c"},
        hostAliases=[{"ip": "x", "hostnames": ["A"]}], ephemeralContainers=[{**C, "name": "e", "targetContainerName": "d"}],
    ) == [
        'spec.ephemeralContainers[0].targetContainerName: Not found: "d"',
        'spec.restartPolicy: Unsupported value: "X": supported values: "Always", "OnFailure", "Never"',
        'spec.dnsPolicy: Unsupported value: "Y": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
        f'spec.nodeSelector: Invalid value: "a b": {KEY}',
        'spec.nodeName: Invalid value: "A": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '
        "'-' or '.', and must start and end with an alphanumeric character",
        "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive",
        'spec.hostname: Invalid value: "a.b": must not contain dots',
        'spec.hostAliases[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        'spec.hostAliases[0].hostnames[0]: Invalid value: "A": a lowercase RFC 1123 subdomain must consist of lower case '
        "alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
        "spec.ephemeralContainers: Forbidden: cannot be set on create",
    ]  # fmt: skip
    assert pod(dnsPolicy="None") == [
        "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"
    ]
    assert "nameservers" in pod(dnsPolicy="None", dnsConfig={"searches": ["x"]})[0]
    tolerations = [
        {}, {"key": "a", "operator": "X"}, {"key": "a", "operator": "Exists", "value": "x"},
        {"key": "a", "tolerationSeconds": 5}, {"key": "a", "effect": "Z"},
    ]  # fmt: skip
    found = pod(tolerations=tolerations)
    assert [cause.partition(": ")[0].removeprefix("spec.tolerations") for cause in found] == [
        "[0].operator", "[1].operator", "[2].operator", "[3].effect", "[4].effect",
    ]  # fmt: skip


S = "spec.selector"
MISMATCH = "spec.template.metadata.labels: Invalid value: {}: `selector` does not match template `labels`"


@pytest.mark.parametrize("kind", [DEPLOYMENT, REPLICA_SET, STATEFUL_SET])
def test_selectors_and_templates(kind: Kind) -> None:
    found = MISMATCH.format('{"app":"x"}')
    word = "statefulset" if kind == STATEFUL_SET else "deployment"
    assert causes(kind, spec=workload(selector=None)) == [f"{S}: Required value", found]
    assert causes(kind, spec=workload(selector={})) == [
        f"{S}: Invalid value: {{}}: empty selector is invalid for {word}"
    ]
    assert causes(kind, spec=workload(selector={"matchLabels": {"a": "b"}})) == [found]
    assert causes(kind, spec=workload(template={})) == [
        MISMATCH.format("null"), "spec.template.spec.containers: Required value",
    ]  # fmt: skip
    terms = [
        {"key": "a b", "operator": "In"},
        {"key": "a", "operator": "Exists", "values": ["x"]},
        {"key": "a", "operator": "Is"},
    ]
    assert causes(kind, spec=workload(selector={"matchExpressions": terms}))[:4] == [
        f"{S}.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
        f'{S}.matchExpressions[0].key: Invalid value: "a b": {KEY}',
        f"{S}.matchExpressions[1].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
        f'{S}.matchExpressions[2].operator: Invalid value: "Is": not a valid selector operator',
    ]
    template = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{}], "restartPolicy": "Never"}}
    template["spec"]["activeDeadlineSeconds"] = 5  # type: ignore[index]
    owner = "StatefulSet" if kind == STATEFUL_SET else "ReplicaSet"
    assert causes(kind, spec=workload(template=template, replicas=-1)) == [
        "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
        f"spec.template.{P}.name: Required value", f"spec.template.{P}.image: Required value",
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
        f"spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in {owner} is not Supported",
    ]  # fmt: skip


R = "spec.strategy.rollingUpdate"


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (
            {"type": "X"},
            'spec.strategy: Unsupported value: {"type":"X"}: supported values: "Recreate", "RollingUpdate"',
        ),
        (
            {"type": "Recreate", "rollingUpdate": {}},
            f"{R}: Forbidden: may not be specified when strategy `type` is 'Recreate'",
        ),
        (
            {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}},
            f"{R}.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0",
        ),
        (
            {"rollingUpdate": {"maxSurge": "0%", "maxUnavailable": "0%"}},
            f'{R}.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0',
        ),
        ({"rollingUpdate": {"maxSurge": -1}}, f"{R}.maxSurge: Invalid value: -1: must be greater than or equal to 0"),
        (
            {"rollingUpdate": {"maxSurge": "x"}},
            f"{R}.maxSurge: Invalid value: \"x\": a valid percent string must be a numeric string followed by an ending '%'",
        ),
        (
            {"rollingUpdate": {"maxUnavailable": "101%"}},
            f'{R}.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
        ),
    ],
)
def test_rollouts(strategy: Object, expected: str) -> None:
    assert causes(DEPLOYMENT, spec=workload(strategy=strategy)) == [expected]


def test_deployments() -> None:
    assert causes(
        DEPLOYMENT, spec=workload(minReadySeconds=-1, revisionHistoryLimit=-1, progressDeadlineSeconds=-1)
    ) == [
        "spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0",
        "spec.revisionHistoryLimit: Invalid value: -1: must be greater than or equal to 0",
        "spec.progressDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0",
        "spec.progressDeadlineSeconds: Invalid value: -1: must be greater than minReadySeconds",
    ]
    cluster = Cluster()
    cluster.deployment()
    labels = {"matchLabels": {"app": "x", "b": "c"}}
    with refused(422, "Invalid") as error:
        cluster.patch(DEPLOYMENT, "ns", "d", MERGE, {"spec": {"selector": labels}})
    assert error.message == (
        'Deployment.apps "d" is invalid: [spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not '
        'match template `labels`, spec.selector: Invalid value: {"matchLabels":{"app":"x","b":"c"}}: field is immutable]'
    )


def test_stateful_sets() -> None:
    assert causes(STATEFUL_SET, spec=workload(podManagementPolicy="X", updateStrategy={"type": "Y"}, serviceName="A")) == [
        "spec.podManagementPolicy: Invalid value: \"X\": must be 'OrderedReady' or 'Parallel'",
        "spec.updateStrategy: Invalid value: {\"type\":\"Y\"}: must be 'RollingUpdate' or 'OnDelete'",
        f'spec.serviceName: Invalid value: "A": {LABEL}',
    ]  # fmt: skip
    strategy = {"type": "OnDelete", "rollingUpdate": {"partition": 1}}
    assert causes(STATEFUL_SET, spec=workload(updateStrategy=strategy)) == [
        "spec.updateStrategy.rollingUpdate: Invalid value: {\"partition\":1}: only allowed for updateStrategy 'RollingUpdate'"
    ]  # fmt: skip
    claim = {"metadata": {"name": "v"}, "spec": {"accessModes": ["ReadWriteOnce"]}}
    spec = workload(volumeClaimTemplates=[claim])
    spec["template"]["spec"]["containers"][0]["volumeMounts"] = [{"name": "v", "mountPath": "/x"}]
    cluster = Cluster()
    assert cluster.make(STATEFUL_SET, "s", spec=spec)
    with refused(422, "Invalid") as error:
        cluster.patch(STATEFUL_SET, "ns", "s", MERGE, {"spec": {"serviceName": "x"}})
    assert error.message == (
        "StatefulSet.apps \"s\" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', "
        "'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
        "'minReadySeconds' are forbidden"
    )
    cluster.patch(STATEFUL_SET, "ns", "s", MERGE, {"spec": {"replicas": 3, "minReadySeconds": 1}})


def service(**spec: Any) -> list[str]:
    return causes(SERVICE, spec={"ports": [{"port": 80}], **spec})


def test_services() -> None:
    assert service(ports=[]) == ["spec.ports: Required value"]
    assert service(ports=[{"port": 80}, {"port": 80}]) == [
        "spec.ports[0].name: Required value", "spec.ports[1].name: Required value",
        'spec.ports[1]: Duplicate value: {"port":80,"protocol":"TCP"}',
    ]  # fmt: skip
    assert service(
        ports=[{"name": "a", "port": 0}, {"name": "a", "port": 70000, "targetPort": "A", "protocol": "X"}]
    ) == [
        "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
        "spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive",
        'spec.ports[1].name: Duplicate value: "a"',
        "spec.ports[1].port: Invalid value: 70000: must be between 1 and 65535, inclusive",
        'spec.ports[1].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
        'spec.ports[1].targetPort: Invalid value: "A": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
        'spec.ports[1].targetPort: Invalid value: "A": must contain at least one letter (a-z)',
    ]
    assert service(ports=[{"port": 80, "nodePort": 30500}]) == [
        "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"
    ]
    assert service(type="X", sessionAffinity="Y") == [
        'spec.sessionAffinity: Unsupported value: "Y": supported values: "ClientIP", "None"',
        'spec.type: Unsupported value: "X": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    ]
    assert service(clusterIP="None", type="NodePort") == [
        "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services"
    ]
    assert service(type="ExternalName", clusterIP="10.96.0.7") == [
        "spec.clusterIPs: Forbidden: may not be set for ExternalName services", "spec.externalName: Required value",
    ]  # fmt: skip
    sticky = {"clientIP": {"timeoutSeconds": 90000}}
    assert service(sessionAffinity="ClientIP", sessionAffinityConfig=sticky, externalTrafficPolicy="Local") == [
        "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 90000: must be greater than 0 and less than 86400",
        'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
    ]
    assert service(loadBalancerClass="x", clusterIP="None") == [
        "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'"
    ]


def test_what_may_change_of_a_pod() -> None:
    cluster = Cluster()
    cluster.pod(nodeName="n")
    container = {"name": "c", "image": "j"}
    assert (
        cluster.patch(POD, "ns", "p", STRATEGIC, {"spec": {"containers": [container]}})["metadata"]["generation"] == 2
    )
    cluster.patch(POD, "ns", "p", MERGE, {"spec": {"activeDeadlineSeconds": 50}})
    found = cluster.patch(POD, "ns", "p", MERGE, {"spec": {"tolerations": []}})
    assert len(found["spec"]["tolerations"]) == 2, "filled in again"
    with refused(422, "Invalid") as error:
        cluster.patch(POD, "ns", "p", MERGE, {"spec": {"nodeName": "m", "containers": [{**container, "args": ["x"]}]}})
    assert error.message == (
        'Pod "p" is invalid: spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,'
        "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
        "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n"
        "  spec.containers[0].args: was None, would be ['x']\n"
        "  spec.nodeName: was 'n', would be 'm'"
    )
    for spec, words in (
        (
            {"containers": [container, C | {"name": "d"}]},
            "spec.containers: Forbidden: pod updates may not add or remove",
        ),
        ({"activeDeadlineSeconds": 60}, "must be less than or equal to previous value"),
        ({"activeDeadlineSeconds": None}, "must not update from a positive integer to nil value"),
        ({"containers": [{"name": "c", "image": ""}]}, "spec.containers[0].image: Required value"),
        ({"hostNetwork": True}, "spec.hostNetwork: was None, would be True"),
    ):
        with refused(422, "Invalid") as error:
            cluster.patch(POD, "ns", "p", MERGE, {"spec": spec})
        assert words in error.message


def test_what_never_changes() -> None:
    cluster = Cluster()
    cluster.make(CONFIG_MAP, "c", data={"a": "b"}, immutable=True)
    for patch, field in (({"data": {"a": "c"}}, "data"), ({"immutable": None}, "immutable")):
        with refused(422, "Invalid") as error:
            cluster.patch(CONFIG_MAP, "ns", "c", MERGE, patch)
        assert (
            error.message == f'ConfigMap "c" is invalid: {field}: Forbidden: field is immutable when `immutable` is set'
        )
    cluster.patch(CONFIG_MAP, "ns", "c", MERGE, {"metadata": {"labels": {"a": "b"}}})
    cluster.make(SECRET, "s")
    cluster.make(ENDPOINT_SLICE, "e", addressType="IPv4")
    cluster.make(CONTROLLER_REVISION, "r", data={"a": 1}, revision=1)
    for kind, name, change in (
        (SECRET, "s", {"type": "x"}), (ENDPOINT_SLICE, "e", {"addressType": "IPv6"}), (CONTROLLER_REVISION, "r", {"data": {"a": 2}}),
    ):  # fmt: skip
        with refused(422, "Invalid") as error:
            cluster.patch(kind, "ns", name, MERGE, change)
        assert error.message.endswith("field is immutable")


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        (CONFIG_MAP, {"data": {"a": "b"}, "binaryData": {"a": "YQ=="}}, ['data[a]: Invalid value: "a": duplicate of key present in binaryData']),
        (CONFIG_MAP, {"data": {"..": "b"}}, ["data[..]: Invalid value: \"..\": must not be '..'"]),
        (CONFIG_MAP, {"data": {"a": "x" * 1_100_000}}, ["[]: Too long: may not be more than 1048576 bytes"]),
        (SECRET, {"type": "kubernetes.io/tls"}, ["data[tls.crt]: Required value", "data[tls.key]: Required value"]),
        (SECRET, {"type": "kubernetes.io/basic-auth"}, ["data[username]: Required value", "data[password]: Required value"]),
        (SECRET, {"stringData": {"..a": ""}}, ["data[..a]: Invalid value: \"..a\": must not start with '..'"]),
        (ENDPOINTS, {"subsets": [{}]}, ["subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`"]),
        (
            ENDPOINTS, {"subsets": [{"addresses": [{"ip": "127.0.0.1"}, {"ip": "0.0.0.0"}], "ports": [{"port": 0}]}]},
            [
                'subsets[0].addresses[0].ip: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
                'subsets[0].addresses[1].ip: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)',
                "subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
            ],
        ),
        (ENDPOINT_SLICE, {}, ["addressType: Required value"]),
        (
            ENDPOINT_SLICE, {"addressType": "IPv4", "endpoints": [{}, {"addresses": ["x"]}], "ports": [{}, {}]},
            [
                'ports[1].name: Duplicate value: ""', "endpoints[0].addresses: Required value: must contain at least 1 address",
                'endpoints[1].addresses[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
            ],
        ),
        (LEASE, {"spec": {"leaseDurationSeconds": 0}}, ["spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"]),
        (
            CONTROLLER_REVISION, {"revision": -1},
            ["revision: Invalid value: -1: must be greater than or equal to 0", "data: Required value: data is mandatory"],
        ),
        (INGRESS, {}, ["spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"]),
        (
            INGRESS, {"spec": {"rules": [{"http": {}}, {"http": {"paths": [{"path": "x", "pathType": "Prefix"}, {}]}}]}},
            [
                "spec.rules[0].http.paths: Required value",
                'spec.rules[1].http.paths[0].path: Invalid value: "x": must be an absolute path',
                'spec.rules[1].http.paths[0].backend: Invalid value: "": resource or service backend is required',
                "spec.rules[1].http.paths[1].pathType: Required value: pathType must be specified",
            ],
        ),
        (
            INGRESS, {"spec": {"defaultBackend": {"service": {"name": "s", "port": {"name": "a", "number": 1}}}}},
            ['spec.defaultBackend: Invalid value: "": cannot set both port name & port number'],
        ),
    ],
)  # fmt: skip
def test_other_kinds(kind: Kind, fields: Object, expected: list[str]) -> None:
    assert causes(kind, **fields) == expected


WORDS = """
    spec containers name image ports port volumes selector matchLabels template metadata labels type clusterIP livenessProbe
    httpGet env valueFrom fieldRef resources limits cpu tolerations strategy rules http paths
"""
TEXTS = ["", "a", "A b", "1", "None", "NodePort", "10.96.0.9"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 70000) | st.sampled_from(TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS.split()), inner),
    max_leaves=25,
)


@given(
    st.sampled_from([POD, DEPLOYMENT, STATEFUL_SET, SERVICE, SECRET, CONFIG_MAP, ENDPOINTS, ENDPOINT_SLICE, INGRESS]),
    JSON,
)
def test_whatever_is_sent_is_stored_or_refused(kind: Kind, spec: Any) -> None:
    cluster = Cluster()
    try:
        made = cluster.make(kind, "x", spec=spec, data=spec, subsets=spec, endpoints=spec)
    except ApiStatusError as error:
        found = error.code
        assert found in (400, 403, 422)
    else:
        assert cluster.replace(kind, "ns", "x", made) is made
