"""API objects as JSON, with what a test does not care about filled in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

PODS = "/api/v1/namespaces/ns/pods"
SERVICES = "/api/v1/namespaces/ns/services"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/ns/endpointslices"
DEPLOYMENTS = "/apis/apps/v1/namespaces/ns/deployments"
REPLICASETS = "/apis/apps/v1/namespaces/ns/replicasets"


def pod(
    name: str,
    *,
    uid: str = "",
    phase: str = "Running",
    ready: bool = True,
    deleting: bool = False,
    node: str = "n1",
    labels: dict[str, str] | None = None,
    ports: tuple[tuple[str, int], ...] = (("http", 8080),),
    owner: tuple[str, str] | None = None,
    api_version: str = "apps/v1",
) -> dict[str, Any]:
    meta: dict[str, Any] = {
        "name": name,
        "namespace": "ns",
        "uid": uid or f"uid-{name}",
        "labels": {"app": "web"} if labels is None else labels,
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }
    if deleting:
        meta["deletionTimestamp"] = "2026-01-01T01:00:00Z"
    if owner is not None:
        kind, owner_name = owner
        reference = {"apiVersion": api_version, "kind": kind, "name": owner_name, "uid": "o", "controller": True}
        meta["ownerReferences"] = [reference]
    declared = [{"name": port_name, "containerPort": number, "protocol": "TCP"} for port_name, number in ports]
    return {
        "kind": "Pod",
        "metadata": meta,
        "spec": {"nodeName": node, "containers": [{"name": "main", "ports": declared}]},
        "status": {
            "phase": phase,
            "conditions": [
                {
                    "type": "Ready",
                    "status": "True" if ready and phase == "Running" else "False",
                    "lastTransitionTime": "2026-01-01T00:00:10Z",
                }
            ],
        },
    }


def service(
    name: str = "web",
    *,
    ports: tuple[dict[str, Any], ...] = ({"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"},),
    selector: dict[str, str] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    body = {"clusterIP": "10.0.0.1", "ports": list(ports), "selector": selector or {"app": "web"}, **spec}
    return {"kind": "Service", "metadata": {"name": name, "namespace": "ns", "uid": f"uid-{name}"}, "spec": body}


def endpoint(name: str, *, uid: str = "", **conditions: Any) -> dict[str, Any]:
    target = {"kind": "Pod", "name": name, "namespace": "ns", "uid": uid or f"uid-{name}"}
    return {"addresses": ["10.1.0.1"], "conditions": conditions, "targetRef": target}


def endpoint_slice(
    name: str,
    endpoints: Sequence[object],
    *,
    service: str = "web",
    ports: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    labels = {"kubernetes.io/service-name": service}
    return {
        "kind": "EndpointSlice",
        "metadata": {"name": name, "namespace": "ns", "uid": f"uid-{name}", "labels": labels},
        "addressType": "IPv4",
        "endpoints": list(endpoints),
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}] if ports is None else ports,
    }


def workload(kind: str, name: str, *, owner: tuple[str, str] | None = None) -> dict[str, Any]:
    meta: dict[str, Any] = {"name": name, "namespace": "ns", "uid": f"uid-{name}"}
    if owner is not None:
        meta["ownerReferences"] = [
            {"apiVersion": "apps/v1", "kind": owner[0], "name": owner[1], "uid": "o", "controller": True}
        ]
    return {"kind": kind, "metadata": meta, "spec": {"selector": {"matchLabels": {"app": "web"}}}}
