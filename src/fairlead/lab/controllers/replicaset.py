"""ReplicaSets: as many pods as were asked for."""

from __future__ import annotations

from datetime import datetime

from fairlead.lab.controllers.claims import claim, owners
from fairlead.lab.controllers.meta import (
    has_labels,
    is_leaving,
    labels_of,
    own_key,
    owned,
    with_condition,
    without_condition,
)
from fairlead.lab.controllers.pods import is_active, is_available, is_over, is_ready, least_worth, next_available
from fairlead.lab.controllers.steps import NAME, Again, Controller, Create, Delete, Key, Replace, Step, Tell, Write
from fairlead.lab.registry.kinds import NAMESPACE, POD, REPLICA_SET
from fairlead.lab.registry.status import ApiStatusError
from fairlead.lab.registry.store import Object, Store

BURST = 20
"""Pods made or deleted in one turn, so that a thousand do not hold up everybody else; the next turn goes on."""
_COUNTS = ("fullyLabeledReplicas", "readyReplicas", "availableReplicas")


def decide(store: Store, key: Key, now: datetime) -> list[Step]:
    """Adopt and release, count, make and delete."""
    found = store.get(REPLICA_SET, *key)
    if found is None:
        return []
    claimed = claim(found, REPLICA_SET, (pod for pod in store.all(POD, key[0]) if not is_over(pod)), POD)
    active = [pod for pod in claimed.children if is_active(pod)]
    difference = 0 if is_leaving(found) else found["spec"]["replicas"] - len(active)
    status = _status(found, active, len(claimed.children) - len(active), now)
    if not difference and "conditions" in status:
        status["conditions"] = without_condition(status["conditions"], "ReplicaFailure")
    steps = claimed.steps
    steps += _put(found, status)
    if difference > 0:
        steps += [_make(found)] * min(difference, BURST)
    elif difference < 0:
        worst = sorted(active, key=least_worth)
        adopted = {step.value["metadata"]["uid"] for step in claimed.steps if isinstance(step, Replace)}
        worst = [pod for pod in worst[:-difference] if pod["metadata"]["uid"] not in adopted]
        steps += [_delete(found, pod) for pod in worst[:BURST]]
    when = next_available(active, found["spec"].get("minReadySeconds", 0), now)
    return [*steps, Again(when)] if when else steps


def refused(store: Store, key: Key, now: datetime, write: Write, error: ApiStatusError) -> list[Step]:
    """Say that a pod could not be made, or not be deleted."""
    found, namespace = store.get(REPLICA_SET, *key), store.get(NAMESPACE, "", key[0])
    if found is None or isinstance(write, Replace) or namespace is None or is_leaving(namespace):
        return []
    making = isinstance(write, Create)
    reason = "FailedCreate" if making else "FailedDelete"
    failure = {"type": "ReplicaFailure", "status": "True", "reason": reason, "message": error.message}
    status = {**found.get("status", {})}
    status["conditions"] = with_condition(status.get("conditions", ()), failure, now)
    verb = "creating" if making else "deleting"
    return [*_put(found, status), Tell(found, reason, f"Error {verb}: {error.message}", warning=True)]


def _status(found: Object, active: list[Object], leaving: int, now: datetime) -> Object:
    template, min_ready = found["spec"]["template"], found["spec"].get("minReadySeconds", 0)
    counts = (
        sum(has_labels(template["metadata"].get("labels", {}), labels_of(pod)) for pod in active),
        sum(is_ready(pod) for pod in active),
        sum(is_available(pod, min_ready, now) for pod in active),
    )
    status = {
        "replicas": len(active),
        **{name: count for name, count in zip(_COUNTS, counts, strict=True) if count},
        "terminatingReplicas": leaving,
        "observedGeneration": found["metadata"].get("generation", 0),
    }
    conditions = found.get("status", {}).get("conditions")
    return {**status, "conditions": conditions} if conditions else status


def _put(found: Object, status: Object) -> list[Step]:
    if not status.get("conditions"):
        status = {name: value for name, value in status.items() if name != "conditions"}
    return [] if found.get("status") == status else [Replace(REPLICA_SET, {**found, "status": status}, "status")]


def _make(found: Object) -> Create:
    template, meta = found["spec"]["template"], found["metadata"]
    pod = {
        "apiVersion": POD.api_version,
        "kind": POD.kind,
        "metadata": {
            **{name: template["metadata"][name] for name in _COPIED if template["metadata"].get(name)},
            "generateName": f"{meta['name']}-",
            "namespace": meta["namespace"],
        },
        "spec": template["spec"],
    }
    return Create(POD, owned(pod, found, REPLICA_SET), Tell(found, "SuccessfulCreate", f"Created pod: {NAME}"))


_COPIED = ("labels", "annotations", "finalizers")


def _delete(found: Object, pod: Object) -> Delete:
    return Delete(POD, pod, told=Tell(found, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}"))


CONTROLLER = Controller("replicaset-controller", decide, {REPLICA_SET: own_key, POD: owners(REPLICA_SET)}, refused)
