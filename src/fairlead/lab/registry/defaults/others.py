"""Kinds with few defaults."""

from __future__ import annotations

from base64 import b64encode

from fairlead.lab.registry.defaults.pods import default
from fairlead.lab.registry.values import Object

NAME_LABEL = "kubernetes.io/metadata.name"


def fill_secret(secret: Object) -> None:
    """Texts that clients may write plainly are kept as the rest is."""
    default(secret, type="Opaque")
    for key, text in secret.pop("stringData", {}).items():
        secret.setdefault("data", {})[key] = b64encode(text.encode("utf-8", "surrogatepass")).decode()


def fill_namespace(namespace: Object) -> None:
    """Its name is one of its labels."""
    meta = namespace["metadata"]
    if meta.get("name"):
        meta["labels"] = {**meta.get("labels", {}), NAME_LABEL: meta["name"]}
    namespace.setdefault("spec", {})
    default(namespace.setdefault("status", {}), phase="Active")


def fill_node(node: Object) -> None:
    """All that it has is there for pods."""
    status = node.setdefault("status", {})
    if "capacity" in status:
        status.setdefault("allocatable", dict(status["capacity"]))
    node.setdefault("spec", {})


def fill_endpoints(endpoints: Object) -> None:
    """Ports are of TCP."""
    for subset in endpoints.get("subsets", ()):
        for port in subset.get("ports", ()):
            default(port, protocol="TCP")


def fill_endpoint_slice(piece: Object) -> None:
    """Ports are of TCP, and have a name, if an empty one."""
    for endpoint in piece.get("endpoints", ()):
        endpoint.setdefault("conditions", {})
    for port in piece.get("ports", ()):
        default(port, protocol="TCP")
        port.setdefault("name", "")


def fill_lease(lease: Object) -> None:
    """Whoever holds it writes the rest."""
    lease.setdefault("spec", {})


def fill_event(event: Object) -> None:
    """Who tells of it has a place, if nobody is in it."""
    event.setdefault("source", {})
    for name in ("reportingComponent", "reportingInstance"):
        event.setdefault(name, "")
