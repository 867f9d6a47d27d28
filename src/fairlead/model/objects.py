"""The few Kubernetes objects a forwarder reads, made from API JSON.

What comes from the wire is not trusted to have a shape: a missing or wrong field becomes a default, a list is cut at a
limit, and only an object without a name is refused (ProtocolError).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from fairlead.errors import ProtocolError
from fairlead.model.ip import addresses
from fairlead.model.selector import LabelSelector
from fairlead.model.target import PodRef

MAX_INT = 2**31 - 1
"""Every integer of these objects is an int32 and not negative."""
MAX_ITEMS = 2000
"""Entries read of any one list: an EndpointSlice holds at most 1000 endpoints, everything else far fewer."""


SHORT_RUN = 30.0
"""Seconds: a container whose last run was shorter is likely to end again."""


class OwnerRef(NamedTuple):
    """The object that controls another one (metadata.ownerReferences with controller: true)."""

    api_version: str
    kind: str
    name: str
    uid: str


class Stopped(NamedTuple):
    """A container that ended, and does not run or only runs again."""

    container: str
    reason: str
    """As the kubelet has it: ``Error``, ``OOMKilled``, ``Completed``."""
    exit_code: int
    waiting: str
    """Why it is not running again yet, such as ``CrashLoopBackOff``; "" while nobody tried to start it."""
    again: bool = False
    """Whether it runs at this moment, after a run that ended within SHORT_RUN."""


class ContainerPort(NamedTuple):
    """A port that a container declares; declaring is optional, so its absence proves nothing."""

    name: str
    port: int
    protocol: str


class Pod(NamedTuple):
    """What choosing a pod and finding a port in it needs. Times are seconds since the epoch."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    owner: OwnerRef | None = None
    node: str = ""
    phase: str = ""
    ready: bool = False
    ready_since: float | None = None
    """When it became ready; None if it is not or the server does not say."""
    deleted_at: float | None = None
    """metadata.deletionTimestamp; None while nobody asked for its end."""
    created_at: float | None = None
    restarts: int = 0
    """The most restarts of any one container."""
    sidecar_restarts: int = 0
    """The same of restartable init containers."""
    ports: tuple[ContainerPort, ...] = ()
    init_ports: tuple[ContainerPort, ...] = ()
    labels: frozenset[tuple[str, str]] = frozenset()
    hostname: str = ""
    subdomain: str = ""
    """The service below which the cluster's DNS knows it by its hostname (spec.subdomain)."""
    waiting: str = ""
    """Why it does not run yet, as the kubelet says it, such as ``ImagePullBackOff``."""
    stopped: Stopped | None = None
    """The first of its containers that ended and does not run; else the first that ended soon and runs again."""
    ips: tuple[str, ...] = ()
    """Its addresses, one of each family at most (status.podIPs)."""
    host_network: bool = False
    """Whether these are its node's."""

    @property
    def ref(self) -> PodRef:
        """The pod without its state."""
        return PodRef(self.namespace, self.name, self.uid)

    @property
    def running(self) -> bool:
        """Whether the API server would let anybody forward to it."""
        return self.phase == "Running"

    @property
    def finished(self) -> bool:
        """Whether its containers have ended for good."""
        return self.phase in ("Succeeded", "Failed")

    @classmethod
    def from_json(cls, value: object) -> Pod:
        """Read a v1 Pod."""
        meta, body = _head(value, "Pod")
        spec, status = _dict(body, "spec"), _dict(body, "status")
        ready, since = _ready(status)
        regular, sidecar = _restarts(spec, status)
        return cls(
            namespace=_str(meta, "namespace"),
            name=_str(meta, "name"),
            uid=_str(meta, "uid"),
            resource_version=_str(meta, "resourceVersion"),
            owner=_controller(meta),
            node=_str(spec, "nodeName"),
            phase=_str(status, "phase"),
            ready=ready,
            ready_since=since,
            # Any value at all means that its end was asked for; the time only orders.
            deleted_at=(_time(meta, "deletionTimestamp") or 0.0) if meta.get("deletionTimestamp") else None,
            created_at=_time(meta, "creationTimestamp"),
            restarts=regular,
            sidecar_restarts=sidecar,
            ports=_container_ports(spec, "containers"),
            init_ports=_container_ports(spec, "initContainers"),
            labels=frozenset((key, text) for key, text in _dict(meta, "labels").items() if isinstance(text, str)),
            hostname=_str(spec, "hostname"),
            subdomain=_str(spec, "subdomain"),
            waiting=_waiting(status),
            stopped=_stopped(status),
            ips=addresses([each.get("ip") for each in _dicts(status, "podIPs")] or [status.get("podIP")]),
            host_network=spec.get("hostNetwork") is True,
        )


class ServicePort(NamedTuple):
    """One port of a Service; ``target`` is None when targetPort is absent (then it is ``port``)."""

    name: str
    port: int
    protocol: str
    target: int | str | None


