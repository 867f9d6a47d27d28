"""Deployments with their ReplicaSets and pods, in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fairlead.lab.controllers import deployment, garbage, replicaset, scheduler
from fairlead.lab.controllers.meta import condition, is_controlled_by
from fairlead.lab.controllers.pods import is_available
from fairlead.lab.controllers.rollout import limits
from fairlead.lab.registry.kinds import DEPLOYMENT, POD, REPLICA_SET
from fairlead.lab.registry.status import ApiStatusError
from fairlead.lab.registry.store import Object
from tests.support.labworld import World, copy, namespace, one_node, set_image, set_spec, template, workload

CONTROLLERS = (deployment.CONTROLLER, replicaset.CONTROLLER, scheduler.CONTROLLER, garbage.CONTROLLER)
REVISION = "deployment.kubernetes.io/revision"


def world(starts: Callable[[Object], float] = lambda pod: 2.0, stops: float = 1.0, **spec: Any) -> World:
    made = World(*CONTROLLERS, starts=starts, stops=lambda pod: stops)
    made.create(namespace())
    made.create(one_node())
    spec.setdefault("progressDeadlineSeconds", 600)
    made.create(workload("Deployment", **spec))
    return made


def deploy(made: World) -> Object:
    return made.get(DEPLOYMENT, "web")


def status(made: World) -> dict[str, Any]:
    found = copy(deploy(made)["status"])
    found.pop("conditions")
    return dict(found)


def reasons(made: World) -> dict[str, tuple[str, str]]:
    found = deploy(made)["status"]["conditions"]
    return {each["type"]: (each["status"], each["reason"]) for each in found}


def revisions(made: World) -> dict[str, int]:
    """Pods by revision."""
    sets = made.all(REPLICA_SET)
    return {each["metadata"]["annotations"][REVISION]: each["spec"]["replicas"] for each in sets}


def images(made: World) -> set[str]:
    return {pod["spec"]["containers"][0]["image"] for pod in made.pods()}


def test_a_first_rollout() -> None:
    made = world()
    assert reasons(made) == {
        "Available": ("False", "MinimumReplicasUnavailable"),
        "Progressing": ("True", "ReplicaSetUpdated"),
    }
    made.advance(5)
    assert reasons(made) == {
        "Available": ("True", "MinimumReplicasAvailable"),
        "Progressing": ("True", "NewReplicaSetAvailable"),
    }
    assert status(made) == {
        "observedGeneration": 1, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3,
        "terminatingReplicas": 0,
    }  # fmt: skip
    assert deploy(made)["metadata"]["annotations"] == {REVISION: "1"}
    (only,) = made.all(REPLICA_SET)
    mark = only["metadata"]["labels"]["pod-template-hash"]
    assert only["metadata"]["name"] == f"web-{mark}"
    assert only["metadata"]["annotations"] == {
        REVISION: "1",
        "deployment.kubernetes.io/desired-replicas": "3",
        "deployment.kubernetes.io/max-replicas": "4",
    }
    assert only["spec"]["selector"] == {"matchLabels": {"app": "web", "pod-template-hash": mark}}
    assert only["spec"]["template"]["metadata"]["labels"] == {"app": "web", "pod-template-hash": mark}
    assert only["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": deploy(made)["metadata"]["uid"],
            "controller": True, "blockOwnerDeletion": True,
        }
    ]  # fmt: skip
    assert made.events("ScalingReplicaSet") == [f"Scaled up replica set web-{mark} from 0 to 3"]


def test_a_rolling_update_goes_step_by_step() -> None:
    made = world()
    made.advance(5)
    made.change(DEPLOYMENT, "web", set_image("b"))
    assert revisions(made) == {"1": 3, "2": 1}
    assert status(made)["unavailableReplicas"] == 1
    made.advance(2)
    assert revisions(made) == {"1": 2, "2": 2}
    made.advance(10)
    assert revisions(made) == {"1": 0, "2": 3}
    assert images(made) == {"b"}
    assert reasons(made)["Progressing"] == ("True", "NewReplicaSetAvailable")
    assert deploy(made)["metadata"]["annotations"][REVISION] == "2"
    told = [text.split(" ", 1)[0] + text.rsplit("-", 1)[1][10:] for text in made.events("ScalingReplicaSet")]
    assert len(told) == 1 + 3 + 3


def test_what_comes_back_has_the_highest_revision() -> None:
    made = world()
    for image in ("b", "c"):
        made.advance(20)
        made.change(DEPLOYMENT, "web", set_image(image))
    made.advance(20)
    first = next(each for each in made.all(REPLICA_SET) if each["metadata"]["annotations"][REVISION] == "1")
    made.change(DEPLOYMENT, "web", set_image("a"))  # what kubectl rollout undo --to-revision=1 does
    made.advance(20)
    back = made.get(REPLICA_SET, first["metadata"]["name"])
    assert back["metadata"]["annotations"][REVISION] == "4"
    assert back["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"] == "1"
    assert revisions(made) == {"2": 0, "3": 0, "4": 3}
    assert deploy(made)["metadata"]["annotations"][REVISION] == "4"


def test_a_restart_is_a_rollout_and_a_note_is_copied() -> None:
    made = world()
    made.advance(5)

    def restart(value: Any) -> None:
        value["spec"]["template"]["metadata"]["annotations"] = {"kubectl.kubernetes.io/restartedAt": "now"}
        value["metadata"]["annotations"]["kubernetes.io/change-cause"] = "restart"

    made.change(DEPLOYMENT, "web", restart)
    made.advance(20)
    assert revisions(made) == {"1": 0, "2": 3}
    causes = {
        each["metadata"]["annotations"][REVISION]: each["metadata"]["annotations"].get("kubernetes.io/change-cause")
        for each in made.all(REPLICA_SET)
    }
    assert causes == {"1": None, "2": "restart"}


def test_recreate_waits_for_the_old_pods_to_be_gone() -> None:
    made = world(strategy={"type": "Recreate"}, stops=10.0)
    made.advance(5)
    made.change(DEPLOYMENT, "web", set_image("b"))
    made.advance(9)
    assert revisions(made) == {"1": 0}
    assert len(made.all(POD)) == 3
    made.advance(1)
    assert revisions(made) == {"1": 0, "2": 3}
    made.advance(2)
    assert reasons(made)["Progressing"] == ("True", "NewReplicaSetAvailable")


def test_recreate_grows_and_shrinks() -> None:
    made = world(strategy={"type": "Recreate"})
    made.advance(5)
    for replicas in (5, 2, 0, 1):
        made.change(DEPLOYMENT, "web", set_spec(replicas=replicas))
        made.advance(5)
        assert len(made.pods()) == replicas


def test_paused_it_is_scaled_and_not_rolled_out() -> None:
    made = world(paused=False)
    made.advance(5)
    made.change(DEPLOYMENT, "web", set_spec(paused=True))
    assert reasons(made)["Progressing"] == ("Unknown", "DeploymentPaused")
    made.change(DEPLOYMENT, "web", set_image("b"))
    made.change(DEPLOYMENT, "web", set_spec(replicas=5))
    made.advance(1000)
    assert revisions(made) == {"1": 5}
    assert deploy(made)["status"]["observedGeneration"] == deploy(made)["metadata"]["generation"]
    made.change(DEPLOYMENT, "web", set_spec(paused=False))
    assert revisions(made) == {"1": 4, "2": 3}
    assert reasons(made)["Progressing"] == ("True", "ReplicaSetUpdated")
    made.advance(20)
    assert revisions(made) == {"1": 0, "2": 5}


def test_a_deployment_that_is_paused_from_its_beginning_has_no_pods() -> None:
    made = world(paused=True)
    made.advance(5)
    assert made.all(REPLICA_SET) == []
    made.change(DEPLOYMENT, "web", set_spec(paused=False))
    made.advance(5)
    assert revisions(made) == {"1": 3}


def test_the_deadline() -> None:
    never = 10_000.0
    made = world(
        lambda pod: never if pod["spec"]["containers"][0]["image"] == "bad" else 2.0, progressDeadlineSeconds=60
    )
    made.advance(5)
    made.change(DEPLOYMENT, "web", set_image("bad"))
    made.advance(59)
    assert reasons(made)["Progressing"] == ("True", "ReplicaSetUpdated")
    made.advance(1)
    assert reasons(made)["Progressing"] == ("False", "ProgressDeadlineExceeded")
    assert reasons(made)["Available"] == ("True", "MinimumReplicasAvailable")
    name = next(each["metadata"]["name"] for each in made.all(REPLICA_SET) if each["spec"]["replicas"] == 1)
    progressing = condition(deploy(made), "Progressing")
    assert progressing is not None
    assert progressing["message"] == f'ReplicaSet "{name}" has timed out progressing.'
    made.change(DEPLOYMENT, "web", set_image("a"))
    made.advance(5)
    assert reasons(made)["Progressing"] == ("True", "NewReplicaSetAvailable")


def test_without_a_deadline_nothing_is_said_of_progress() -> None:
    made = world(progressDeadlineSeconds=2**31 - 1)
    made.advance(5)
    assert reasons(made) == {"Available": ("True", "MinimumReplicasAvailable")}


def test_pods_that_cannot_be_made() -> None:
    made = World(*CONTROLLERS)
    made.create(namespace())
    made.rules.refuses = lambda kind, value: ApiStatusError(403, "Forbidden", "no more pods") if kind == POD else None
    made.create(workload("Deployment", progressDeadlineSeconds=600))
    failure = condition(deploy(made), "ReplicaFailure")
    assert failure is not None
    assert (failure["reason"], failure["message"]) == ("FailedCreate", "no more pods")
    made.rules.refuses = lambda kind, value: None
    made.advance(60)
    assert len(made.pods()) == 3
    assert condition(deploy(made), "ReplicaFailure") is None


def test_min_ready_seconds() -> None:
    made = world(minReadySeconds=30)
    made.advance(31)
    assert (status(made)["readyReplicas"], "availableReplicas" in status(made)) == (3, False)
    made.advance(1)
    assert status(made)["availableReplicas"] == 3
    made.change(DEPLOYMENT, "web", set_spec(minReadySeconds=0))
    assert made.all(REPLICA_SET)[0]["spec"]["minReadySeconds"] == 0
    assert len(made.all(REPLICA_SET)) == 1


def test_old_replicasets_are_forgotten() -> None:
    made = world(revisionHistoryLimit=2)
    for image in "bcdef":
        made.advance(20)
        made.change(DEPLOYMENT, "web", set_image(image))
    made.advance(20)
    assert revisions(made) == {"4": 0, "5": 0, "6": 3}


def test_scaling_while_rolling_shares_the_pods() -> None:
    made = world(lambda pod: 2.0 if pod["spec"]["containers"][0]["image"] == "a" else 100.0, replicas=10)
    made.advance(5)
    made.change(DEPLOYMENT, "web", set_image("b"))
    assert revisions(made) == {"1": 8, "2": 5}
    made.change(DEPLOYMENT, "web", set_spec(replicas=20))
    assert revisions(made) == {"1": 15, "2": 10}
    made.advance(500)
    assert revisions(made) == {"1": 0, "2": 20}


def test_a_name_that_is_taken() -> None:
    other = world()
    (first,) = other.all(REPLICA_SET)
    made = World(*CONTROLLERS)
    made.create(namespace())
    made.create(one_node())
    taken = workload("ReplicaSet", first["metadata"]["name"], 1, selector={"matchLabels": {"app": "else"}})
    made.create({**taken, "spec": {**taken["spec"], "template": template(app="else")}})
    made.create(workload("Deployment", progressDeadlineSeconds=600))
    made.advance(5)
    assert deploy(made)["status"]["collisionCount"] == 1
    assert status(made)["availableReplicas"] == 3


def test_an_orphan_is_adopted_and_deletion_takes_all() -> None:
    made = world()
    made.advance(5)
    before = made.all(POD)
    made.delete(DEPLOYMENT, "web", "Orphan")
    made.advance(5)
    assert made.all(POD) == before
    assert "ownerReferences" not in made.all(REPLICA_SET)[0]["metadata"]
    made.create(workload("Deployment", progressDeadlineSeconds=600))
    made.advance(5)
    assert [pod["metadata"]["uid"] for pod in made.all(POD)] == [pod["metadata"]["uid"] for pod in before]
    assert is_controlled_by(made.all(REPLICA_SET)[0], deploy(made))
    made.delete(DEPLOYMENT, "web")
    assert made.all(REPLICA_SET) == []
    made.advance(5)
    assert made.all(POD) == []


def test_deletion_in_the_foreground_ends_with_the_deployment() -> None:
    made = world(stops=10.0)
    made.advance(5)
    made.delete(DEPLOYMENT, "web", "Foreground")
    made.advance(9)
    assert len(made.all(POD)) == 3
    assert [len(made.all(kind)) for kind in (REPLICA_SET, DEPLOYMENT)] == [1, 1]
    made.advance(1)
    assert [len(made.all(kind)) for kind in (POD, REPLICA_SET, DEPLOYMENT)] == [0, 0, 0]


# At every step


def keeps_to_its_limits(made: World) -> None:
    """Between the first rollout and the last there are never too many pods, nor too few that are available."""

    def check() -> None:
        spec = deploy(made)["spec"]
        allowed = limits(spec)
        pods = made.pods()
        assert len(pods) <= allowed.most
        available = [pod for pod in pods if is_available(pod, spec.get("minReadySeconds", 0), made.now)]
        assert len(available) >= allowed.least

    made.checks.append(check)


ZEROS = [(one, other) for one in (0, "0%") for other in (0, "0%")]
SHARES = st.one_of(st.integers(0, 4), st.sampled_from(["0%", "25%", "34%", "50%", "100%"]))


@settings(max_examples=40, deadline=None)
@given(
    replicas=st.integers(0, 7),
    surge=SHARES,
    unavailable=SHARES,
    min_ready=st.sampled_from([0, 0, 3]),
    times=st.lists(st.floats(0, 9), min_size=1, max_size=7),
    pauses=st.lists(st.floats(0, 12), max_size=4),
)
def test_rollouts_keep_to_their_limits(
    replicas: int, surge: int | str, unavailable: int | str, min_ready: int, times: list[float], pauses: list[float]
) -> None:
    assume((surge, unavailable) not in ZEROS)
    turns = iter(range(10**6))
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    made = world(
        lambda pod: times[next(turns) % len(times)],
        replicas=replicas,
        minReadySeconds=min_ready,
        strategy={"type": "RollingUpdate", "rollingUpdate": rolling},
        revisionHistoryLimit=1,
    )
    made.advance(30)
    keeps_to_its_limits(made)
    for at, pause in enumerate(pauses):
        made.change(DEPLOYMENT, "web", set_image(f"image{at}"))
        made.advance(pause)
    made.advance(600)
    assert len(made.ready()) == replicas
    assert len(images(made)) <= 1
    assert reasons(made)["Progressing"] == ("True", "NewReplicaSetAvailable")
    assert len(made.all(REPLICA_SET)) <= 2


@pytest.mark.parametrize("unavailable", ["25%", 1, 2])
def test_a_pod_that_fails_meanwhile_is_made_up_for(unavailable: int | str) -> None:
    made = world(replicas=4, strategy={"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": unavailable}})
    made.advance(5)
    made.change(DEPLOYMENT, "web", set_image("b"))
    made.advance(1)
    made.set_ready(made.ready()[0], False)
    made.end(made.ready()[0], "Failed")
    made.advance(60)
    assert len(made.ready()) == 4
    assert images(made) == {"b"}
