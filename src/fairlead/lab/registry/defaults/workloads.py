"""Deployments, ReplicaSets, StatefulSets."""

from __future__ import annotations

from fairlead.lab.registry.defaults.pods import default, fill_spec
from fairlead.lab.registry.values import Object

_QUARTER = "25%"


def _fill_template(spec: Object) -> None:
    fill_spec(spec.setdefault("template", {}).setdefault("spec", {}))
    spec["template"].setdefault("metadata", {})


def fill_deployment(deployment: Object) -> None:
    """apps/v1."""
    spec = deployment.setdefault("spec", {})
    default(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    strategy = spec.setdefault("strategy", {})
    default(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        default(strategy.setdefault("rollingUpdate", {}), maxUnavailable=_QUARTER, maxSurge=_QUARTER)
    _fill_template(spec)


def fill_replica_set(replica_set: Object) -> None:
    """apps/v1."""
    spec = replica_set.setdefault("spec", {})
    default(spec, replicas=1)
    _fill_template(spec)


def fill_stateful_set(stateful_set: Object) -> None:
    """apps/v1."""
    spec = stateful_set.setdefault("spec", {})
    default(spec, podManagementPolicy="OrderedReady", replicas=1, revisionHistoryLimit=10, serviceName="")
    strategy = spec.setdefault("updateStrategy", {})
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
        strategy.setdefault("rollingUpdate", {})
    if strategy["type"] == "RollingUpdate" and "rollingUpdate" in strategy:
        default(strategy["rollingUpdate"], partition=0)
    default(spec.setdefault("persistentVolumeClaimRetentionPolicy", {}), whenDeleted="Retain", whenScaled="Retain")
    for claim in spec.get("volumeClaimTemplates", ()):
        default(claim, apiVersion="v1", kind="PersistentVolumeClaim")
        default(claim.setdefault("spec", {}), volumeMode="Filesystem")
        claim["status"] = {"phase": "Pending"}
    _fill_template(spec)
