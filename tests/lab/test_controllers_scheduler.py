"""Where pods run, and why they do not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fairlead.lab.controllers import scheduler
from fairlead.lab.controllers.fit import refusal, requests
from fairlead.lab.controllers.meta import condition
from fairlead.lab.registry.kinds import EVENT, NODE, POD
from fairlead.lab.registry.store import Object
from tests.support.labworld import World, namespace, one_node

UNHELPFUL = (
    "no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
)


def pod(name: str = "a", labels: dict[str, str] | None = None, **spec: Any) -> Object:
    meta = {"name": name, "namespace": "ns", "labels": labels or {}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": {"containers": [{"name": "c", "image": "a"}], **spec},
    }


def asking(**amounts: str) -> list[Object]:
    return [{"name": "c", "image": "a", "resources": {"requests": amounts}}]


def world(*values: Object) -> World:
    made = World(scheduler.CONTROLLER)
    for value in (namespace(), *values):
        made.create(value)
    return made


def scheduled(made: World, name: str = "a") -> Any:
    found = condition(made.get(POD, name), "PodScheduled")
    assert found is not None
    return found


def test_a_pod_is_bound_and_told_so() -> None:
    made = world(one_node(), pod())
    assert made.get(POD, "a")["spec"]["nodeName"] == "n1"
    assert scheduled(made)["status"] == "True"
    (event,) = made.all(EVENT)
    assert (event["reason"], event["message"], event["action"], event["reportingComponent"]) == (
        "Scheduled", "Successfully assigned ns/a to n1", "Binding", "default-scheduler",
    )  # fmt: skip


def test_without_a_node_it_waits_for_one() -> None:
    made = world(pod())
    assert scheduled(made)["message"] == "no nodes available to schedule pods"
    made.create(one_node())
    assert scheduled(made)["status"] == "True"


def test_an_unschedulable_pod_says_why_once() -> None:
    made = world(one_node(), pod(nodeSelector={"disk": "ssd"}))
    text = f"0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. {UNHELPFUL}"
    assert (scheduled(made)["reason"], scheduled(made)["message"]) == ("Unschedulable", text)
    made.create(pod("b"))
    assert made.events("FailedScheduling") == [text]

    def label(node: Any) -> None:
        node["metadata"]["labels"]["disk"] = "ssd"

    made.change(NODE, "n1", label, "")
    assert scheduled(made)["status"] == "True"


def test_a_pod_that_goes_makes_room() -> None:
    made = world(one_node(), pod("a", containers=asking(cpu="1500m")), pod("b", containers=asking(cpu="1")))
    assert scheduled(made, "b")["message"] == (
        "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: "
        "0/1 nodes are available: 1 No preemption victims found for incoming pod."
    )
    made.end(made.get(POD, "a"), "Succeeded")
    assert scheduled(made, "b")["status"] == "True"


def test_what_is_not_the_schedulers() -> None:
    made = world(one_node(), pod(schedulerName="mine"), pod("b", schedulingGates=[{"name": "wait"}]))
    assert "nodeName" not in made.get(POD, "a")["spec"]
    assert scheduled(made, "b")["reason"] == "SchedulingGated"
    gated = made.get(POD, "b")
    made.store.put(
        POD, {**gated, "spec": {name: value for name, value in gated["spec"].items() if "Gates" not in name}}
    )
    made.settle()
    assert scheduled(made, "b")["status"] == "True"


TAINT = {"key": "k", "value": "v", "effect": "NoSchedule"}
HOST_PORT = [{"name": "c", "ports": [{"containerPort": 80, "hostPort": 80}]}]
AFFINITY = "requiredDuringSchedulingIgnoredDuringExecution"
SELECTED = "node(s) didn't match Pod's node affinity/selector"


def terms(*expressions: Any) -> Any:
    return {"affinity": {"nodeAffinity": {AFFINITY: {"nodeSelectorTerms": [{"matchExpressions": list(expressions)}]}}}}


def near(kind: str, key: str = "kubernetes.io/hostname", app: str = "x") -> Any:
    return {"affinity": {kind: {AFFINITY: [{"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}}]}}}


@pytest.mark.parametrize(
    ("spec", "node", "reasons"),
    [
        ({}, {}, ()),
        ({}, {"unschedulable": True}, ("node(s) were unschedulable",)),
        ({"tolerations": [{"operator": "Exists"}]}, {"unschedulable": True}, ()),
        ({}, {"taints": [TAINT]}, ("node(s) had untolerated taint(s)",)),
        ({}, {"taints": [{**TAINT, "effect": "PreferNoSchedule"}]}, ()),
        ({"tolerations": [TAINT]}, {"taints": [TAINT]}, ()),
        ({"tolerations": [{"key": "k", "operator": "Exists"}]}, {"taints": [TAINT]}, ()),
        ({"tolerations": [{"key": "k", "value": "w"}]}, {"taints": [TAINT]}, ("node(s) had untolerated taint(s)",)),
        (
            {"tolerations": [{**TAINT, "effect": "NoExecute"}]},
            {"taints": [TAINT]},
            ("node(s) had untolerated taint(s)",),
        ),
        ({"nodeSelector": {"kubernetes.io/os": "linux"}}, {}, ()),
        ({"nodeSelector": {"kubernetes.io/os": "plan9"}}, {}, (SELECTED,)),
        (terms({"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}), {}, ()),
        (terms({"key": "kubernetes.io/os", "operator": "NotIn", "values": ["linux"]}), {}, (SELECTED,)),
        (terms({"key": "gpu", "operator": "Exists"}), {}, (SELECTED,)),
        (terms({"key": "gpu", "operator": "DoesNotExist"}), {}, ()),
        (terms({"key": "size", "operator": "Gt", "values": ["3"]}), {}, (SELECTED,)),
        (terms(), {}, (SELECTED,)),
        ({"containers": HOST_PORT}, {}, ("node(s) didn't have free ports for the requested pod ports",)),
        ({"containers": asking(cpu="3", memory="9Gi")}, {}, ("Insufficient cpu", "Insufficient memory")),
        ({"containers": asking(gpu="1")}, {}, ("Insufficient gpu",)),
        ({"containers": asking(gpu="0")}, {}, ()),
        (near("podAffinity"), {}, ()),
        (near("podAffinity", app="y"), {}, ("node(s) didn't match pod affinity rules",)),
        (near("podAffinity", app="me"), {}, ()),
        (near("podAffinity", key="zone"), {}, ("node(s) didn't match pod affinity rules",)),
        (near("podAntiAffinity"), {}, ("node(s) didn't match pod anti-affinity rules",)),
        (near("podAntiAffinity", app="me"), {}, ()),
        (near("podAntiAffinity", key="zone"), {}, ()),
    ],
)
def test_why_a_node_does_not_take_a_pod(spec: dict[str, Any], node: dict[str, Any], reasons: tuple[str, ...]) -> None:
    there = pod("there", {"app": "x"}, containers=HOST_PORT)
    found = refusal(pod(labels={"app": "me"}, **spec), one_node(**node), [there])
    assert (found.reasons if found else ()) == reasons


def test_those_that_are_there_have_a_say() -> None:
    there = pod("there", **near("podAntiAffinity", app="me"))
    found = refusal(pod(labels={"app": "me"}), one_node(), [there])
    assert found is not None
    assert found.reasons == ("node(s) didn't satisfy existing pods anti-affinity rules",)


def test_too_many_pods() -> None:
    found = refusal(pod(), one_node(), [pod(f"p{at}") for at in range(110)])
    assert found is not None
    assert found.reasons == ("Too many pods",)


def test_what_a_pod_asks_for() -> None:
    sidecar = {**asking(cpu="100m")[0], "restartPolicy": "Always"}
    asked = pod(
        containers=[*asking(cpu="500m", memory="1Gi"), {"name": "d", "resources": {"limits": {"cpu": "250m"}}}],
        initContainers=[*asking(cpu="2"), sidecar, *asking(memory="3Gi")],
        overhead={"cpu": "10m"},
    )
    assert requests(asked) == {"cpu": Decimal("2.01"), "memory": Decimal(3 * 2**30)}
