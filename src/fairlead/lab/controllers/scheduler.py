"""The scheduler: on which node a pod runs; with one node, whether it runs there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from fairlead.lab.controllers.fit import Refusal, refusal
from fairlead.lab.controllers.meta import condition, is_leaving, key_of, with_condition
from fairlead.lab.controllers.pods import is_over
from fairlead.lab.controllers.steps import Bind, Controller, Key, Replace, Step, Tell
from fairlead.lab.registry.kinds import NODE, POD
from fairlead.lab.registry.store import Change, Object, Store

NAME = "default-scheduler"


def decide(store: Store, key: Key, now: datetime) -> list[Step]:
    """Bind the pod, or say why not."""
    pod = store.get(POD, *key)
    if pod is None or not _waits(pod):
        return []
    if pod["spec"].get("schedulingGates"):
        return _left(pod, "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates", now)
    refusals = list[Refusal]()
    for node in store.all(NODE):
        name = node["metadata"]["name"]
        others = [each for each in store.all(POD) if each["spec"].get("nodeName") == name and not is_over(each)]
        found = refusal(pod, node, others)
        if found is None:
            return [_bound(pod, name)]
        refusals.append(found)
    text = _text(refusals)
    steps = _left(pod, "Unschedulable", text, now)
    # Told when it is another reason; pods that wait are asked about with each change of another.
    return [*steps, Tell(pod, "FailedScheduling", text, warning=True, action="Scheduling")] if steps else []


def _waits(pod: Object) -> bool:
    ours = pod["spec"].get("schedulerName", NAME) == NAME
    return ours and not pod["spec"].get("nodeName") and not is_leaving(pod) and not is_over(pod)


def _bound(pod: Object, node: str) -> Bind:
    meta = pod["metadata"]
    text = f"Successfully assigned {meta['namespace']}/{meta['name']} to {node}"
    return Bind(pod, node, Tell(pod, "Scheduled", text, action="Binding"))


def _left(pod: Object, reason: str, message: str, now: datetime) -> list[Step]:
    new = {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}
    before = condition(pod, "PodScheduled")
    if before is not None and (before.get("reason"), before.get("message")) == (reason, message):
        return []
    status = pod.get("status", {})
    conditions = with_condition(status.get("conditions") or (), {**new, "lastProbeTime": None}, now)
    return [Replace(POD, {**pod, "status": {**status, "conditions": conditions}}, "status")]


def _text(refusals: list[Refusal]) -> str:
    if not refusals:
        return "no nodes available to schedule pods"
    none = f"0/{len(refusals)} nodes are available: "
    reasons = _counted(reason for each in refusals for reason in each.reasons)
    preemption = _counted(
        "No preemption victims found for incoming pod" if each.unless else "Preemption is not helpful for scheduling"
        for each in refusals
    )
    return f"{none}{reasons}. no new claims to deallocate, preemption: {none}{preemption}."


def _counted(texts: Iterable[str]) -> str:
    return ", ".join(sorted(f"{count} {text}" for text, count in Counter(texts).items()))


def _concerned(store: Store, change: Change) -> Iterator[Key]:
    """Itself; and where another goes, comes to a node or changes there, all that wait."""
    after = change.after
    if change.kind == POD and after is not None and _waits(after):
        yield key_of(after)
        return
    if change.kind == POD and not _gives_way(change):
        return
    for pod in store.all(POD):
        if _waits(pod):
            yield key_of(pod)


def _gives_way(change: Change) -> bool:
    before, after = change.before, change.after
    if before is None:
        return True  # it may be one that others want to be near
    return (
        after is None
        or is_over(after)
        or before["metadata"].get("labels") != after["metadata"].get("labels")
        or (before["spec"] != after["spec"])
    )


CONTROLLER = Controller(NAME, decide, {POD: _concerned, NODE: _concerned})
