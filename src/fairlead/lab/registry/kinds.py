"""The kinds of objects that there are, as discovery tells of them."""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """One resource of the API."""

    group: str
    """"" for the core group."""
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short: tuple[str, ...] = ()
    """What people type for it."""
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()

    @property
    def singular(self) -> str:
        """As a user types it."""
        return self.kind.lower()

    @property
    def api_version(self) -> str:
        """As an object has it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """As messages name it, ``deployments.apps``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def root(self) -> str:
        """The path of its group and version."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"


_ALL = ("all",)
_WORKLOAD = ("status", "scale")
_APPS, _NET, _DISCOVERY = "apps", "networking.k8s.io", "discovery.k8s.io"

NAMESPACE = Kind(
    "", "v1", "namespaces", "Namespace", namespaced=False, short=("ns",), subresources=("status", "finalize")
)
NODE = Kind("", "v1", "nodes", "Node", namespaced=False, short=("no",), subresources=("status",))
POD = Kind(
    "", "v1", "pods", "Pod", short=("po",), categories=_ALL,
    subresources=("status", "log", "exec", "attach", "portforward", "eviction", "binding", "ephemeralcontainers"),
)  # fmt: skip
SERVICE = Kind("", "v1", "services", "Service", short=("svc",), categories=_ALL, subresources=("status",))
ENDPOINTS = Kind("", "v1", "endpoints", "Endpoints", short=("ep",))
CONFIG_MAP = Kind("", "v1", "configmaps", "ConfigMap", short=("cm",))
SECRET = Kind("", "v1", "secrets", "Secret")
SERVICE_ACCOUNT = Kind("", "v1", "serviceaccounts", "ServiceAccount", short=("sa",), subresources=("token",))
EVENT = Kind("", "v1", "events", "Event", short=("ev",))
ENDPOINT_SLICE = Kind(_DISCOVERY, "v1", "endpointslices", "EndpointSlice")
DEPLOYMENT = Kind(
    _APPS, "v1", "deployments", "Deployment", short=("deploy",), categories=_ALL, subresources=_WORKLOAD
)  # fmt: skip
REPLICA_SET = Kind(_APPS, "v1", "replicasets", "ReplicaSet", short=("rs",), categories=_ALL, subresources=_WORKLOAD)
STATEFUL_SET = Kind(_APPS, "v1", "statefulsets", "StatefulSet", short=("sts",), categories=_ALL, subresources=_WORKLOAD)
CONTROLLER_REVISION = Kind(_APPS, "v1", "controllerrevisions", "ControllerRevision")
LEASE = Kind("coordination.k8s.io", "v1", "leases", "Lease")
INGRESS = Kind(_NET, "v1", "ingresses", "Ingress", short=("ing",), subresources=("status",))
"""Stored, and served by nobody."""

KINDS = (
    NAMESPACE, NODE, POD, SERVICE, ENDPOINTS, CONFIG_MAP, SECRET, SERVICE_ACCOUNT, EVENT, ENDPOINT_SLICE, DEPLOYMENT,
    REPLICA_SET, STATEFUL_SET, CONTROLLER_REVISION, LEASE, INGRESS,
)  # fmt: skip

OF_KIND = {(kind.api_version, kind.kind): kind for kind in KINDS}
"""By what an object says of itself."""