class Service(NamedTuple):
    """A v1 Service."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    cluster_ip: str = ""
    selector: LabelSelector | None = None
    """None if it has none, as ExternalName and hand-made endpoints do."""
    ports: tuple[ServicePort, ...] = ()
    affinity_seconds: int | None = None
    """How long a client keeps its pod after its last connection (sessionAffinity: ClientIP); None: no affinity."""
    external_name: str = ""
    publishes_unready: bool = False
    """Its pods count as ready whatever their state (publishNotReadyAddresses)."""
    cluster_ips: tuple[str, ...] = ()
    """Its own addresses, one of each family at most; none of a headless one."""

    @property
    def headless(self) -> bool:
        """Whether it has no address of its own (clusterIP: None)."""
        return self.cluster_ip == "None"

    @classmethod
    def from_json(cls, value: object) -> Service:
        """Read a v1 Service."""
        meta, body = _head(value, "Service")
        spec = _dict(body, "spec")
        labels = {key: text for key, text in _dict(spec, "selector").items() if isinstance(text, str)}
        external = spec.get("type") == "ExternalName"
        return cls(
            namespace=_str(meta, "namespace"),
            name=_str(meta, "name"),
            uid=_str(meta, "uid"),
            resource_version=_str(meta, "resourceVersion"),
            cluster_ip=_str(spec, "clusterIP"),
            selector=LabelSelector.from_labels(labels) if labels else None,
            ports=tuple(
                ServicePort(_str(port, "name"), _port(port, "port"), _str(port, "protocol") or "TCP", _target(port))
                for port in _dicts(spec, "ports")
            ),
            affinity_seconds=_affinity(spec),
            external_name=_str(spec, "externalName") if external else "",
            publishes_unready=spec.get("publishNotReadyAddresses") is True,
            cluster_ips=() if external else addresses(_list(spec, "clusterIPs") or [spec.get("clusterIP")]),
        )


class EndpointPort(NamedTuple):
    """A resolved target port of an EndpointSlice; ``port`` is None where the slice means every port."""

    name: str
    port: int | None
    protocol: str


class Endpoint(NamedTuple):
    """One endpoint of a slice, with the API's rules for absent conditions applied."""

    ready: bool
    serving: bool
    terminating: bool
    pod: PodRef | None
    """None if it is no pod, which cannot be port-forwarded."""
    what: str
    """What it is, for a reader: ``Pod web-1``, ``Node n`` or its first address."""
    hostname: str = ""
    """By which the cluster's DNS knows the pod below its service; "" if it does not."""
    addresses: tuple[str, ...] = ()
    """Of the slice's family; none where it has names instead (addressType: FQDN)."""


class EndpointSlice(NamedTuple):
    """A discovery.k8s.io/v1 EndpointSlice."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    service: str = ""
    """The service it belongs to (label ``kubernetes.io/service-name``)."""
    address_type: str = ""
    ports: tuple[EndpointPort, ...] | None = None
    """None means every port."""
    endpoints: tuple[Endpoint, ...] = ()

    @classmethod
    def from_json(cls, value: object) -> EndpointSlice:
        """Read an EndpointSlice."""
        meta, body = _head(value, "EndpointSlice")
        namespace = _str(meta, "namespace")
        ports = None
        if isinstance(body.get("ports"), list):
            ports = tuple(
                EndpointPort(_str(port, "name"), _port(port, "port") or None, _str(port, "protocol") or "TCP")
                for port in _dicts(body, "ports")
                # What is no port must not become None, which means every port.
                if not port.get("port") or _port(port, "port")
            )
        return cls(
            namespace=namespace,
            name=_str(meta, "name"),
            uid=_str(meta, "uid"),
            resource_version=_str(meta, "resourceVersion"),
            service=_str(_dict(meta, "labels"), "kubernetes.io/service-name"),
            address_type=_str(body, "addressType"),
            ports=ports,
            endpoints=tuple(_endpoint(entry, namespace) for entry in _dicts(body, "endpoints")),
        )


class Workload(NamedTuple):
    """A Deployment, ReplicaSet, StatefulSet, DaemonSet, ReplicationController or Job."""

    kind: str
    namespace: str
    name: str
    uid: str
    resource_version: str
    selector: LabelSelector | None = None
    owner: OwnerRef | None = None

    @classmethod
    def reader(cls, kind: str) -> Callable[[object], Workload]:
        """Return a function that reads objects of one kind; a ReplicationController's selector is plain labels."""
        read = LabelSelector.from_labels if kind == "ReplicationController" else LabelSelector.from_json

        def from_json(value: object) -> Workload:
            meta, body = _head(value, kind)
            selector = _dict(body, "spec").get("selector")
            return cls(
                kind=kind,
                namespace=_str(meta, "namespace"),
                name=_str(meta, "name"),
                uid=_str(meta, "uid"),
                resource_version=_str(meta, "resourceVersion"),
                selector=read(selector) if isinstance(selector, dict) else None,
                owner=_controller(meta),
            )

        return from_json


