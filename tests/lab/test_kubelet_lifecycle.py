"""What is done next for a pod, and how it is told, from its first second to its last."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fairlead.lab.kubelet.facts import Container, Facts, Ran
from fairlead.lab.kubelet.lifecycle import (
    STEADY,
    Action,
    Finish,
    RunSandbox,
    Start,
    Stop,
    StopSandbox,
    decide,
    ended,
    pause,
    phase,
)
from fairlead.lab.kubelet.status import status

T0 = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def pod(*names: str, policy: str = "Always", init: tuple[Any, ...] = (), **meta: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "p", "namespace": "ns", "uid": "u", **meta},
        "spec": {
            "restartPolicy": policy,
            "containers": [{"name": name, "image": "i"} for name in names],
            "initContainers": [each if isinstance(each, dict) else {"name": each, "image": "i"} for each in init],
        },
    }


SIDECAR = {"name": "side", "image": "i", "restartPolicy": "Always"}


class Node:
    """Does what is decided, at once, and lets tests end containers."""

    def __init__(self, wanted: dict[str, Any]) -> None:
        self.pod, self.facts, self.clock = wanted, Facts(), 0.0
        self.did: list[Action] = []

    def settle(self) -> list[Action]:
        """Do all there is to do now; what was done."""
        before = len(self.did)
        for _ in range(20):
            actions = decide(self.pod, self.facts, at(self.clock)).actions
            for action in actions:
                self.did.append(action)
                self.do(action)
            if not actions or isinstance(actions[0], Finish):
                break
        return self.did[before:]

    def do(self, action: Action) -> None:
        match action:
            case RunSandbox():
                self.facts.sandbox, self.facts.addresses = "s", ("10.244.0.2",)
            case Start(name):
                container = self.facts.of(name)
                if container.now is not None:
                    container.before, container.restarts = container.now, container.restarts + 1
                container.now, container.ready, container.started = Ran(f"{name}-1", at(self.clock)), True, True
            case Stop(name):
                self.end(name, 143)
            case StopSandbox():
                self.facts.sandbox = ""

    def end(self, name: str, code: int = 0) -> None:
        container = self.facts.of(name)
        assert container.now is not None
        container.now = container.now._replace(finished=at(self.clock), code=code)
        ended(container, at(self.clock))

    @property
    def status(self) -> dict[str, Any]:
        return status(self.pod, self.facts, at(self.clock), "192.0.2.1")

    def reason(self, name: str = "a") -> str:
        [state] = [each["state"] for each in self.status["containerStatuses"] if each["name"] == name]
        return str(next(iter(state.values())).get("reason", next(iter(state))))


def test_from_nothing_to_running_to_nothing() -> None:
    node = Node(pod("a", "b"))
    assert (node.status["phase"], node.reason()) == ("Pending", "ContainerCreating")
    assert node.settle() == [RunSandbox(), Start("a", False), Start("b", False)]
    assert (node.status["phase"], node.reason()) == ("Running", "running")
    assert {each["type"]: each["status"] for each in node.status["conditions"]} == dict.fromkeys(
        ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"), "True"
    )
    node.pod["metadata"] |= {"deletionTimestamp": "x", "deletionGracePeriodSeconds": 5}
    assert node.settle() == [Stop("a", 5), Stop("b", 5), StopSandbox(), Finish()]


def test_init_containers_come_one_after_the_other() -> None:
    node = Node(pod("a", init=("x", "y")))
    assert node.settle() == [RunSandbox(), Start("x", True)]
    assert (node.status["phase"], node.reason()) == ("Pending", "PodInitializing")
    node.end("x")
    assert node.settle() == [Start("y", True)]
    node.end("y", 1)
    assert node.settle() == [Start("y", True)], "the first restart is at once"
    node.end("y")
    assert node.settle() == [Start("a", False)]
    assert node.status["initContainerStatuses"][0]["state"]["terminated"]["reason"] == "Completed"


def test_an_init_container_that_fails_for_good() -> None:
    node = Node(pod("a", policy="Never", init=("x",)))
    node.settle()
    node.end("x", 3)
    assert node.settle() == [StopSandbox()]
    assert node.status["phase"] == "Failed"


def test_sidecars_start_first_run_on_and_end_last() -> None:
    node = Node(pod("a", policy="OnFailure", init=("x", SIDECAR)))
    node.settle()
    node.end("x")
    assert node.settle() == [Start("side", True), Start("a", False)]
    node.end("side", 1)
    assert node.settle() == [Start("side", True)]
    node.end("a")
    assert node.settle() == [Stop("side", 30), StopSandbox()]
    assert node.status["phase"] == "Succeeded"
    other = Node(pod("a", init=(SIDECAR,)))
    other.settle()
    other.pod["metadata"]["deletionTimestamp"] = "x"
    assert other.settle() == [Stop("a", 0), Stop("side", 0), StopSandbox(), Finish()]


@pytest.mark.parametrize(
    ("policy", "code", "again", "result"),
    [
        ("Always", 0, True, "Running"),
        ("Always", 1, True, "Running"),
        ("OnFailure", 0, False, "Succeeded"),
        ("OnFailure", 1, True, "Running"),
        ("Never", 0, False, "Succeeded"),
        ("Never", 1, False, "Failed"),
    ],
)
def test_who_is_started_again(policy: str, code: int, again: bool, result: str) -> None:
    node = Node(pod("a", policy=policy))
    node.settle()
    node.end("a", code)
    assert (Start("a", False) in node.settle()) is again
    assert phase(node.pod, node.facts) == result


def test_pauses_between_restarts_grow_and_are_told() -> None:
    node = Node(pod("a"))
    node.settle()
    pauses = []
    for _ in range(8):
        node.end("a", 1)
        wake = decide(node.pod, node.facts, at(node.clock)).wake
        pauses.append((wake - at(node.clock)).total_seconds() if wake else 0.0)
        if wake:
            assert node.reason() == "CrashLoopBackOff"
            assert node.status["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 1
        node.clock += pauses[-1]
        assert node.settle() == [Start("a", False)]
    assert pauses == [0, 10, 20, 40, 80, 160, 300, 300]
    assert node.status["containerStatuses"][0]["restartCount"] == 8
    node.clock += STEADY
    node.end("a", 1)
    assert node.settle() == [Start("a", False)], "what ran for long is as new"


def test_what_cannot_be_started_is_tried_again_later() -> None:
    node = Node(pod("a", "b"))
    node.facts.sandbox = "s"
    broken = node.facts.of("a")
    broken.trouble, broken.tried, broken.failures = ("ErrImagePull", "no such image"), at(0), 1
    decision = decide(node.pod, node.facts, at(1))
    assert decision.actions == (Start("b", False),)
    assert decision.wake == at(10)
    assert node.reason() == "ErrImagePull"
    assert node.status["phase"] == "Pending"
    assert pause(Container(trouble=("x", ""), failures=2)) == 20


def test_conditions_keep_the_time_of_their_last_change() -> None:
    node = Node(pod("a"))
    node.pod["status"] = node.status
    node.clock = 5
    node.settle()
    second = node.pod["status"] = node.status
    node.clock = 9
    assert node.status == second
    times = {each["type"]: each["lastTransitionTime"] for each in second["conditions"]}
    assert times["PodScheduled"] == "2026-01-01T00:00:00Z"
    assert times["Ready"] == "2026-01-01T00:00:05Z"


def test_a_readiness_gate_keeps_a_pod_from_being_ready() -> None:
    node = Node(pod("a"))
    node.pod["spec"]["readinessGates"] = [{"conditionType": "x/y"}]
    node.settle()
    conditions = {each["type"]: each for each in node.status["conditions"]}
    assert (conditions["ContainersReady"]["status"], conditions["Ready"]["status"]) == ("True", "False")
    node.pod["status"] = {"conditions": [{"type": "x/y", "status": "True", "lastTransitionTime": "x"}]}
    conditions = {each["type"]: each for each in node.status["conditions"]}
    assert conditions["Ready"]["status"] == "True"
    assert conditions["x/y"]["status"] == "True"
