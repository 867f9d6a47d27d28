"""Namespaces: what is in each from its beginning, and its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from fairlead.lab.controllers.meta import is_leaving, present, with_condition
from fairlead.lab.controllers.steps import Controller, Create, Delete, Key, Replace, Step
from fairlead.lab.registry.kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
    KINDS,
    NAMESPACE,
    POD,
    REPLICA_SET,
    SERVICE_ACCOUNT,
    STATEFUL_SET,
    Kind,
)
from fairlead.lab.registry.store import Change, Object, Store

ROOT_CA = "kube-root-ca.crt"
_FIRST = (DEPLOYMENT, STATEFUL_SET, REPLICA_SET, POD)
"""Who makes pods, and pods: the rest, of which they may still have need, goes when they are gone."""
_CONTENT = tuple(kind for kind in KINDS if kind.namespaced)


def controller(ca: str) -> Controller:
    """Make the controller; ``ca`` is the certificate of the API server's authority (PEM)."""

    def decide(store: Store, key: Key, now: datetime) -> list[Step]:
        found = store.get(NAMESPACE, "", key[1])
        if found is None:
            return []
        return _end(store, found, now) if is_leaving(found) else _begin(store, key[1], ca)

    return Controller("namespace-controller", decide, dict.fromkeys((NAMESPACE, *_CONTENT), _concerned))


def _concerned(store: Store, change: Change) -> Iterator[Key]:
    value = present(change)
    if change.kind == NAMESPACE:
        yield "", value["metadata"]["name"]
        return
    namespace = store.get(NAMESPACE, "", value["metadata"]["namespace"])
    if namespace is not None and (change.kind in (SERVICE_ACCOUNT, CONFIG_MAP) or is_leaving(namespace)):
        yield "", value["metadata"]["namespace"]


def _begin(store: Store, name: str, ca: str) -> list[Step]:
    steps = list[Step]()
    if store.get(SERVICE_ACCOUNT, name, "default") is None:
        steps.append(Create(SERVICE_ACCOUNT, _named(SERVICE_ACCOUNT, name, "default")))
    before, data = store.get(CONFIG_MAP, name, ROOT_CA), {"ca.crt": ca}
    if before is None:
        steps.append(Create(CONFIG_MAP, {**_named(CONFIG_MAP, name, ROOT_CA), "data": data}))
    elif before.get("data") != data:
        steps.append(Replace(CONFIG_MAP, {**before, "data": data}))
    return steps


def _named(kind: Kind, namespace: str, name: str) -> Object:
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name, "namespace": namespace}}


def _end(store: Store, found: Object, now: datetime) -> list[Step]:
    """Delete what is in it, tell what is left, and let it go when nothing is."""
    name = found["metadata"]["name"]
    left = {kind: values for kind in _CONTENT if (values := list(store.all(kind, name)))}
    if not left:
        finalizers = found.get("spec", {}).get("finalizers") or []
        if "kubernetes" not in finalizers:
            return []
        finalizers = [each for each in finalizers if each != "kubernetes"]
        return [Replace(NAMESPACE, {**found, "spec": {**found["spec"], "finalizers": finalizers}}, "finalize")]
    told = _told(found, left, now)
    kinds = [kind for kind in _FIRST if kind in left] or list(left)
    return told + [Delete(kind, value) for kind in kinds for value in left[kind] if not is_leaving(value)]


def _told(found: Object, left: dict[Kind, list[Object]], now: datetime) -> list[Step]:
    """Say what is waited for: what is deleted and still there, and why."""
    waiting = {kind: [value for value in values if is_leaving(value)] for kind, values in left.items()}
    waiting = {kind: values for kind, values in waiting.items() if values}
    kinds = [f"{kind.plural}.{kind.group} has {len(values)} resource instances" for kind, values in waiting.items()]
    names = Counter(
        each for values in waiting.values() for value in values for each in value["metadata"].get("finalizers", ())
    )
    finalizers = [f"{each} in {count} resource instances" for each, count in sorted(names.items())]
    conditions = found.get("status", {}).get("conditions", [])
    for kind, texts, some, none, introduction, nothing in (
        (
            "NamespaceContentRemaining", sorted(kinds), "SomeResourcesRemain", "ContentRemoved",
            "Some resources are remaining: ", "All content successfully removed",
        ),
        (
            "NamespaceFinalizersRemaining", finalizers, "SomeFinalizersRemain", "ContentHasNoFinalizers",
            "Some content in the namespace has finalizers remaining: ",
            "All content-preserving finalizers finished",
        ),
    ):  # fmt: skip
        new = {
            "type": kind,
            "status": "True" if texts else "False",
            "reason": some if texts else none,
            "message": introduction + ", ".join(texts) if texts else nothing,
        }
        conditions = with_condition(conditions, new, now)
    status = {**found.get("status", {}), "phase": "Terminating", "conditions": conditions}
    return [] if status == found.get("status") else [Replace(NAMESPACE, {**found, "status": status}, "status")]
