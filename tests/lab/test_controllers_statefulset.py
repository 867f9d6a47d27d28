"""StatefulSets and their pods, in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.lab.controllers import garbage, scheduler, statefulset
from fairlead.lab.controllers.meta import condition_is, controller_of
from fairlead.lab.controllers.pods import is_available
from fairlead.lab.registry.kinds import CONTROLLER_REVISION, POD, STATEFUL_SET, Kind
from fairlead.lab.registry.status import ApiStatusError
from fairlead.lab.registry.store import Object
from tests.support.labworld import World, names, namespace, one_node, set_image, set_spec, workload

REVISION = "controller-revision-hash"


def world(starts: Callable[[Object], float] = lambda pod: 2.0, stops: float = 1.0, **spec: Any) -> World:
    made = World(
        statefulset.CONTROLLER, scheduler.CONTROLLER, garbage.CONTROLLER, starts=starts, stops=lambda pod: stops
    )
    made.create(namespace())
    made.create(one_node())
    made.create(workload("StatefulSet", serviceName="peers", **spec))
    return made


def found(made: World) -> Object:
    return made.get(STATEFUL_SET, "web")


def images(made: World) -> list[str]:
    return [pod["spec"]["containers"][0]["image"] for pod in made.all(POD)]


def update(**rolling: Any) -> dict[str, Any]:
    return {"type": "RollingUpdate", "rollingUpdate": rolling}


def test_pods_come_one_after_the_other() -> None:
    made = world()
    for second, expected in ((0, 1), (1, 1), (2, 2), (3, 2), (4, 3), (6, 3)):
        made.advance(second - (made.now - START).total_seconds())
        assert names(made.all(POD)) == ["web-0", "web-1", "web-2"][:expected]
    status = found(made)["status"]
    (revision,) = made.all(CONTROLLER_REVISION)
    assert status == {
        "observedGeneration": 1, "replicas": 3, "readyReplicas": 3, "currentReplicas": 3, "updatedReplicas": 3,
        "availableReplicas": 3, "currentRevision": revision["metadata"]["name"],
        "updateRevision": revision["metadata"]["name"], "collisionCount": 0,
    }  # fmt: skip
    assert made.events("SuccessfulCreate")[0] == "Create Pod web-0 in StatefulSet web successful"


def test_what_a_pod_is_told_of_itself() -> None:
    made = world(volumeClaimTemplates=[{"metadata": {"name": "data"}}])
    pod = made.get(POD, "web-0")
    (revision,) = made.all(CONTROLLER_REVISION)
    assert pod["metadata"]["labels"] == {
        "app": "web",
        "apps.kubernetes.io/pod-index": "0",
        "statefulset.kubernetes.io/pod-name": "web-0",
        REVISION: revision["metadata"]["name"],
    }
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("web-0", "peers")
    assert pod["spec"]["volumes"] == [{"name": "data", "persistentVolumeClaim": {"claimName": "data-web-0"}}]
    owner = controller_of(pod)
    assert owner is not None
    assert owner["kind"] == "StatefulSet"


def test_the_revision_is_what_brings_the_template_back() -> None:
    made = world()
    (revision,) = made.all(CONTROLLER_REVISION)
    template = found(made)["spec"]["template"]
    assert revision["data"] == {"spec": {"template": {**template, "$patch": "replace"}}}
    assert revision["revision"] == 1
    mark = revision["metadata"]["labels"]["controller.kubernetes.io/hash"]
    assert revision["metadata"]["name"] == f"web-{mark}"
    assert revision["metadata"]["labels"]["app"] == "web"


def test_all_at_once_where_the_order_does_not_count() -> None:
    made = world(podManagementPolicy="Parallel", replicas=5)
    assert len(made.all(POD)) == 5
    made.advance(2)
    made.change(STATEFUL_SET, "web", set_spec(replicas=1))
    assert names(made.pods()) == ["web-0"]
    made.advance(2)
    assert names(made.all(POD)) == ["web-0"]


def test_the_highest_goes_first() -> None:
    made = world(stops=5.0)
    made.advance(10)
    made.change(STATEFUL_SET, "web", set_spec(replicas=0))
    for left in (2, 1, 0):
        assert names(made.pods()) == [f"web-{number}" for number in range(left)]
        made.advance(5)
    assert made.all(POD) == []


def test_the_numbers_may_begin_elsewhere() -> None:
    made = world(ordinals={"start": 5}, replicas=2)
    made.advance(10)
    assert names(made.all(POD)) == ["web-5", "web-6"]
    made.change(STATEFUL_SET, "web", set_spec(ordinals={"start": 6}))
    made.advance(10)
    assert names(made.all(POD)) == ["web-6", "web-7"]


def test_an_update_goes_down_from_the_highest() -> None:
    made = world(updateStrategy=update(partition=0))
    made.advance(10)
    old = found(made)["status"]["currentRevision"]
    made.change(STATEFUL_SET, "web", set_image("b"))
    assert names(made.pods()) == ["web-0", "web-1"]
    status = found(made)["status"]
    assert status["currentRevision"] == old != status["updateRevision"]
    made.advance(3)
    assert images(made) == ["a", "a", "b"]
    assert names(made.pods()) == ["web-0", "web-2"]
    made.advance(10)
    assert images(made) == ["b", "b", "b"]
    assert found(made)["status"]["currentRevision"] == status["updateRevision"]
    assert found(made)["status"]["updatedReplicas"] == 3


def test_a_partition_keeps_the_lower_ones() -> None:
    made = world(updateStrategy=update(partition=2))
    made.advance(10)
    made.change(STATEFUL_SET, "web", set_image("b"))
    made.advance(20)
    assert images(made) == ["a", "a", "b"]
    made.rules.delete(POD, "ns", "web-0", {})
    made.advance(10)
    assert images(made) == ["a", "a", "b"]  # it comes back as it was
    assert found(made)["status"]["updatedReplicas"] == 1
    made.change(STATEFUL_SET, "web", set_spec(updateStrategy=update(partition=0)))
    made.advance(20)
    assert images(made) == ["b", "b", "b"]


def test_on_delete_waits_for_the_user() -> None:
    made = world(updateStrategy={"type": "OnDelete"})
    made.advance(10)
    made.change(STATEFUL_SET, "web", set_image("b"))
    made.advance(20)
    assert images(made) == ["a", "a", "a"]
    made.rules.delete(POD, "ns", "web-1", {})
    made.advance(10)
    assert images(made) == ["a", "b", "a"]


def test_an_undo_takes_up_the_old_revision() -> None:
    made = world(revisionHistoryLimit=1)
    made.advance(10)
    first = found(made)["status"]["currentRevision"]
    numbers = dict[str, int]()
    for image in ("b", "a", "c", "d"):
        made.change(STATEFUL_SET, "web", set_image(image))
        made.advance(30)
        numbers = {each["metadata"]["name"]: each["revision"] for each in made.all(CONTROLLER_REVISION)}
        if image == "a":
            assert numbers[first] == 3
    assert sorted(numbers.values()) == [4, 5]
    assert images(made) == ["d", "d", "d"]


def test_the_patch_of_kubectl_rollout_undo() -> None:
    made = world(replicas=1)
    made.advance(10)
    (first,) = made.all(CONTROLLER_REVISION)
    made.change(STATEFUL_SET, "web", set_image("b"))
    made.advance(10)
    made.rules.patch(STATEFUL_SET, "ns", "web", "application/strategic-merge-patch+json", first["data"])
    made.advance(10)
    assert images(made) == ["a"]
    assert found(made)["status"]["currentRevision"] == first["metadata"]["name"]
    assert len(made.all(CONTROLLER_REVISION)) == 2


def test_a_pod_that_ended_is_made_anew() -> None:
    made = world()
    made.advance(10)
    before = made.get(POD, "web-1")
    made.end(before, "Failed")
    made.advance(10)
    assert made.get(POD, "web-1")["metadata"]["uid"] != before["metadata"]["uid"]
    assert len(made.ready()) == 3


def test_nothing_more_comes_while_one_is_not_available() -> None:
    made = world(minReadySeconds=10)
    made.advance(11)
    assert names(made.all(POD)) == ["web-0"]
    made.advance(1)
    assert names(made.all(POD)) == ["web-0", "web-1"]
    assert found(made)["status"]["availableReplicas"] == 1


def test_an_orphan_of_the_right_name_is_adopted() -> None:
    made = world(replicas=2)
    made.advance(10)
    uids = [pod["metadata"]["uid"] for pod in made.all(POD)]
    made.delete(STATEFUL_SET, "web", "Orphan")
    made.create(workload("StatefulSet", replicas=2))
    made.advance(10)
    assert [pod["metadata"]["uid"] for pod in made.all(POD)] == uids
    made.delete(STATEFUL_SET, "web")
    made.advance(10)
    assert made.all(POD) == made.all(CONTROLLER_REVISION) == []


def test_a_pod_that_cannot_be_made() -> None:
    made = world()

    def refuses(kind: Kind, value: Object) -> Exception | None:
        return ApiStatusError(403, "Forbidden", "too many") if kind == POD else None

    made.rules.refuses = refuses
    made.advance(60)
    assert made.events("FailedCreate") == ["Create Pod web-1 in StatefulSet web failed error: too many"]
    made.rules.refuses = lambda kind, value: None
    made.advance(60)
    assert len(made.ready()) == 3


START = World().now


@settings(max_examples=30, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 5), min_size=1, max_size=4),
    partition=st.integers(0, 3),
    times=st.lists(st.floats(0, 6), min_size=1, max_size=5),
    pauses=st.lists(st.floats(0, 12), min_size=4, max_size=4),
)
def test_the_order_is_kept_at_every_step(
    sizes: list[int], partition: int, times: list[float], pauses: list[float]
) -> None:
    turns = iter(range(10**6))
    made = world(lambda pod: times[next(turns) % len(times)], replicas=0, updateStrategy=update(partition=partition))
    known: dict[str, str] = {}

    def check() -> None:
        numbers = {int(pod["metadata"]["name"].rsplit("-")[-1]): pod for pod in made.all(POD)}
        leaving = [pod for pod in numbers.values() if "deletionTimestamp" in pod["metadata"]]
        assert len(leaving) <= 2  # one for an update, and one that is too many
        for number, pod in numbers.items():
            name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
            if name in known and known[name] != uid:
                continue
            if name not in known:  # it was made just now: all below it are available
                assert all(at in numbers and condition_is(numbers[at], "Ready") for at in range(number))
        known.clear()
        known.update({pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in numbers.values()})

    made.checks.append(check)
    for at, (size, pause) in enumerate(zip(sizes, pauses, strict=False)):
        made.change(STATEFUL_SET, "web", set_spec(replicas=size))
        made.advance(pause)
        made.change(STATEFUL_SET, "web", set_image(f"image{at}"))
        made.advance(pause)
    made.advance(300)
    assert len(made.ready()) == sizes[-1]
    last = f"image{len(sizes) - 1}"
    assert all(image == last for image in images(made)[partition:])


@pytest.mark.parametrize("policy", ["OrderedReady", "Parallel"])
def test_updates_never_take_two_at_once(policy: str) -> None:
    made = world(replicas=4, podManagementPolicy=policy)
    made.advance(20)

    def check() -> None:
        assert sum(is_available(pod, 0, made.now) for pod in made.pods()) >= 3

    made.checks.append(check)
    made.change(STATEFUL_SET, "web", set_image("b"))
    made.advance(60)
    assert images(made) == ["b"] * 4
