"""Pods, and templates of pods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fairlead.lab.registry.values import Object

CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_MODE = 0o644


def default(value: Object, **fields: Any) -> None:
    """Set what is not there, or is empty."""
    for name, inner in fields.items():
        if value.get(name) in (None, ""):
            value[name] = inner


def fill_pod(pod: Object) -> None:
    """A pod of its own: what a template leaves open until there is a pod of it."""
    spec = pod.setdefault("spec", {})
    for container in (*spec.get("containers", ()), *spec.get("initContainers", ())):
        resources = container.get("resources") or {}
        if resources.get("limits"):
            resources["requests"] = {**resources["limits"], **resources.get("requests", {})}
        if spec.get("hostNetwork"):
            for port in container.get("ports", ()):
                if not port.get("hostPort") and port.get("containerPort"):
                    port["hostPort"] = port["containerPort"]
    default(spec, enableServiceLinks=True)
    if spec.get("terminationGracePeriodSeconds", 0) < 0:
        spec["terminationGracePeriodSeconds"] = 1
    fill_spec(spec)


def fill_spec(spec: Object) -> None:
    """What pods and templates have in common."""
    default(
        spec, dnsPolicy="ClusterFirst", restartPolicy="Always", terminationGracePeriodSeconds=30,
        schedulerName="default-scheduler",
    )  # fmt: skip
    spec.setdefault("securityContext", {})
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    for kind in CONTAINERS:
        for container in spec.get(kind, ()):
            _fill_container(container)
    for volume in spec.get("volumes", ()):
        _fill_volume(volume)


def is_latest(image: str) -> bool:
    """Whether an image's name means whatever is newest."""
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return tag == "latest" or (not tag and not digest)


def _fill_container(container: Object) -> None:
    default(
        container,
        imagePullPolicy="Always" if is_latest(container.get("image", "")) else "IfNotPresent",
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
    )
    container.setdefault("resources", {})
    for port in container.get("ports", ()):
        default(port, protocol="TCP")
    for variable in container.get("env", ()):
        _fill_source(variable.get("valueFrom", {}))
    for name in _PROBES:
        if name in container:
            probe = container[name]
            for field, number in _PROBE.items():
                probe[field] = probe.get(field) or number
            if "grpc" in probe:
                probe["grpc"].setdefault("service", "")
    for handler in _handlers(container):
        if "httpGet" in handler:
            default(handler["httpGet"], path="/", scheme="HTTP")


def _handlers(container: Object) -> Iterator[Object]:
    yield from (container[name] for name in _PROBES if name in container)
    yield from (each for each in container.get("lifecycle", {}).values() if isinstance(each, dict))


def _fill_source(source: Object) -> None:
    if "fieldRef" in source:
        default(source["fieldRef"], apiVersion="v1")
    if "resourceFieldRef" in source:
        default(source["resourceFieldRef"], divisor="0")


def _fill_volume(volume: Object) -> None:
    if not volume.keys() - {"name"}:
        volume["emptyDir"] = {}
    for name in ("secret", "configMap", "downwardAPI", "projected"):
        if name in volume:
            volume[name].setdefault("defaultMode", _MODE)
    if "hostPath" in volume:
        volume["hostPath"].setdefault("type", "")
    if "image" in volume:
        latest = is_latest(volume["image"].get("reference", ""))
        default(volume["image"], pullPolicy="Always" if latest else "IfNotPresent")
    for source in volume.get("projected", {}).get("sources", ()):
        if "serviceAccountToken" in source:
            default(source["serviceAccountToken"], expirationSeconds=3600)
        for item in source.get("downwardAPI", {}).get("items", ()):
            _fill_source(item)
    for item in volume.get("downwardAPI", {}).get("items", ()):
        _fill_source(item)
