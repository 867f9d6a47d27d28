"""The history of a StatefulSet: a ControllerRevision for each template that it had."""

from __future__ import annotations

from typing import Any, NamedTuple

from fairlead.lab.controllers.claims import claim
from fairlead.lab.controllers.hashes import short_hash
from fairlead.lab.controllers.meta import is_leaving, owned
from fairlead.lab.controllers.steps import Create, Delete, Replace, Step
from fairlead.lab.registry.kinds import CONTROLLER_REVISION, STATEFUL_SET
from fairlead.lab.registry.store import Object, Store

HASH = "controller.kubernetes.io/hash"


class History(NamedTuple):
    """The revisions that count now, and what is to be done before they are there."""

    current: Object | None
    """Of the pods before the update that is going on; the same as ``update`` where none is."""
    update: Object | None
    """Of the template as it is; None until it is made."""
    every: list[Object]
    """The oldest first."""
    steps: list[Step]


def history(store: Store, owner: Object) -> History:
    """Find them, and make the one that lacks: an old template that comes back is given the highest number."""
    there = store.all(CONTROLLER_REVISION, owner["metadata"]["namespace"])
    claimed = claim(owner, STATEFUL_SET, there, CONTROLLER_REVISION)
    if claimed.steps:
        return History(None, None, [], claimed.steps)
    every = [each for each in claimed.children if not is_leaving(each)]
    every.sort(key=lambda each: (each["revision"], each["metadata"]["name"]))
    highest = every[-1]["revision"] if every else 0
    data = _data(owner)
    update = next((each for each in reversed(every) if each["data"] == data), None)
    steps = list[Step]()
    if update is None:
        steps.append(Create(CONTROLLER_REVISION, _made(store, owner, data, highest + 1)))
    elif update["revision"] < highest:
        steps.append(Replace(CONTROLLER_REVISION, {**update, "revision": highest + 1}))
    name = owner.get("status", {}).get("currentRevision")
    current = next((each for each in every if each["metadata"]["name"] == name), update)
    return History(current, update, every, steps)


def surplus(owner: Object, found: History, in_use: set[str]) -> list[Step]:
    """Delete what is beyond the limit and used by no pod (``in_use``: names), the oldest first."""
    kept = {*in_use, *(each["metadata"]["name"] for each in (found.current, found.update) if each)}
    old = [each for each in found.every if each["metadata"]["name"] not in kept]
    beyond = len(old) - owner["spec"].get("revisionHistoryLimit", 10)
    return [Delete(CONTROLLER_REVISION, each) for each in old[: max(0, beyond)]]


def template_of(revision: Object) -> Object:
    """The template that it keeps."""
    return {name: value for name, value in revision["data"]["spec"]["template"].items() if name != "$patch"}


def _data(owner: Object) -> dict[str, Any]:
    """A strategic merge patch that brings the template back: what ``kubectl rollout undo`` sends."""
    return {"spec": {"template": {**owner["spec"]["template"], "$patch": "replace"}}}


def _made(store: Store, owner: Object, data: dict[str, Any], number: int) -> Object:
    meta = owner["metadata"]
    collisions = 0
    while True:
        mark = short_hash(data, collisions)
        name = f"{meta['name']}-{mark}"
        if store.get(CONTROLLER_REVISION, meta["namespace"], name) is None:
            break
        collisions += 1
    labels = (owner["spec"]["template"].get("metadata") or {}).get("labels", {})
    value: Object = {
        "apiVersion": CONTROLLER_REVISION.api_version,
        "kind": CONTROLLER_REVISION.kind,
        "metadata": {"name": name, "namespace": meta["namespace"], "labels": {**labels, HASH: mark}},
        "data": data,
        "revision": number,
    }
    if meta.get("annotations"):
        value["metadata"]["annotations"] = dict(meta["annotations"])
    return owned(value, owner, STATEFUL_SET)
