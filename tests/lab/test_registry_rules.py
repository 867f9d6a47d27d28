"""The verbs."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.lab.registry.kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
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
from fairlead.lab.registry.patching import JSON, MERGE, STRATEGIC
from fairlead.lab.registry.reading import Fields
from fairlead.lab.registry.status import ApiStatusError
from fairlead.lab.registry.store import Object
from tests.support.lab_registry import Cluster, named, refused, workload


def test_what_the_server_says_of_an_object() -> None:
    cluster = Cluster()
    made = cluster.create(
        POD, "ns",
        {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "p", "uid": "mine", "generation": 7, "deletionTimestamp": "x", "managedFields": []},
            "spec": {"containers": [{"name": "c", "image": "i"}]}, "status": {"phase": "Running"},
        },
    )  # fmt: skip
    meta = made["metadata"]
    assert meta["creationTimestamp"] == "2026-01-01T00:00:00Z"
    assert meta["generation"] == 1
    assert meta["namespace"] == "ns"
    assert len(meta["uid"]) == 36
    assert meta["uid"][14] == "4"
    assert meta.keys() == {"name", "namespace", "uid", "generation", "creationTimestamp", "resourceVersion"}
    assert made["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    assert cluster.read(POD, "ns", "p") is made


def test_names_are_made_where_none_is_given() -> None:
    cluster = Cluster()
    names = {
        cluster.create(CONFIG_MAP, "ns", {"metadata": {"generateName": "c-"}})["metadata"]["name"] for _ in range(20)
    }
    assert len(names) == 20
    assert all(len(name) == 7 and name.startswith("c-") for name in names)
    long = cluster.create(CONFIG_MAP, "ns", {"metadata": {"generateName": "x" * 100}})["metadata"]["name"]
    assert len(long) == 63


def test_what_is_sent_is_never_kept_nor_changed() -> None:
    cluster = Cluster()
    sent = {**named("d"), "spec": workload()}
    before = deepcopy(sent)
    made = cluster.create(DEPLOYMENT, "ns", sent)
    sent["spec"]["template"]["spec"]["containers"].append({})
    assert len(made["spec"]["template"]["spec"]["containers"]) == 1
    sent["spec"]["template"]["spec"]["containers"].pop()
    assert sent == before


def test_what_cannot_be_created() -> None:
    cluster = Cluster()
    cluster.make(CONFIG_MAP, "a")
    with refused(409, "AlreadyExists") as error:
        cluster.make(CONFIG_MAP, "a")
    assert error.message == 'configmaps "a" already exists'
    with refused(404, "NotFound") as error:
        cluster.create(CONFIG_MAP, "none", named("a"))
    assert error.message == 'namespaces "none" not found'
    with refused(422, "Invalid") as error:
        cluster.create(CONFIG_MAP, "ns", {})
    assert error.message == 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required'
    with refused(400, "BadRequest") as error:
        cluster.create(CONFIG_MAP, "ns", {"metadata": {"name": "a", "namespace": "other"}})
    assert error.message == "the namespace of the provided object does not match the namespace sent on the request"
    with refused(400, "BadRequest") as error:
        cluster.create(CONFIG_MAP, "ns", {"metadata": {"name": "b", "resourceVersion": "1"}})
    assert error.message == "resourceVersion should not be set on objects to be created"
    with refused(400, "BadRequest"):
        cluster.create(NODE, "", {"metadata": {"name": "b", "namespace": "ns"}})
    with refused(400, "BadRequest"):
        cluster.create(CONFIG_MAP, "", named("b"))
    with refused(400, "BadRequest"):
        cluster.create(CONFIG_MAP, "ns", [])


def test_objects_of_another_kind_are_refused() -> None:
    cluster = Cluster()
    with refused(400, "BadRequest") as error:
        cluster.create(DEPLOYMENT, "ns", {"apiVersion": "v1", "kind": "Pod"})
    assert error.message.startswith('Pod in version "v1" cannot be handled as a Deployment')
    with refused(400, "BadRequest") as error:
        cluster.create(DEPLOYMENT, "ns", {"apiVersion": "extensions/v1beta1", "kind": "Deployment"})
    assert error.message == (
        "the API version in the data (extensions/v1beta1) does not match the expected API version (apps/v1)"
    )
    with refused(400, "BadRequest") as error:
        cluster.create(DEPLOYMENT, "ns", {"spec": {"replicas": "1"}})
    assert error.message == (
        'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct '
        "field DeploymentSpec.spec.replicas of type int32"
    )


def test_fields_that_do_not_exist() -> None:
    cluster = Cluster()
    spec = {"containers": [{"name": "c", "image": "i", "imagee": "x"}], "replicas": 1}
    told: list[str] = []
    made = cluster.create(POD, "ns", {**named("p"), "spec": spec}, fields=Fields("Warn", told.append))
    assert told == ['unknown field "spec.containers[0].imagee"', 'unknown field "spec.replicas"']
    assert "replicas" not in made["spec"]
    with refused(400, "BadRequest") as error:
        cluster.create(POD, "ns", {**named("q"), "spec": spec}, fields=Fields("Strict"))
    assert error.message == (
        'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field '
        '"spec.containers[0].imagee", unknown field "spec.replicas"'
    )
    with refused(422, "Invalid") as error:
        cluster.patch(POD, "ns", "p", STRATEGIC, {"spec": {"x": 1}}, fields=Fields("Strict"))
    assert error.message == (
        ' "" is invalid: patch: Invalid value: {"spec":{"x":1}}: strict decoding error: unknown field "spec.x"'
    )
    with refused(422, "Invalid"):
        cluster.patch(POD, "ns", "p", MERGE, {"spec": {"nodeName": 1}})
    with refused(422, "Invalid"):
        cluster.patch(POD, "ns", "p", JSON, [{"op": "replace", "path": "", "value": 1}])
    assert cluster.patch(POD, "ns", "p", MERGE, {"spec": {"x": 1}}) is made


def test_the_second_of_two_writers_is_told() -> None:
    cluster = Cluster()
    first = cluster.make(CONFIG_MAP, "c", data={"a": "1"})
    cluster.replace(CONFIG_MAP, "ns", "c", {**first, "data": {"a": "2"}})
    with refused(409, "Conflict") as error:
        cluster.replace(CONFIG_MAP, "ns", "c", {**first, "data": {"a": "3"}})
    assert error.message == (
        'Operation cannot be fulfilled on configmaps "c": the object has been modified; please apply your changes to '
        "the latest version and try again"
    )
    with refused(409, "Conflict"):
        cluster.patch(
            CONFIG_MAP, "ns", "c", MERGE, {"metadata": {"resourceVersion": first["metadata"]["resourceVersion"]}}
        )
    with refused(409, "Conflict") as error:
        cluster.replace(CONFIG_MAP, "ns", "c", {"metadata": {"name": "c", "uid": "x"}})
    assert "UID in precondition: x" in error.message
    found = cluster.replace(CONFIG_MAP, "ns", "c", {**named("c"), "data": {"a": "4"}})
    assert found["metadata"]["uid"] == first["metadata"]["uid"]
    assert found["data"] == {"a": "4"}
    lease = cluster.make(LEASE, "l")
    with refused(422, "Invalid"):
        cluster.replace(LEASE, "ns", "l", named("l"))
    assert cluster.replace(LEASE, "ns", "l", {**lease, "spec": {"holderIdentity": "me"}})["spec"]


def test_the_same_again_changes_nothing() -> None:
    cluster = Cluster()
    for kind, fields in (
        (POD, {"spec": {"containers": [{"name": "c", "image": "i", "resources": {"limits": {"cpu": "0.5"}}}]}}),
        (DEPLOYMENT, {"spec": workload()}),
        (STATEFUL_SET, {"spec": workload()}),
        (REPLICA_SET, {"spec": workload()}),
        (SERVICE, {"spec": {"ports": [{"port": 80}], "type": "LoadBalancer"}}),
        (SERVICE_ACCOUNT, {}),
        (SECRET, {"stringData": {"a": "b"}}),
        (NODE, {}),
        (INGRESS, {"spec": {"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}}}),
    ):
        made = cluster.make(kind, "x", **fields)
        namespace = "ns" if kind.namespaced else ""
        for again in (
            cluster.replace(kind, namespace, "x", made),
            cluster.patch(kind, namespace, "x", STRATEGIC, {**fields, "metadata": {"name": "x"}}),
            cluster.patch(kind, namespace, "x", MERGE, {}),
        ):
            assert again is made, kind


def test_what_a_client_cannot_set() -> None:
    cluster = Cluster()
    made = cluster.deployment()
    meta = {**made["metadata"], "creationTimestamp": "2000-01-01T00:00:00Z", "generation": 9, "deletionTimestamp": "x"}
    found = cluster.replace(DEPLOYMENT, "ns", "d", {**made, "metadata": meta, "status": {"replicas": 5}})
    assert found is made


def test_changes_are_counted() -> None:
    cluster = Cluster()
    cluster.deployment()

    def generation(**patch: Any) -> int:
        return int(cluster.patch(DEPLOYMENT, "ns", "d", MERGE, patch)["metadata"]["generation"])

    assert generation(spec={"replicas": 2}) == 2
    assert generation(metadata={"labels": {"a": "b"}}) == 2
    assert generation(metadata={"annotations": {"a": "b"}}) == 3
    assert generation(status={"replicas": 1}) == 3
    assert generation(spec={"replicas": 2}) == 3
    told = {"metadata": {"annotations": {"revision": "1"}}, "status": {"replicas": 1}}  # by its controller
    found = cluster.patch(DEPLOYMENT, "ns", "d", MERGE, told, subresource="status")
    assert found["metadata"]["annotations"]["revision"] == "1"
    assert found["metadata"]["generation"] == 3
    assert found["status"] == {"replicas": 1}


def test_status_and_the_rest_are_written_apart() -> None:
    cluster = Cluster()
    made = cluster.pod(nodeName="n")
    change = {
        **made, "spec": {"containers": []}, "status": {"phase": "Running", "qosClass": "x", "podIP": "10.0.0.1"},
        "metadata": {**made["metadata"], "labels": {"a": "b"}, "ownerReferences": [{"name": "x"}]},
    }  # fmt: skip
    found = cluster.replace(POD, "ns", "p", change, subresource="status")
    assert found["spec"] == made["spec"]
    assert found["status"] == {"phase": "Running", "qosClass": "BestEffort", "podIP": "10.0.0.1"}
    assert found["metadata"]["labels"] == {"a": "b"}
    assert "ownerReferences" not in found["metadata"]
    found = cluster.replace(POD, "ns", "p", {**found, "status": {"phase": "Failed"}})
    assert found["status"]["phase"] == "Running"
    cluster.deployment()
    patch = {"metadata": {"labels": {"a": "b"}}, "status": {"replicas": 1}}
    found = cluster.patch(DEPLOYMENT, "ns", "d", STRATEGIC, patch, subresource="status")
    assert found["status"] == {"replicas": 1}
    assert "labels" not in found["metadata"]


def test_parts_that_there_are_not() -> None:
    cluster = Cluster()
    cluster.pod()
    for kind, part in ((POD, "scale"), (POD, "log"), (CONFIG_MAP, "status"), (POD, "x")):
        with refused(405, "MethodNotAllowed") as error:
            cluster.patch(kind, "ns", "p", MERGE, {}, subresource=part)
        assert "the lab" in error.message


def test_put_makes_some_kinds() -> None:
    cluster = Cluster()
    for kind in (ENDPOINTS, LEASE):
        value = {"metadata": {"name": "x", "resourceVersion": "1"}}
        assert cluster.replace(kind, "ns", "x", value)["metadata"]["uid"]
    with refused(404, "NotFound"):
        cluster.replace(CONFIG_MAP, "ns", "x", named("x"))
    with refused(400, "BadRequest") as error:
        cluster.replace(CONFIG_MAP, "ns", "x", named("y"))
    assert error.message == "the name of the object (y) does not match the name on the URL (x)"
    with refused(400, "BadRequest"):
        cluster.replace(CONFIG_MAP, "ns", "x", {})
    with refused(404, "NotFound"):
        cluster.patch(CONFIG_MAP, "ns", "x", MERGE, {})


def test_a_patch_cannot_rename() -> None:
    cluster = Cluster()
    cluster.make(CONFIG_MAP, "a")
    with refused(400, "BadRequest") as error:
        cluster.patch(CONFIG_MAP, "ns", "a", MERGE, named("b"))
    assert error.message == "the name of the object (b) does not match the name on the URL (a)"
    with refused(422, "Invalid") as error:
        cluster.patch(CONFIG_MAP, "ns", "a", MERGE, {"metadata": {"uid": "b"}})
    assert error.message == 'ConfigMap "a" is invalid: metadata.uid: Invalid value: "b": field is immutable'
    with refused(400, "BadRequest"):
        cluster.patch(CONFIG_MAP, "ns", "a", MERGE, {"metadata": {"namespace": "b"}})


def test_scale() -> None:
    cluster = Cluster()
    made = cluster.deployment()
    scale = cluster.read(DEPLOYMENT, "ns", "d", "scale")
    assert scale["apiVersion"] == "autoscaling/v1"
    assert scale["spec"] == {"replicas": 1}
    assert scale["status"] == {"replicas": 0, "selector": "app=x"}
    assert scale["metadata"].keys() == {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}
    found = cluster.patch(DEPLOYMENT, "ns", "d", MERGE, {"spec": {"replicas": 3}}, subresource="scale")
    assert found["spec"] == {"replicas": 3}
    after = cluster.read(DEPLOYMENT, "ns", "d")
    assert after["spec"] == {**made["spec"], "replicas": 3}
    assert after["metadata"]["generation"] == 2
    with refused(409, "Conflict"):
        cluster.replace(DEPLOYMENT, "ns", "d", scale, subresource="scale")
    found = cluster.replace(DEPLOYMENT, "ns", "d", {**found, "spec": {}}, subresource="scale")
    assert found["spec"] == {"replicas": 0}
    with refused(422, "Invalid") as error:
        cluster.patch(DEPLOYMENT, "ns", "d", MERGE, {"spec": {"replicas": -1}}, subresource="scale")
    assert error.message == (
        'Scale.autoscaling "d" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0'
    )


def test_dry_runs_leave_no_trace() -> None:
    cluster = Cluster()
    made = cluster.pod(nodeName="n")
    revision = cluster.store.revision
    assert (
        "resourceVersion"
        not in cluster.create(POD, "ns", {**named("q"), "spec": made["spec"]}, dry_run=True)["metadata"]
    )
    patch = {"metadata": {"labels": {"a": "b"}}}
    assert cluster.patch(POD, "ns", "p", MERGE, patch, dry_run=True)["metadata"]["labels"] == {"a": "b"}
    assert cluster.delete(POD, "ns", "p", dry_run=True)["metadata"]["deletionTimestamp"]
    cluster.delete(POD, "ns", "p", {"gracePeriodSeconds": 0}, dry_run=True)
    cluster.delete_all(POD, "ns", dry_run=True)
    assert cluster.store.revision == revision
    assert cluster.get(POD, "p") is made


def test_selecting() -> None:
    cluster = Cluster()
    for name, app in (("a", "x"), ("b", "y"), ("c", "x")):
        cluster.create(CONFIG_MAP, "ns", {"metadata": {"name": name, "labels": {"app": app}}})
    found, revision = cluster.select(CONFIG_MAP, "ns", "app=x", "metadata.name!=a")
    assert [value["metadata"]["name"] for value in found] == ["c"]
    assert revision == cluster.store.revision
    assert len(cluster.select(CONFIG_MAP, "")[0]) == 3
    assert cluster.select(CONFIG_MAP, "none")[0] == []


def test_the_words_for_a_deletion() -> None:
    cluster = Cluster()
    made = cluster.make(CONFIG_MAP, "c")
    assert cluster.delete(CONFIG_MAP, "ns", "c") == {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": {"name": "c", "kind": "configmaps", "uid": made["metadata"]["uid"]},
    }  # fmt: skip
    with refused(404, "NotFound"):
        cluster.delete(CONFIG_MAP, "ns", "c")
    cluster.make(SERVICE_ACCOUNT, "s")
    assert cluster.delete(SERVICE_ACCOUNT, "ns", "s")["kind"] == "ServiceAccount"


def test_deletions_of_what_is_meant() -> None:
    cluster = Cluster()
    made = cluster.make(CONFIG_MAP, "c")
    with refused(409, "Conflict") as error:
        cluster.delete(CONFIG_MAP, "ns", "c", {"preconditions": {"uid": "x"}})
    assert "the UID in the precondition (x) does not match the UID in record" in error.message
    with refused(409, "Conflict"):
        cluster.delete(CONFIG_MAP, "ns", "c", {"preconditions": {"resourceVersion": "1"}})
    with refused(422, "Invalid") as error:
        cluster.delete(CONFIG_MAP, "ns", "c", {"propagationPolicy": "Now"})
    assert error.message.startswith(
        'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Now"'
    )
    with refused(422, "Invalid"):
        cluster.delete(CONFIG_MAP, "ns", "c", {"propagationPolicy": "Orphan", "orphanDependents": True})
    with refused(400, "BadRequest"):
        cluster.delete(CONFIG_MAP, "ns", "c", [])
    with refused(400, "BadRequest"):
        cluster.delete(CONFIG_MAP, "ns", "c", {"gracePeriodSeconds": "x"})
    cluster.delete(CONFIG_MAP, "ns", "c", {"preconditions": {"uid": made["metadata"]["uid"]}})
    assert cluster.get(CONFIG_MAP, "c") is None


def test_finalizers_are_waited_for() -> None:
    cluster = Cluster()
    cluster.create(CONFIG_MAP, "ns", {"metadata": {"name": "c", "finalizers": ["x.io/a", "x.io/b"]}})
    found = cluster.delete(CONFIG_MAP, "ns", "c")
    assert found["metadata"]["deletionTimestamp"] == "2026-01-01T00:00:00Z"
    assert found["metadata"]["deletionGracePeriodSeconds"] == 0
    cluster.time += timedelta(seconds=5)
    assert cluster.delete(CONFIG_MAP, "ns", "c") == found
    with refused(422, "Invalid") as error:
        cluster.patch(CONFIG_MAP, "ns", "c", MERGE, {"metadata": {"finalizers": ["x.io/a", "x.io/c"]}})
    assert 'found new finalizers []string{"x.io/c"}' in error.message
    cluster.patch(CONFIG_MAP, "ns", "c", MERGE, {"metadata": {"finalizers": ["x.io/a"]}})
    assert cluster.get(CONFIG_MAP, "c") is not None
    cluster.patch(CONFIG_MAP, "ns", "c", MERGE, {"metadata": {"finalizers": None}})
    assert cluster.get(CONFIG_MAP, "c") is None


@pytest.mark.parametrize(
    ("options", "finalizers"),
    [
        ({"propagationPolicy": "Foreground"}, ["foregroundDeletion"]),
        ({"propagationPolicy": "Orphan"}, ["orphan"]),
        ({"orphanDependents": True}, ["orphan"]),
        ({"propagationPolicy": "Background"}, None),
        ({"orphanDependents": False}, None),
        ({}, None),
    ],
)
def test_what_is_left_to_the_garbage_collector(options: Object, finalizers: list[str] | None) -> None:
    cluster = Cluster()
    cluster.deployment()
    found = cluster.delete(DEPLOYMENT, "ns", "d", options)
    assert found["metadata"].get("finalizers") == finalizers
    assert (cluster.get(DEPLOYMENT, "d") is None) == (finalizers is None)
    if finalizers:
        assert found["metadata"]["generation"] == 2
        again = cluster.delete(DEPLOYMENT, "ns", "d", {"propagationPolicy": "Background"})
        assert again["kind"] == "Status"
        assert cluster.get(DEPLOYMENT, "d") is None


def test_pods_have_time_to_end() -> None:
    cluster = Cluster()
    pod = cluster.pod(nodeName="n")
    found = cluster.delete(POD, "ns", "p")
    assert found["metadata"]["deletionTimestamp"] == "2026-01-01T00:00:30Z"
    assert found["metadata"]["deletionGracePeriodSeconds"] == 30
    assert found["metadata"]["generation"] == 2
    assert cluster.delete(POD, "ns", "p") is found
    assert cluster.delete(POD, "ns", "p", {"gracePeriodSeconds": 40}) is found
    cluster.time += timedelta(seconds=1)
    found = cluster.delete(POD, "ns", "p", {"gracePeriodSeconds": 10})
    assert found["metadata"]["deletionTimestamp"] == "2026-01-01T00:00:10Z"
    assert found["metadata"]["deletionGracePeriodSeconds"] == 10
    cluster.time += timedelta(seconds=5)
    found = cluster.delete(POD, "ns", "p", {"gracePeriodSeconds": 3})
    assert found["metadata"]["deletionTimestamp"] == "2026-01-01T00:00:06Z"
    assert found["metadata"]["deletionGracePeriodSeconds"] == 1
    cluster.finish({**pod, "metadata": {**pod["metadata"], "uid": "another"}})
    assert cluster.get(POD, "p") is found
    cluster.finish(pod)
    cluster.finish(pod)
    assert cluster.get(POD, "p") is None


def test_pods_that_need_no_time() -> None:
    cluster = Cluster()
    cluster.pod("unscheduled")
    assert cluster.delete(POD, "ns", "unscheduled")["kind"] == "Pod"
    cluster.pod("over", nodeName="n")
    cluster.patch(POD, "ns", "over", MERGE, {"status": {"phase": "Succeeded"}}, subresource="status")
    cluster.delete(POD, "ns", "over")
    cluster.pod("forced", nodeName="n")
    cluster.delete(POD, "ns", "forced", {"gracePeriodSeconds": 0})
    cluster.pod("forced-later", nodeName="n")
    cluster.delete(POD, "ns", "forced-later")
    cluster.delete(POD, "ns", "forced-later", {"gracePeriodSeconds": 0})
    assert list(cluster.store.all(POD)) == []
    cluster.pod("negative", nodeName="n")
    found = cluster.delete(POD, "ns", "negative", {"gracePeriodSeconds": -5})
    assert found["metadata"]["deletionGracePeriodSeconds"] == 1


def test_a_pod_with_finalizers_stays_until_they_are_gone() -> None:
    cluster = Cluster()
    pod = cluster.pod(nodeName="n")
    cluster.patch(POD, "ns", "p", MERGE, {"metadata": {"finalizers": ["x.io/a"]}})
    cluster.delete(POD, "ns", "p")
    cluster.finish(pod)
    found = cluster.get(POD, "p")
    assert found is not None
    assert found["metadata"]["deletionGracePeriodSeconds"] == 0
    cluster.patch(POD, "ns", "p", MERGE, {"metadata": {"finalizers": []}})
    assert cluster.get(POD, "p") is None


def test_the_end_of_a_namespace() -> None:
    cluster = Cluster()
    cluster.make(CONFIG_MAP, "c")
    found = cluster.delete(NAMESPACE, "", "ns")
    assert found["status"] == {"phase": "Terminating"}
    assert found["spec"] == {"finalizers": ["kubernetes"]}
    assert cluster.delete(NAMESPACE, "", "ns") is found
    with refused(403, "Forbidden") as error:
        cluster.make(CONFIG_MAP, "d")
    assert error.message == (
        'configmaps "d" is forbidden: unable to create new content in namespace ns because it is being terminated'
    )
    assert error.details["causes"][0]["reason"] == "NamespaceTerminating"
    cluster.delete(CONFIG_MAP, "ns", "c")
    after = cluster.replace(NAMESPACE, "", "ns", {**found, "spec": {"finalizers": []}})
    assert after is found, "only the subresource changes them"
    cluster.replace(NAMESPACE, "", "ns", {**found, "spec": {}}, subresource="finalize")
    assert cluster.get(NAMESPACE, "ns") is None
    for name in ("default", "kube-system", "kube-public"):
        cluster.make(NAMESPACE, name)
        with refused(403, "Forbidden") as error:
            cluster.delete(NAMESPACE, "", name)
        assert error.message == f'namespaces "{name}" is forbidden: this namespace may not be deleted'


def test_deleting_many() -> None:
    cluster = Cluster()
    for name in "abc":
        cluster.create(CONFIG_MAP, "ns", {"metadata": {"name": name, "labels": {"is": name}}})
    assert len(cluster.delete_all(CONFIG_MAP, "ns", "is!=b")) == 2
    assert [value["metadata"]["name"] for value in cluster.store.all(CONFIG_MAP)] == ["b"]


def test_binding() -> None:
    cluster = Cluster()
    cluster.pod()
    assert cluster.bind("ns", "p", {"target": {"kind": "Node", "name": "n"}})["status"] == "Success"
    found = cluster.read(POD, "ns", "p")
    assert found["spec"]["nodeName"] == "n"
    assert found["status"]["conditions"] == [
        {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    ]
    with refused(409, "Conflict") as error:
        cluster.bind("ns", "p", {"target": {"name": "m"}})
    assert error.message == ('Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n"')
    with refused(422, "Invalid"):
        cluster.bind("ns", "p", {"target": {"kind": "Pod"}})


def test_eviction() -> None:
    cluster = Cluster()
    cluster.pod(nodeName="n")
    told = cluster.evict("ns", "p", {"deleteOptions": {"gracePeriodSeconds": 5}})
    assert told["status"] == "Success"
    found = cluster.get(POD, "p")
    assert found is not None
    assert found["metadata"]["deletionGracePeriodSeconds"] == 5


def test_containers_for_debugging() -> None:
    cluster = Cluster()
    made = cluster.pod()
    patch = {
        "spec": {
            "hostNetwork": True,
            "ephemeralContainers": [{"name": "dbg", "image": "i", "targetContainerName": "c"}],
        }
    }
    found = cluster.patch(POD, "ns", "p", STRATEGIC, patch, subresource="ephemeralcontainers")
    assert found["spec"]["ephemeralContainers"][0]["terminationMessagePolicy"] == "File"
    assert found["metadata"]["generation"] == 2
    assert "hostNetwork" not in found["spec"]
    assert made["spec"].items() <= found["spec"].items()
    with refused(422, "Invalid") as error:
        cluster.patch(POD, "ns", "p", MERGE, {"spec": {"ephemeralContainers": None}}, subresource="ephemeralcontainers")
    assert "may not be removed" in error.message
    with refused(422, "Invalid") as error:
        change = {"spec": {"ephemeralContainers": [{"name": "dbg", "image": "j"}]}}
        cluster.patch(POD, "ns", "p", STRATEGIC, change, subresource="ephemeralcontainers")
    assert "may not be changed" in error.message
    with refused(422, "Invalid"):
        cluster.patch(POD, "ns", "p", MERGE, {"spec": {"ephemeralContainers": None}})


def test_events_stay_with_what_they_tell_of() -> None:
    cluster = Cluster()
    cluster.make(EVENT, "e", involvedObject={"kind": "Pod", "namespace": "ns", "name": "p"}, reason="Started")
    with refused(422, "Invalid") as error:
        cluster.make(EVENT, "f", involvedObject={"namespace": "other"})
    assert "does not match event.namespace" in error.message


NAMES = st.sampled_from(["a", "b"])
ACTIONS = st.lists(
    st.tuples(st.sampled_from(["make", "label", "finalize", "delete", "force", "orphan", "release", "finish"]), NAMES),
    max_size=25,
)


@given(st.sampled_from([POD, CONFIG_MAP, DEPLOYMENT]), ACTIONS)
def test_whatever_is_done_everything_can_be_deleted_and_leaves_nothing(
    kind: Kind, actions: list[tuple[str, str]]
) -> None:
    cluster = Cluster()
    for action, name in actions:
        with suppress(ApiStatusError):
            _act(cluster, kind, action, name)
    for value in list(cluster.store.all(kind)):
        cluster.patch(kind, "ns", value["metadata"]["name"], MERGE, {"metadata": {"finalizers": None}})
    cluster.delete_all(kind, "ns", options={"gracePeriodSeconds": 0, "propagationPolicy": "Background"})
    assert list(cluster.store.all(kind)) == []


def _act(cluster: Cluster, kind: Kind, action: str, name: str) -> None:
    if action == "make":
        fields = {POD: {"spec": workload()["template"]["spec"] | {"nodeName": "n"}}, DEPLOYMENT: {"spec": workload()}}
        cluster.make(kind, name, **fields.get(kind, {}))
    elif action == "label":
        cluster.patch(kind, "ns", name, MERGE, {"metadata": {"labels": {"a": action}}})
    elif action in ("finalize", "release"):
        cluster.patch(
            kind, "ns", name, MERGE, {"metadata": {"finalizers": ["x.io/y"] if action == "finalize" else None}}
        )
    elif action == "finish" and kind == POD:
        cluster.finish(cluster.read(POD, "ns", name))
    else:
        options = {"force": {"gracePeriodSeconds": 0}, "orphan": {"propagationPolicy": "Orphan"}}
        cluster.delete(kind, "ns", name, options.get(action))


def test_every_kind_can_be_made_read_and_deleted() -> None:
    cluster = Cluster()
    more: dict[Kind, Object] = {
        POD: {"spec": workload()["template"]["spec"]}, DEPLOYMENT: {"spec": workload()},
        REPLICA_SET: {"spec": workload()}, STATEFUL_SET: {"spec": workload()},
        SERVICE: {"spec": {"ports": [{"port": 1}]}},
        EVENT: {"involvedObject": {"namespace": "ns"}},
        INGRESS: {"spec": {"defaultBackend": {"service": {"name": "s", "port": {"name": "p"}}}}},
    }  # fmt: skip
    for kind in KINDS:
        fields = more.get(kind, {"addressType": "IPv4", "data": {}} if kind.kind not in ("Node", "Namespace") else {})
        made = cluster.make(kind, "one", **fields)
        assert made["kind"] == kind.kind
        assert made["apiVersion"] == kind.api_version
        namespace = "ns" if kind.namespaced else ""
        assert cluster.read(kind, namespace, "one") is made
        cluster.delete(kind, namespace, "one")
        if kind != NAMESPACE:
            assert cluster.get(kind, "one") is None
