"""ReplicaSets and their pods, in virtual time."""

from __future__ import annotations

from typing import Any

import pytest

from fairlead.lab.controllers import garbage, replicaset
from fairlead.lab.controllers.meta import condition, controller_of
from fairlead.lab.controllers.pods import DELETION_COST, least_worth
from fairlead.lab.registry.kinds import POD, REPLICA_SET, Kind
from fairlead.lab.registry.status import ApiStatusError
from fairlead.lab.registry.store import Object
from tests.support.labworld import World, names, namespace, set_spec, template, workload


def world(**spec: Any) -> World:
    made = World(replicaset.CONTROLLER, garbage.CONTROLLER)
    made.create(namespace())
    made.create(workload("ReplicaSet", **spec))
    return made


def run(made: World) -> None:
    """Let all pods be on a node, and ready."""
    for pod in made.all(POD):
        made.store.put(POD, {**pod, "spec": {**pod["spec"], "nodeName": "n1"}})
    made.advance(2)


def found(made: World) -> Object:
    return made.get(REPLICA_SET, "web")


def loose_pod(name: str = "loose", **labels: str) -> Object:
    made = template(**labels)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        **made,
        "metadata": {**made["metadata"], "name": name, "namespace": "ns"},
    }


def test_it_has_its_pods_and_counts_them() -> None:
    made = world()
    assert found(made)["status"] == {
        "replicas": 3, "fullyLabeledReplicas": 3, "terminatingReplicas": 0, "observedGeneration": 1,
    }  # fmt: skip
    pod = made.all(POD)[0]
    assert pod["metadata"]["name"].startswith("web-")
    assert pod["metadata"]["labels"] == {"app": "web"}
    assert pod["spec"]["containers"] == found(made)["spec"]["template"]["spec"]["containers"]
    assert f"Created pod: {pod['metadata']['name']}" in made.events("SuccessfulCreate")
    run(made)
    assert found(made)["status"]["readyReplicas"] == found(made)["status"]["availableReplicas"] == 3


def test_it_is_scaled() -> None:
    made = world(replicas=0)
    for replicas in (130, 7, 0):
        made.change(REPLICA_SET, "web", set_spec(replicas=replicas))
        assert len(made.pods()) == found(made)["status"]["replicas"] == replicas


def test_what_is_deleted_or_over_is_made_up_for() -> None:
    made = world()
    run(made)
    made.rules.delete(POD, "ns", made.pods()[0]["metadata"]["name"], {})
    made.settle()
    assert len(made.pods()) == 3
    assert found(made)["status"]["terminatingReplicas"] == 1
    made.end(made.ready()[0], "Failed")
    assert len(made.pods()) == 3


def test_adoption_and_release() -> None:
    made = World(replicaset.CONTROLLER)
    made.create(namespace())
    made.create(loose_pod())
    made.create(loose_pod("other", app="else"))
    made.create(workload("ReplicaSet", replicas=2))
    adopted = controller_of(made.get(POD, "loose"))
    assert adopted is not None
    assert adopted["name"] == "web"
    assert len(made.pods()) == 3

    def relabel(pod: Any) -> None:
        pod["metadata"]["labels"]["app"] = "debug"

    made.change(POD, "loose", relabel)
    assert controller_of(made.get(POD, "loose")) is None
    assert len(made.pods()) == 4
    assert found(made)["status"]["replicas"] == 2


def test_one_too_many_that_is_adopted_goes() -> None:
    made = world(replicas=1)
    run(made)
    made.create(loose_pod())
    assert "loose" not in names(made.all(POD))
    assert len(made.pods()) == 1


def test_a_pod_of_another_is_left_alone() -> None:
    made = world(replicas=1)
    made.create(workload("ReplicaSet", "copy", 2))
    assert len(made.pods()) == 3
    made.delete(REPLICA_SET, "copy")
    assert len(made.pods()) == 1


def test_availability_takes_its_time() -> None:
    made = world(minReadySeconds=10)
    run(made)
    made.advance(9)
    assert "availableReplicas" not in found(made)["status"]
    made.advance(1)
    assert found(made)["status"]["availableReplicas"] == 3


def test_a_pod_that_cannot_be_made() -> None:
    made = World(replicaset.CONTROLLER)
    made.create(namespace())

    def refuses(kind: Kind, value: Object) -> Exception | None:
        return ApiStatusError(403, "Forbidden", "pods are too many") if kind == POD else None

    made.rules.refuses = refuses
    made.create(workload("ReplicaSet"))
    failure = condition(found(made), "ReplicaFailure")
    assert failure is not None
    assert (failure["status"], failure["reason"], failure["message"]) == ("True", "FailedCreate", "pods are too many")
    assert made.events("FailedCreate") == ["Error creating: pods are too many"]
    made.advance(60)
    made.rules.refuses = lambda kind, value: None
    made.advance(60)
    assert len(made.pods()) == 3
    assert condition(found(made), "ReplicaFailure") is None


def pod(
    name: str,
    *,
    node: str = "n1",
    phase: str = "Running",
    ready: int | None = 10,
    created: int = 0,
    cost: str = "",
    restarts: int = 0,
) -> Object:
    conditions = [] if ready is None else [moment(ready)]
    return {
        "metadata": {
            "name": name,
            "creationTimestamp": f"2026-01-01T00:00:{created:02}Z",
            "annotations": {DELETION_COST: cost} if cost else {},
        },
        "spec": {"nodeName": node},
        "status": {"phase": phase, "conditions": conditions, "containerStatuses": [{"restartCount": restarts}]},
    }


def moment(second: int) -> dict[str, str]:
    return {"type": "Ready", "status": "True", "lastTransitionTime": f"2026-01-01T00:00:{second:02}Z"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (pod("z", node="", phase="Pending", ready=None), pod("a", phase="Pending", ready=None)),
        (pod("z", phase="Pending", ready=None), pod("a", phase="Unknown", ready=None)),
        (pod("z", phase="Unknown", ready=None), pod("a", ready=None)),
        (pod("z", ready=None), pod("a")),
        (pod("z", ready=None, cost="100"), pod("a", cost="-5")),
        (pod("z", cost="-1"), pod("a")),
        (pod("z", cost="nonsense"), pod("a", cost="1")),
        (pod("z", ready=20), pod("a", ready=10)),
        (pod("z", restarts=3), pod("a", restarts=1)),
        (pod("z", created=5), pod("a", created=4)),
        (pod("a"), pod("b")),
    ],
)
def test_which_go_first(first: Object, second: Object) -> None:
    assert least_worth(first) < least_worth(second)