def _head(value: object, kind: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Metadata and body of one API object."""
    if isinstance(value, dict):
        meta = _dict(value, "metadata")
        if _str(meta, "name"):
            return meta, value
    raise ProtocolError(f"the API server sent a {kind} without a name")


def _dict(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _list(value: Mapping[str, Any], key: str) -> list[Any]:
    found = value.get(key)
    return found[:MAX_ITEMS] if isinstance(found, list) else []


def _dicts(value: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    return [entry for entry in _list(value, key) if isinstance(entry, dict)]


def _str(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""


def _int(value: Mapping[str, Any], key: str) -> int:
    found = value.get(key)
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= MAX_INT else 0


def _port(value: Mapping[str, Any], key: str) -> int:
    """Read a port; 0 if there is none."""
    found = _int(value, key)
    return found if found < 65536 else 0


def _time(value: Mapping[str, Any], key: str) -> float | None:
    """Read an RFC 3339 time."""
    try:
        moment = datetime.fromisoformat(_str(value, key))
    except ValueError:
        return None
    # A naive time would be read in the zone of this machine; the API never sends one.
    return moment.timestamp() if moment.tzinfo is not None else None


def _controller(meta: Mapping[str, Any]) -> OwnerRef | None:
    for owner in _dicts(meta, "ownerReferences"):
        if owner.get("controller") is True:
            return OwnerRef(_str(owner, "apiVersion"), _str(owner, "kind"), _str(owner, "name"), _str(owner, "uid"))
    return None


def _ready(status: Mapping[str, Any]) -> tuple[bool, float | None]:
    for condition in _dicts(status, "conditions"):
        if condition.get("type") == "Ready":
            ready = condition.get("status") == "True"
            return ready, _time(condition, "lastTransitionTime") if ready else None
    return False, None


def _restarts(spec: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[int, int]:
    """Count restarts as kubectl does: the worst container, and the worst sidecar."""
    sidecars = {_str(each, "name") for each in _dicts(spec, "initContainers") if each.get("restartPolicy") == "Always"}
    return (
        max((_int(each, "restartCount") for each in _dicts(status, "containerStatuses")), default=0),
        max(
            (
                _int(each, "restartCount")
                for each in _dicts(status, "initContainerStatuses")
                if _str(each, "name") in sidecars
            ),
            default=0,
        ),
    )


def _container_ports(spec: Mapping[str, Any], key: str) -> tuple[ContainerPort, ...]:
    return tuple(
        ContainerPort(_str(port, "name"), _port(port, "containerPort"), _str(port, "protocol") or "TCP")
        for container in _dicts(spec, key)
        for port in _dicts(container, "ports")
    )


def _waiting(status: Mapping[str, Any]) -> str:
    for key in ("initContainerStatuses", "containerStatuses"):
        for each in _dicts(status, key):
            reason = _str(_dict(_dict(each, "state"), "waiting"), "reason")
            # PodInitializing only says that an init container, listed before, is not done.
            if reason and reason != "PodInitializing":
                return reason
    for condition in _dicts(status, "conditions"):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return _str(condition, "reason")
    return _str(status, "reason")


def _stopped(status: Mapping[str, Any]) -> Stopped | None:
    again = None
    for each in _dicts(status, "containerStatuses"):
        state = _dict(each, "state")
        last = _dict(_dict(each, "lastState"), "terminated")
        ended = last if "waiting" in state else _dict(state, "terminated")
        name, waiting = _str(each, "name"), _str(_dict(state, "waiting"), "reason")
        if ended:
            return Stopped(name, _str(ended, "reason"), _int(ended, "exitCode"), waiting)
        if again is None and "running" in state and _was_short(last):
            again = Stopped(name, _str(last, "reason"), _int(last, "exitCode"), "", again=True)
    return again


def _was_short(run: Mapping[str, Any]) -> bool:
    began, ended = _time(run, "startedAt"), _time(run, "finishedAt")
    return began is not None and ended is not None and ended - began < SHORT_RUN


def _target(port: Mapping[str, Any]) -> int | str | None:
    """targetPort: an IntOrString; 0 and "" mean absent."""
    return _str(port, "targetPort") or _port(port, "targetPort") or None


def _affinity(spec: Mapping[str, Any]) -> int | None:
    if spec.get("sessionAffinity") != "ClientIP":
        return None
    config = _dict(_dict(spec, "sessionAffinityConfig"), "clientIP")
    # Three hours is the API's default.
    return _int(config, "timeoutSeconds") or 10800


def _endpoint(entry: Mapping[str, Any], namespace: str) -> Endpoint:
    conditions = _dict(entry, "conditions")
    # An absent condition means: ready, serving as ready, not terminating (discovery/v1).
    ready = conditions.get("ready") is not False
    serving = conditions.get("serving")
    target = _dict(entry, "targetRef")
    kind, name, uid = _str(target, "kind"), _str(target, "name"), _str(target, "uid")
    pod = PodRef(_str(target, "namespace") or namespace, name, uid) if kind == "Pod" and name else None
    listed = _list(entry, "addresses")
    address = str(listed[0]) if listed else "an endpoint without an address"
    return Endpoint(
        ready=ready,
        serving=ready if serving is None else serving is True,
        terminating=conditions.get("terminating") is True,
        pod=pod,
        what=f"{kind} {name}" if name else address,
        hostname=_str(entry, "hostname"),
        addresses=addresses(listed),
    )
