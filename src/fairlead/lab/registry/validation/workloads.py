"""Deployments, ReplicaSets, StatefulSets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fairlead.lab.registry import names, selectors, status
from fairlead.lab.registry.status import Cause
from fairlead.lab.registry.validation import meta, pods
from fairlead.lab.registry.validation.meta import not_negative, one_of, texts, unchanged
from fairlead.lab.registry.values import Object, at, same

_MAY_CHANGE = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)
_CHANGING = (
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "minReadySeconds",
    "persistentVolumeClaimRetentionPolicy",
)  # fmt: skip


def check_deployment(deployment: Object) -> Iterator[Cause]:
    """apps/v1."""
    spec = deployment["spec"]
    yield from not_negative(spec.get("replicas"), "spec.replicas")
    yield from _selector_and_template(spec, "deployment", "ReplicaSet")
    yield from _deployment_strategy(spec.get("strategy", {}))
    for name in ("minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"):
        yield from not_negative(spec.get(name), f"spec.{name}")
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None and deadline <= spec.get("minReadySeconds", 0):
        yield status.invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def check_replica_set(replica_set: Object) -> Iterator[Cause]:
    """apps/v1."""
    spec = replica_set["spec"]
    yield from not_negative(spec.get("replicas"), "spec.replicas")
    yield from not_negative(spec.get("minReadySeconds"), "spec.minReadySeconds")
    yield from _selector_and_template(spec, "deployment", "ReplicaSet")


def check_same_selector(value: Object, old: Object) -> Iterator[Cause]:
    """Which pods are a workload's own never changes."""
    yield from unchanged(at(value, "spec", "selector"), at(old, "spec", "selector"), "spec.selector")


def check_stateful_set(stateful_set: Object) -> Iterator[Cause]:
    """apps/v1."""
    spec = stateful_set["spec"]
    policy = spec.get("podManagementPolicy")
    if policy not in ("OrderedReady", "Parallel"):
        yield status.invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'")
    strategy = spec.get("updateStrategy", {})
    rolling = strategy.get("rollingUpdate")
    if strategy.get("type") not in ("RollingUpdate", "OnDelete"):
        yield status.invalid("spec.updateStrategy", strategy, "must be 'RollingUpdate' or 'OnDelete'")
    elif strategy["type"] == "OnDelete" and rolling is not None:
        why = "only allowed for updateStrategy 'RollingUpdate'"
        yield status.invalid("spec.updateStrategy.rollingUpdate", rolling, why)
    elif rolling is not None:
        yield from not_negative(rolling.get("partition"), "spec.updateStrategy.rollingUpdate.partition")
    for name in ("whenDeleted", "whenScaled"):
        word = at(spec, "persistentVolumeClaimRetentionPolicy", name)
        yield from one_of(word, ("Retain", "Delete"), f"spec.persistentVolumeClaimRetentionPolicy.{name}")
    for name in ("replicas", "minReadySeconds", "revisionHistoryLimit"):
        yield from not_negative(spec.get(name), f"spec.{name}")
    yield from not_negative(at(spec, "ordinals", "start"), "spec.ordinals.start")
    if spec.get("serviceName"):
        yield from texts("spec.serviceName", spec["serviceName"], names.label(spec["serviceName"]))
    yield from _selector_and_template(_with_claims(spec), "statefulset", "StatefulSet")


def check_stateful_set_update(value: Object, old: Object) -> Iterator[Cause]:
    """What may change of it."""
    fixed = [{name: inner for name, inner in each["spec"].items() if name not in _CHANGING} for each in (value, old)]
    if not same(*fixed):
        yield status.not_allowed("spec", _MAY_CHANGE)


def _with_claims(spec: Object) -> Object:
    """The spec whose template has volumes for its claims, as its pods will."""
    names_ = [claim.get("metadata", {}).get("name", "") for claim in spec.get("volumeClaimTemplates", ())]
    template = spec["template"]
    volumes = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in names_]
    volumes += [volume for volume in template["spec"].get("volumes", ()) if volume.get("name") not in names_]
    if not names_:
        return spec
    return {**spec, "template": {**template, "spec": {**template["spec"], "volumes": volumes}}}


def _selector_and_template(spec: Object, word: str, kind: str) -> Iterator[Cause]:
    given, template = spec.get("selector"), spec["template"]
    wrong = list(meta.check_selector(given or {}, "spec.selector"))
    yield from wrong
    if given is None:
        yield status.required("spec.selector")
    elif not given.get("matchLabels") and not given.get("matchExpressions"):
        yield status.invalid("spec.selector", given, f"empty selector is invalid for {word}")
    found, labels = selectors.of_object(given), at(template, "metadata", "labels")
    if wrong:
        yield status.invalid("spec.selector", given, "invalid label selector")
    elif found is None or not selectors.matches(found, labels):
        why = "`selector` does not match template `labels`"
        yield status.invalid("spec.template.metadata.labels", labels, why)
    yield from pods.check_template(template, "spec.template")
    if template["spec"].get("restartPolicy") in ("OnFailure", "Never"):
        policy = template["spec"]["restartPolicy"]
        yield status.not_supported("spec.template.spec.restartPolicy", policy, ("Always",))
    if template["spec"].get("activeDeadlineSeconds") is not None:
        why = f"activeDeadlineSeconds in {kind} is not Supported"
        yield status.not_allowed("spec.template.spec.activeDeadlineSeconds", why)


def _deployment_strategy(strategy: Object) -> Iterator[Cause]:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    field = "spec.strategy.rollingUpdate"
    if kind == "Recreate":
        if rolling is not None:
            yield status.not_allowed(field, "may not be specified when strategy `type` is 'Recreate'")
    elif kind != "RollingUpdate":
        yield status.not_supported("spec.strategy", strategy, ("Recreate", "RollingUpdate"))
    elif rolling is not None:
        for name in ("maxUnavailable", "maxSurge"):
            yield from _number_or_percent(rolling.get(name, 0), f"{field}.{name}")
        missing = rolling.get("maxUnavailable", 0)
        if _is_zero(missing) and _is_zero(rolling.get("maxSurge", 0)):
            yield status.invalid(f"{field}.maxUnavailable", missing, "may not be 0 when `maxSurge` is 0")
        if isinstance(missing, str) and not names.percent(missing) and int(missing[:-1]) > 100:
            yield status.invalid(f"{field}.maxUnavailable", missing, "must not be greater than 100%")


def _number_or_percent(value: Any, field: str) -> Iterator[Cause]:
    if isinstance(value, str):
        return texts(field, value, names.percent(value))
    return not_negative(value, field)


def _is_zero(value: Any) -> bool:
    return value == 0 or (isinstance(value, str) and value.strip("0") == "%")
