"""The status of a pod, from what it says, what is known of it, and the status that it had."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from fairlead.lab.kubelet.facts import Container, Facts, Object, Ran
from fairlead.lab.kubelet.lifecycle import is_sidecar, pause, phase
from fairlead.lab.registry.times import stamp


def status(pod: Object, facts: Facts, now: datetime, node: str) -> Object:
    """All of it, as v1 PodStatus. ``node`` is the node's address."""
    before = pod.get("status", {})
    what = phase(pod, facts)
    init, main = pod["spec"].get("initContainers", []), pod["spec"]["containers"]
    found: Object = {
        **{key: before[key] for key in ("qosClass", "startTime") if key in before},
        "phase": what,
        "conditions": _conditions(pod, facts, what, now),
        "hostIP": node,
        "hostIPs": [{"ip": node}],
        "containerStatuses": [_container(spec, facts, pod, what) for spec in main],
    }
    found.setdefault("startTime", stamp(facts.seen or now))
    found.setdefault("qosClass", _quality([*init, *main]))
    if init:
        found["initContainerStatuses"] = [_container(spec, facts, pod, what) for spec in init]
    addresses = facts.addresses or tuple(each["ip"] for each in before.get("podIPs", ()))
    if addresses:
        found["podIP"] = addresses[0]
        found["podIPs"] = [{"ip": address} for address in addresses]
    return found


def _container(spec: Object, facts: Facts, pod: Object, what: str) -> Object:
    container = facts.of(spec["name"])
    ready = container.runs and container.ready
    if spec in pod["spec"].get("initContainers", ()) and not is_sidecar(spec):
        ready = container.done
    found: Object = {
        "name": spec["name"],
        "image": spec["image"],
        "imageID": "",
        "ready": ready,
        "started": container.runs and container.started,
        "restartCount": container.restarts,
        "state": _state(container, facts, pod, what),
        "lastState": {},
    }
    last = container.before
    if container.now is not None and not container.runs and "terminated" not in found["state"]:
        last = container.now  # it waits for its next start
    if last is not None and not last.runs:
        found["lastState"] = {"terminated": _terminated(last)}
    if container.now is not None:
        found["containerID"] = container.now.id
        found["imageID"] = spec["image"]
    return found


def _state(container: Container, facts: Facts, pod: Object, what: str) -> Object:
    ran = container.now
    if ran is not None and ran.runs:
        return {"running": {"startedAt": stamp(ran.started)}}
    reason, message = container.trouble
    if reason:
        return {"waiting": {"reason": reason, "message": message}}
    if ran is None:
        initial = "PodInitializing" if pod["spec"].get("initContainers") and facts.sandbox else "ContainerCreating"
        return {"waiting": {"reason": initial}}
    again = what in ("Running", "Pending") and "deletionTimestamp" not in pod["metadata"]
    if again and container.failures and pause(container) and not _is_over(container, pod):
        name = container_name(container, pod, facts)
        message = f"back-off {pause(container):g}s restarting failed container={name} pod={_full_name(pod)}"
        return {"waiting": {"reason": "CrashLoopBackOff", "message": message}}
    return {"terminated": _terminated(ran)}


def container_name(container: Container, pod: Object, facts: Facts) -> str:
    """The name of one of the pod's containers."""
    return next((name for name, each in facts.containers.items() if each is container), "")


def _is_over(container: Container, pod: Object) -> bool:
    policy = pod["spec"].get("restartPolicy", "Always")
    return policy == "Never" or (policy == "OnFailure" and container.done)


def _terminated(ran: Ran) -> Object:
    found: Object = {
        "exitCode": ran.code if not ran.signal else 128 + ran.signal,
        "reason": ran.reason,
        "startedAt": stamp(ran.started),
        "finishedAt": stamp(ran.finished) if ran.finished else None,
        "containerID": ran.id,
    }
    if ran.signal:
        found["signal"] = ran.signal
    if ran.message:
        found["message"] = ran.message
    return found


def _conditions(pod: Object, facts: Facts, what: str, now: datetime) -> list[Object]:
    spec = pod["spec"]
    init = [each for each in spec.get("initContainers", ()) if not is_sidecar(each)]
    waits = [each["name"] for each in init if not facts.of(each["name"]).done]
    sidecars = [each for each in spec.get("initContainers", ()) if is_sidecar(each)]
    unready = [each["name"] for each in (*sidecars, *spec["containers"]) if not _ready(facts.of(each["name"]))]
    over = "PodCompleted" if what == "Succeeded" else "PodFailed" if what == "Failed" else ""
    uninitialized = ("ContainersNotInitialized", f"containers with incomplete status: {_brackets(waits)}")
    not_ready = (over, "") if over else ("ContainersNotReady", f"containers with unready status: {_brackets(unready)}")
    ready = not unready and not over
    gates = [gate["conditionType"] for gate in spec.get("readinessGates", ())]
    known = {each["type"]: each for each in pod.get("status", {}).get("conditions", ())}
    closed = [gate for gate in gates if known.get(gate, {}).get("status") != "True"]
    gated = (
        ("ReadinessGatesNotReady", f"the status of pod readiness gate {closed[0]!r} is not True") if closed else None
    )
    wanted = [
        ("PodReadyToStartContainers", bool(facts.sandbox), ("", "")),
        ("Initialized", not waits, ("PodCompleted", "") if over and not waits else uninitialized),
        ("Ready", ready and not closed, not_ready if not ready else gated or ("", "")),
        ("ContainersReady", ready, not_ready),
        ("PodScheduled", True, ("", "")),
    ]
    ours = {each[0] for each in wanted}
    others = [each for each in known.values() if each["type"] not in ours]
    return [*(_condition(*each, known.get(each[0]), now) for each in wanted), *others]


def _condition(kind: str, holds: bool, why: Sequence[str], before: Object | None, now: datetime) -> Object:
    text = "True" if holds else "False"
    same = before is not None and before["status"] == text
    found: Object = {
        "type": kind,
        "status": text,
        "lastProbeTime": None,
        "lastTransitionTime": before["lastTransitionTime"] if same and before is not None else stamp(now),
    }
    reason, message = why
    if reason and (not holds or reason == "PodCompleted"):
        found["reason"] = reason
        if message:
            found["message"] = message
    return found


def _ready(container: Container) -> bool:
    return container.runs and container.ready


def _brackets(names: Iterable[str]) -> str:
    return f"[{' '.join(names)}]"


def _full_name(pod: Object) -> str:
    meta = pod["metadata"]
    return f"{meta['name']}_{meta['namespace']}({meta['uid']})"


def _quality(specs: Sequence[Object]) -> str:
    """The class that its requests and limits make of it (Kubernetes documentation, Pod Quality of Service Classes)."""
    resources = [spec.get("resources", {}) for spec in specs]
    if not any(each.get("limits") or each.get("requests") for each in resources):
        return "BestEffort"
    whole = ("cpu", "memory")
    for each in resources:
        limits = each.get("limits", {})
        requests = {**limits, **each.get("requests", {})}
        if any(name not in limits or requests[name] != limits[name] for name in whole):
            return "Burstable"
    return "Guaranteed"
