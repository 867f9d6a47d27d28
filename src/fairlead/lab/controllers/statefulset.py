"""StatefulSets: pods with names that stay, made and replaced in the order of their numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from fairlead.lab.controllers.claims import claim, owners
from fairlead.lab.controllers.meta import is_leaving, labels_of, own_key, owned, with_meta
from fairlead.lab.controllers.pods import is_available, is_over, is_ready, next_available, phase
from fairlead.lab.controllers.revisions import History, history, surplus, template_of
from fairlead.lab.controllers.steps import Again, Controller, Create, Delete, Key, Replace, Step, Tell, Write
from fairlead.lab.registry.kinds import CONTROLLER_REVISION, NAMESPACE, POD, STATEFUL_SET
from fairlead.lab.registry.status import ApiStatusError
from fairlead.lab.registry.store import Object, Store

REVISION = "controller-revision-hash"
POD_NAME, POD_INDEX = "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"
_COUNTS = ("readyReplicas", "currentReplicas", "updatedReplicas")


class Places(NamedTuple):
    """The pods of a StatefulSet where they belong."""

    wanted: dict[int, Object | None]
    """By number, in its order; None where there is no pod."""
    condemned: list[Object]
    """Beyond the numbers that are wanted, the highest first."""

    @property
    def pods(self) -> list[Object]:
        """All that there are."""
        return [*(pod for pod in self.wanted.values() if pod), *self.condemned]


def decide(store: Store, key: Key, now: datetime) -> list[Step]:
    """One step: one pod at a time where the order counts, all at once where it does not."""
    found = store.get(STATEFUL_SET, *key)
    if found is None:
        return []
    pods = store.all(POD, key[0])
    claimed = claim(found, STATEFUL_SET, pods, POD, lambda pod: _number(found, pod) is not None)
    if claimed.steps:
        return claimed.steps  # and then they are looked at as they are
    past = history(store, found)
    if past.steps or past.update is None or past.current is None:
        return [] if is_leaving(found) else past.steps
    places = _placed(found, claimed.children)
    steps = _status(found, past, places, now)
    if not is_leaving(found):
        steps += _act(found, past, places, now)
        steps += surplus(found, past, {labels_of(pod).get(REVISION, "") for pod in places.pods})
    when = next_available(places.pods, _min_ready(found), now)
    return [*steps, Again(when)] if when else steps


def refused(store: Store, key: Key, _now: datetime, write: Write, error: ApiStatusError) -> list[Step]:
    """Say that a pod could not be made, or not be deleted."""
    found, namespace = store.get(STATEFUL_SET, *key), store.get(NAMESPACE, "", key[0])
    if found is None or isinstance(write, Replace) or write.kind != POD or namespace is None or is_leaving(namespace):
        return []
    verb, reason = ("Create", "FailedCreate") if isinstance(write, Create) else ("Delete", "FailedDelete")
    name, own = write.value["metadata"]["name"], found["metadata"]["name"]
    text = f"{verb} Pod {name} in StatefulSet {own} failed error: {error.message}"
    return [Tell(found, reason, text, warning=True)]


def _number(found: Object, pod: Object) -> int | None:
    """What stands behind the name of the set; None if it is no pod of the set."""
    match = re.fullmatch(r"(.*)-([0-9]+)", pod["metadata"]["name"])
    return int(match[2]) if match and match[1] == found["metadata"]["name"] else None


def _min_ready(found: Object) -> int:
    return int(found["spec"].get("minReadySeconds", 0))


def _placed(found: Object, pods: list[Object]) -> Places:
    start = (found["spec"].get("ordinals") or {}).get("start", 0)
    by_number = {number: pod for pod in pods if (number := _number(found, pod)) is not None}
    wanted = {number: by_number.pop(number, None) for number in range(start, start + found["spec"]["replicas"])}
    return Places(wanted, [by_number[number] for number in sorted(by_number, reverse=True)])


# What to do


def _act(found: Object, past: History, places: Places, now: datetime) -> list[Step]:
    """Fill the places, empty those that are not wanted any more, and then update: each waits for the one before."""
    ordered = found["spec"].get("podManagementPolicy", "OrderedReady") == "OrderedReady"
    steps, waits = _fill(found, past, places, ordered, now)
    if waits:
        return steps
    more, waits = _empty(found, places, ordered, now)
    steps += more
    return steps if waits or steps else _update(found, past, places, now)


def _fill(found: Object, past: History, places: Places, ordered: bool, now: datetime) -> tuple[list[Step], bool]:
    """The second is whether the rest has to wait."""
    steps = list[Step]()
    for number, pod in places.wanted.items():
        if pod is None:
            steps.append(_make(found, past, number))
        elif is_over(pod):
            steps += [] if is_leaving(pod) else [_delete(found, pod)]
            if not ordered:
                continue
            return steps, True
        if ordered and (pod is None or is_leaving(pod) or not _is_available(found, pod, now)):
            return steps, True
        if pod is not None and labels_of(pod).get(POD_NAME) != pod["metadata"]["name"]:
            name = pod["metadata"]["name"]
            labels = {**labels_of(pod), POD_NAME: name, POD_INDEX: str(number)}
            steps.append(Replace(POD, with_meta(pod, labels=labels)))
    return steps, bool(steps)


def _empty(found: Object, places: Places, ordered: bool, now: datetime) -> tuple[list[Step], bool]:
    if not ordered:
        return [_delete(found, pod) for pod in places.condemned if not is_leaving(pod)], False
    if not places.condemned:
        return [], False
    pod = places.condemned[0]
    if is_leaving(pod):
        return [], True
    # One that is not available holds up the others, unless it is the lowest of those: then it is the one to begin with.
    broken = [each for each in places.condemned if is_leaving(each) or not _is_available(found, each, now)]
    blocked = broken and pod is not broken[-1] and pod in broken
    return ([] if blocked else [_delete(found, pod)]), True


def _update(found: Object, past: History, places: Places, now: datetime) -> list[Step]:
    """From the highest number down to the partition: one that is not of the new revision goes; then wait for it."""
    strategy = found["spec"].get("updateStrategy") or {}
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return []
    assert past.update is not None
    for pod in reversed(list(places.wanted.values())[_partition(strategy) :]):
        if pod is None:
            return []
        if labels_of(pod).get(REVISION) != past.update["metadata"]["name"] and not is_leaving(pod):
            return [_delete(found, pod)]
        if is_leaving(pod) or not _is_available(found, pod, now):
            return []
    return []


def _partition(strategy: Mapping[str, Any]) -> int:
    return int((strategy.get("rollingUpdate") or {}).get("partition", 0))


def _is_available(found: Object, pod: Object, now: datetime) -> bool:
    return is_available(pod, _min_ready(found), now)


# The pods


def _make(found: Object, past: History, number: int) -> Create:
    assert past.update is not None
    assert past.current is not None
    spec, meta = found["spec"], found["metadata"]
    strategy = spec.get("updateStrategy") or {}
    rolling = strategy.get("type", "RollingUpdate") == "RollingUpdate"
    start = (spec.get("ordinals") or {}).get("start", 0)
    revision = past.current if rolling and number < start + _partition(strategy) else past.update
    template = template_of(revision)
    template_meta = template.get("metadata") or {}
    name = f"{meta['name']}-{number}"
    identity = {POD_NAME: name, POD_INDEX: str(number), REVISION: revision["metadata"]["name"]}
    copied = {field: template_meta[field] for field in ("annotations", "finalizers") if template_meta.get(field)}
    pod: Object = {
        "apiVersion": POD.api_version,
        "kind": POD.kind,
        "metadata": {
            **copied,
            "name": name,
            "namespace": meta["namespace"],
            "labels": {**template_meta.get("labels", {}), **identity},
        },
        "spec": {**template["spec"], "hostname": name, **_volumes(found, template, name)},
    }
    if spec.get("serviceName"):
        pod["spec"]["subdomain"] = spec["serviceName"]
    text = f"Create Pod {name} in StatefulSet {meta['name']} successful"
    return Create(POD, owned(pod, found, STATEFUL_SET), Tell(found, "SuccessfulCreate", text))


def _volumes(found: Object, template: Object, name: str) -> dict[str, list[Object]]:
    """Each claim template is a volume of the same name."""
    claims = [each["metadata"]["name"] for each in found["spec"].get("volumeClaimTemplates") or ()]
    if not claims:
        return {}
    made = [{"name": each, "persistentVolumeClaim": {"claimName": f"{each}-{name}"}} for each in claims]
    others = [volume for volume in template["spec"].get("volumes") or () if volume["name"] not in claims]
    return {"volumes": [*made, *others]}


def _delete(found: Object, pod: Object) -> Delete:
    text = f"Delete Pod {pod['metadata']['name']} in StatefulSet {found['metadata']['name']} successful"
    return Delete(POD, pod, told=Tell(found, "SuccessfulDelete", text))


# What it says


def _status(found: Object, past: History, places: Places, now: datetime) -> list[Step]:
    assert past.update is not None
    assert past.current is not None
    current, update = past.current["metadata"]["name"], past.update["metadata"]["name"]
    pods = [pod for pod in places.pods if phase(pod)]
    ready = [pod for pod in pods if phase(pod) == "Running" and is_ready(pod)]
    of = [labels_of(pod).get(REVISION) for pod in pods if not is_leaving(pod)]
    counts = {"readyReplicas": len(ready), "currentReplicas": of.count(current), "updatedReplicas": of.count(update)}
    replicas, rolling = found["spec"]["replicas"], (found["spec"].get("updateStrategy") or {}).get("type")
    if rolling != "OnDelete" and counts["updatedReplicas"] == len(ready) == len(pods) == replicas:
        current, counts["currentReplicas"] = update, counts["updatedReplicas"]
    status = {
        "observedGeneration": found["metadata"].get("generation", 0),
        "replicas": len(pods),
        **{name: counts[name] for name in _COUNTS if counts[name]},
        "currentRevision": current,
        "updateRevision": update,
        "collisionCount": 0,
        "availableReplicas": sum(_is_available(found, pod, now) for pod in ready),
    }
    return [] if status == found.get("status") else [Replace(STATEFUL_SET, {**found, "status": status}, "status")]


CONTROLLER = Controller(
    "statefulset-controller",
    decide,
    {STATEFUL_SET: own_key, POD: owners(STATEFUL_SET), CONTROLLER_REVISION: owners(STATEFUL_SET)},
    refused,
)
