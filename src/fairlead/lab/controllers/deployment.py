"""Deployments: one ReplicaSet for each template that was asked for, and the way from one to the next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from fairlead.lab.controllers import rollout
from fairlead.lab.controllers.claims import claim, owners
from fairlead.lab.controllers.deployment_status import Progress, status
from fairlead.lab.controllers.hashes import short_hash
from fairlead.lab.controllers.meta import (
    age,
    is_controlled_by,
    is_leaving,
    own_key,
    owned,
    owner_key,
    present,
    with_meta,
)
from fairlead.lab.controllers.pods import is_over
from fairlead.lab.controllers.steps import NAME, Again, Controller, Create, Delete, Key, Replace, Step, Tell
from fairlead.lab.registry.kinds import DEPLOYMENT, POD, REPLICA_SET
from fairlead.lab.registry.store import Change, Object, Store

HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
REVISIONS = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MOST = "deployment.kubernetes.io/max-replicas"
_OWN = {
    "kubectl.kubernetes.io/last-applied-configuration", REVISION, REVISIONS, DESIRED, MOST,
    "deprecated.deployment.rollback.to",
}  # fmt: skip
"""Annotations that a ReplicaSet does not take over from its Deployment."""


class Sets(NamedTuple):
    """The ReplicaSets of a Deployment."""

    new: Object | None
    """Of the template as it is now."""
    old: list[Object]
    """The oldest first."""

    @property
    def all(self) -> list[Object]:
        """All of them."""
        return [*self.old, self.new] if self.new else self.old


def decide(store: Store, key: Key, now: datetime) -> list[Step]:
    """One step of a rollout or a scaling, and what there is to say of it."""
    found = store.get(DEPLOYMENT, *key)
    if found is None:
        return []
    claimed = claim(found, DEPLOYMENT, store.all(REPLICA_SET, key[0]), REPLICA_SET)
    if claimed.steps:
        return claimed.steps  # and then they are looked at as they are
    sets = _sorted(found, claimed.children)
    if is_leaving(found):
        return _told(found, sets, Progress(), now)
    renewed = _renewed(found, sets)
    if renewed is not None:
        return [renewed]
    if found["spec"].get("paused") or _is_rescaled(found, sets):
        steps = _rescale(found, sets)
        if found["spec"].get("paused") and not steps:
            steps = _forget(found, sets)
        return [*_told(found, sets, Progress(), now), *steps]
    wants = _wants_new(store, found, sets)
    steps = _create(store, found, sets) if wants else _roll(store, found, sets)
    made = next((step.value["metadata"]["name"] for step in steps if isinstance(step, Create)), "")
    progress = Progress(rolls=True, made=made, collided=wants and not made)
    if not steps and _is_complete(found, sets):
        steps = _forget(found, sets)
    return [*_told(found, sets, progress, now), *steps]


def _sorted(found: Object, children: list[Object]) -> Sets:
    children = sorted(children, key=age)
    new = next((each for each in children if _same_template(found, each)), None)
    return Sets(new, [each for each in children if each is not new])


def _same_template(found: Object, child: Object) -> bool:
    return _unhashed(found["spec"]["template"]) == _unhashed(child["spec"]["template"])


def _unhashed(template: Object) -> Object:
    meta = {name: value for name, value in (template.get("metadata") or {}).items() if value}
    meta["labels"] = {name: value for name, value in meta.get("labels", {}).items() if name != HASH}
    return {**template, "metadata": meta}


def _number(value: Object, annotation: str) -> int:
    text = value["metadata"].get("annotations", {}).get(annotation, "")
    return int(text) if text.isdecimal() else 0


# The new ReplicaSet


def _wants_new(store: Store, found: Object, sets: Sets) -> bool:
    if sets.new is not None:
        return False
    idle = not any(each["spec"]["replicas"] for each in sets.old)
    return _is_rolling(found) or (idle and not _has_pods(store, found, sets.old))


def _is_rolling(found: Object) -> bool:
    return bool(found["spec"].get("strategy", {}).get("type", "RollingUpdate") == "RollingUpdate")


def _create(store: Store, found: Object, sets: Sets) -> list[Step]:
    spec, meta = found["spec"], found["metadata"]
    mark = short_hash(spec["template"], found.get("status", {}).get("collisionCount", 0))
    name = f"{meta['name']}-{mark}"
    if store.get(REPLICA_SET, meta["namespace"], name) is not None:
        return []
    template_meta = spec["template"].get("metadata") or {}
    labels = {**template_meta.get("labels", {}), HASH: mark}
    allowed = rollout.limits(spec)
    size = rollout.first_size(allowed, [_size(each) for each in sets.old], rolling=_is_rolling(found))
    annotations = {
        **_inherited(found),
        REVISION: str(_next_revision(sets)),
        DESIRED: str(allowed.replicas),
        MOST: str(allowed.most),
    }
    child: Object = {
        "apiVersion": REPLICA_SET.api_version,
        "kind": REPLICA_SET.kind,
        "metadata": {"name": name, "namespace": meta["namespace"], "labels": labels, "annotations": annotations},
        "spec": {
            "replicas": size,
            "selector": _narrowed(spec["selector"], mark),
            "template": {**spec["template"], "metadata": {**template_meta, "labels": labels}},
        },
    }
    if spec.get("minReadySeconds"):
        child["spec"]["minReadySeconds"] = spec["minReadySeconds"]
    told = Tell(found, "ScalingReplicaSet", f"Scaled up replica set {NAME} from 0 to {size}") if size else None
    return [Create(REPLICA_SET, owned(child, found, DEPLOYMENT), told)]


def _narrowed(selector: Object, mark: str) -> Object:
    return {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), HASH: mark}}


def _inherited(found: Object) -> dict[str, str]:
    annotations: Mapping[str, str] = found["metadata"].get("annotations") or {}
    return {name: value for name, value in annotations.items() if name not in _OWN}


def _next_revision(sets: Sets) -> int:
    return max((_number(each, REVISION) for each in sets.old), default=0) + 1


def _renewed(found: Object, sets: Sets) -> Replace | None:
    """The new ReplicaSet is given the highest revision, also when it is an old one that came back."""
    if sets.new is None:
        return None
    before = sets.new["metadata"].get("annotations") or {}
    annotations = {**before, **_inherited(found)}
    old, new = _number(sets.new, REVISION), _next_revision(sets)
    if old < new:
        annotations[REVISION] = str(new)
        if old:
            annotations[REVISIONS] = ",".join(filter(None, [before.get(REVISIONS), str(old)]))
    spec = sets.new["spec"]
    min_ready = found["spec"].get("minReadySeconds", 0)
    if spec.get("minReadySeconds", 0) != min_ready:
        spec = {**spec, "minReadySeconds": min_ready}
    if annotations == before and spec is sets.new["spec"]:
        return None
    return Replace(REPLICA_SET, {**with_meta(sets.new, annotations=annotations), "spec": spec})


# Sizes


def _size(each: Object) -> rollout.Size:
    available = each.get("status", {}).get("availableReplicas", 0)
    return rollout.Size(each["metadata"]["name"], each["spec"]["replicas"], available, _number(each, MOST))


def _is_rescaled(found: Object, sets: Sets) -> bool:
    wanted = str(rollout.limits(found["spec"]).replicas)
    marks = (each["metadata"].get("annotations", {}).get(DESIRED) for each in sets.all if each["spec"]["replicas"])
    return any(mark is not None and mark != wanted for mark in marks)


def _rescale(found: Object, sets: Sets) -> list[Step]:
    new = _size(sets.new) if sets.new else None
    allowed = rollout.limits(found["spec"])
    sizes = rollout.rescaled(allowed, _is_rolling(found), new, [_size(each) for each in sets.old])
    return _resize(found, sets, sizes)


def _roll(store: Store, found: Object, sets: Sets) -> list[Step]:
    allowed, old = rollout.limits(found["spec"]), [_size(each) for each in sets.old]
    if _is_rolling(found):
        assert sets.new is not None
        return _resize(found, sets, rollout.rolled(allowed, _size(sets.new), old))
    running = {each.name: 0 for each in old if each.wanted}
    if running:
        return _resize(found, sets, running)
    if sets.new is None or _has_pods(store, found, sets.old) or sets.new["spec"]["replicas"] == allowed.replicas:
        return []
    return _resize(found, sets, {sets.new["metadata"]["name"]: allowed.replicas})


def _has_pods(store: Store, found: Object, sets: list[Object]) -> bool:
    """Whether a pod of these is still there, be it on its way out."""
    pods = [pod for pod in store.all(POD, found["metadata"]["namespace"]) if not is_over(pod)]
    return any(is_controlled_by(pod, each) for each in sets for pod in pods)


def _resize(found: Object, sets: Sets, sizes: Mapping[str, int]) -> list[Step]:
    """Set sizes, and in all that have pods what the Deployment is to remember of its own."""
    allowed, steps = rollout.limits(found["spec"]), list[Step]()
    marks = {DESIRED: str(allowed.replicas), MOST: str(allowed.most)}
    rescaled = _is_rescaled(found, sets)
    for each in sets.all:
        name, before = each["metadata"]["name"], each["spec"]["replicas"]
        size = sizes.get(name, before)
        annotations = {**each["metadata"].get("annotations", {}), **marks}
        if size == before and not (rescaled and before and annotations != each["metadata"].get("annotations")):
            continue
        told = None
        if size != before:
            direction = "up" if size > before else "down"
            text = f"Scaled {direction} replica set {name} from {before} to {size}"
            told = Tell(found, "ScalingReplicaSet", text)
        value = with_meta({**each, "spec": {**each["spec"], "replicas": size}}, annotations=annotations)
        steps.append(Replace(REPLICA_SET, value, told=told))
    return steps


# Its end, and what is said


def _is_complete(found: Object, sets: Sets) -> bool:
    replicas = rollout.limits(found["spec"]).replicas
    statuses = [each.get("status", {}) for each in sets.all]
    counts = {name: sum(each.get(name, 0) for each in statuses) for name in ("replicas", "availableReplicas")}
    updated = (sets.new or {}).get("status", {}).get("replicas", 0)
    return bool(updated == counts["replicas"] == counts["availableReplicas"] == replicas)


def _forget(found: Object, sets: Sets) -> list[Step]:
    """Delete old ReplicaSets that nobody can want to come back to: beyond the limit, of the lowest revisions."""
    idle = [each for each in sets.old if not is_leaving(each)]
    idle.sort(key=lambda each: (_number(each, REVISION), age(each)))
    surplus = idle[: max(0, len(idle) - found["spec"].get("revisionHistoryLimit", 10))]
    return [Delete(REPLICA_SET, each) for each in surplus if _is_idle(each)]


def _is_idle(each: Object) -> bool:
    status, generation = each.get("status", {}), each["metadata"].get("generation", 0)
    seen = status.get("observedGeneration", 0) >= generation
    return bool(not each["spec"]["replicas"] and not status.get("replicas") and seen)


def _told(found: Object, sets: Sets, progress: Progress, now: datetime) -> list[Step]:
    """Its status, and the revision of the new ReplicaSet, which is kept with it."""
    least = rollout.limits(found["spec"]).least if _is_rolling(found) else 0
    new, when = status(found, sets.new, sets.all, least, progress, now)
    value = {**found, "status": new}
    revision = sets.new["metadata"].get("annotations", {}).get(REVISION) if sets.new else None
    if revision is not None:
        value = with_meta(value, annotations={**found["metadata"].get("annotations", {}), REVISION: revision})
    steps: list[Step] = [] if value == found else [Replace(DEPLOYMENT, value, "status")]
    return [*steps, Again(when)] if when else steps


def _through_sets(store: Store, change: Change) -> list[Key]:
    """The Deployment of a pod's ReplicaSet: one of the kind Recreate waits for pods to be gone."""
    if change.after is not None:
        return []
    pod = present(change)
    sets = (store.get(REPLICA_SET, *key) for key in owner_key(pod, REPLICA_SET))
    return [key for each in sets if each is not None for key in owner_key(each, DEPLOYMENT)]


CONTROLLER = Controller(
    "deployment-controller",
    decide,
    {DEPLOYMENT: own_key, REPLICA_SET: owners(DEPLOYMENT), POD: _through_sets},
)
