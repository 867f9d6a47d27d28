"""In one word, how a pod is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fairlead.lab.registry.pod_columns import Summary, gates, summary
from fairlead.lab.registry.times import stamp

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
RUNS: dict[str, Any] = {"running": {}}
READY = {"type": "Ready", "status": "True"}
INITIALIZED = {"type": "Initialized", "status": "True"}


def ended(code: int, reason: str = "", **more: Any) -> dict[str, Any]:
    return {"terminated": {"exitCode": code, **({"reason": reason} if reason else {}), **more}}


def waits(reason: str) -> dict[str, Any]:
    return {"waiting": {"reason": reason}}


def status(name: str, state: dict[str, Any], restarts: int = 0, **more: Any) -> dict[str, Any]:
    return {"name": name, "state": state, "restartCount": restarts, "ready": False, **more}


def ready(name: str, restarts: int = 0, **more: Any) -> dict[str, Any]:
    return status(name, RUNS, restarts, **{"ready": True, "started": True, **more})


def pod(
    phase: str,
    *statuses: dict[str, Any],
    init: tuple[dict[str, Any], ...] = (),
    sidecars: str = "",
    conditions: tuple[dict[str, Any], ...] = (),
    total_init: int = 0,
    meta: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    names = [each["name"] for each in init] + [f"more{index}" for index in range(total_init - len(init))]
    return {
        "metadata": meta or {},
        "spec": {
            "containers": [{"name": str(index)} for index in range(len(statuses) or 1)],
            "initContainers": [
                {"name": name, **({"restartPolicy": "Always"} if name in sidecars.split() else {})} for name in names
            ],
        },
        "status": {
            "phase": phase, "containerStatuses": list(statuses), "initContainerStatuses": list(init),
            "conditions": list(conditions), **more,
        },
    }  # fmt: skip


DONE = status("done", ended(0, "Completed"))
GONE = {"deletionTimestamp": stamp(NOW)}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (pod("Pending"), "0/1 Pending"),
        (pod("Pending", conditions=({"type": "PodScheduled", "reason": "SchedulingGated"},)), "0/1 SchedulingGated"),
        (pod("Pending", status("a", waits("ContainerCreating"))), "0/1 ContainerCreating"),
        (pod("Pending", status("a", waits("ErrImagePull"))), "0/1 ErrImagePull"),
        (pod("Pending", status("a", {"waiting": {}})), "0/1 Pending"),
        (pod("Running", ready("a")), "1/1 Running"),
        (pod("Running", status("a", RUNS)), "0/1 Running"),
        (pod("Running", ready("a"), status("b", waits("CrashLoopBackOff"))), "1/2 CrashLoopBackOff"),
        (pod("Running", status("a", waits("First")), status("b", waits("Second"))), "0/2 First"),
        (pod("Running", ready("a"), status("b", ended(1, "Error"))), "1/2 Error"),
        (pod("Running", status("a", ended(3))), "0/1 ExitCode:3"),
        (pod("Running", status("a", ended(0))), "0/1 ExitCode:0"),
        (pod("Running", status("a", ended(137, signal=9))), "0/1 Signal:9"),
        (pod("Succeeded", status("a", ended(0, "Completed"))), "0/1 Completed"),
        (pod("Running", status("a", ended(0, "Completed")), ready("b"), conditions=(READY,)), "1/2 Running"),
        (pod("Running", status("a", ended(0, "Completed")), ready("b")), "1/2 NotReady"),
        (pod("Failed", status("a", ended(0, "Completed")), status("b", ended(1, "Error"))), "0/2 Error"),
        (pod("Failed", reason="Evicted"), "0/1 Evicted"),
        # On their way out.
        (pod("Running", ready("a"), meta=GONE), "1/1 Terminating"),
        (pod("Pending", meta=GONE), "0/1 Terminating"),
        (pod("Succeeded", status("a", ended(0, "Completed")), meta=GONE), "0/1 Completed"),
        (pod("Running", ready("a"), meta=GONE, reason="NodeLost"), "1/1 Unknown"),
        # Init containers.
        (pod("Pending", init=(status("a", RUNS),), total_init=2), "0/1 Init:0/2"),
        (pod("Pending", init=(DONE, status("a", waits("PodInitializing"))), total_init=2), "0/1 Init:1/2"),
        (pod("Pending", init=(DONE, status("a", waits("ErrImagePull")))), "0/1 Init:ErrImagePull"),
        (pod("Pending", init=(status("a", ended(1, "Error")), DONE)), "0/1 Init:Error"),
        (pod("Pending", init=(status("a", ended(2)),)), "0/1 Init:ExitCode:2"),
        (pod("Pending", init=(status("a", ended(137, signal=9)),)), "0/1 Init:Signal:9"),
        (pod("Pending", status("c", waits("PodInitializing")), init=(DONE,)), "0/1 PodInitializing"),
        (pod("Running", ready("c"), init=(status("a", RUNS),), conditions=(INITIALIZED,)), "1/1 Init:0/1"),
        # Sidecars: init containers that stay.
        (pod("Running", ready("c"), init=(ready("s"),), sidecars="s"), "2/2 Running"),
        (pod("Running", ready("c"), init=(ready("s", ready=False),), sidecars="s"), "1/2 Running"),
        (pod("Pending", init=(status("s", RUNS), status("t", {})), sidecars="s t"), "0/3 Init:0/2"),
        (pod("Pending", init=(ready("s"), status("t", {})), sidecars="s t"), "1/3 Init:1/2"),
        ({}, "0/0 "),
    ],
)  # fmt: skip
def test_ready_and_status(value: dict[str, Any], expected: str) -> None:
    found = summary(value, NOW)
    assert f"{found.ready} {found.status}" == expected


def before(seconds: float) -> dict[str, Any]:
    return {"lastState": {"terminated": {"finishedAt": stamp(NOW - timedelta(seconds=seconds))}}}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (pod("Running", ready("a")), "0"),
        (pod("Running", ready("a", 3)), "3"),
        (pod("Running", ready("a", 3, **before(90)), ready("b", 1, **before(600))), "4 (90s ago)"),
        (pod("Running", ready("a", 0, **before(90))), "0"),
        (pod("Pending", init=(status("i", waits("CrashLoopBackOff"), 2, **before(200)),)), "2 (3m20s ago)"),
        (pod("Running", ready("a", 1), init=(status("i", ended(0, "Completed"), 5, **before(1)),)), "1"),
        (pod("Running", ready("a", 1), init=(ready("s", 5, **before(1)),), sidecars="s"), "6 (1s ago)"),
        (pod("Running", ready("a", 1, lastState={"terminated": {"finishedAt": "no time"}})), "1"),
    ],
)
def test_restarts(value: dict[str, Any], expected: str) -> None:
    assert summary(value, NOW).restarts == expected


def test_readiness_gates() -> None:
    value = pod("Running", ready("a"), conditions=({"type": "x", "status": "True"}, {"type": "y", "status": "False"}))
    assert gates(value) == "<none>"
    value["spec"]["readinessGates"] = [{"conditionType": name} for name in "xyz"]
    assert gates(value) == "1/3"


def test_all_three_together() -> None:
    assert summary(pod("Running", ready("a", 2, **before(59))), NOW) == Summary("1/1", "Running", "2 (59s ago)")
