"""The columns in which each kind is listed, and what stands in them: as a cluster's own server says it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from fairlead.errors import UsageError
from fairlead.lab.registry import ages
from fairlead.lab.registry.pod_columns import NONE, gates, summary
from fairlead.lab.registry.values import Object, at
from fairlead.model.selector import LabelSelector

_SHOWN = 3
"""Addresses, ports or hosts that are shown; of more, the number."""


class Column(NamedTuple):
    """One column."""

    name: str
    words: str
    type: str = "string"
    wide: bool = False
    """Only with ``-o wide``."""
    is_name: bool = False

    def to_json(self) -> Object:
        """As a Table has it."""
        return {
            "name": self.name, "type": self.type, "format": "name" if self.is_name else "",
            "description": self.words, "priority": int(self.wide),
        }  # fmt: skip


class Columns(NamedTuple):
    """All of a kind."""

    columns: tuple[Column, ...]
    cells: Callable[[Object, datetime], Sequence[Any]]


def _wide(name: str, words: str, type_: str = "string") -> Column:
    return Column(name, words, type_, wide=True)


_NAME = Column("Name", "Its name.", is_name=True)
_AGE = Column("Age", "How long ago it was created.")
_TEMPLATE = (_wide("Containers", "The names of its containers."), _wide("Images", "Their images."))
_SELECTOR = _wide("Selector", "The labels of its pods.")


def _name(of: Object) -> str:
    return str(at(of, "metadata", "name") or "")


def _age(of: Object, now: datetime) -> str:
    return ages.since(at(of, "metadata", "creationTimestamp"), now)


def _number(of: Object, *path: str) -> int:
    found = at(of, *path)
    return found if isinstance(found, int) else 0


def _labels(of: Any) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(of.items())) if of else NONE


def _selector(of: Any) -> str:
    if not of:
        return ""
    try:
        return str(LabelSelector.from_json(of))
    except UsageError:
        return "<invalid>"


def _template(of: Object) -> tuple[str, str]:
    containers = at(of, "spec", "template", "spec", "containers") or ()
    return _joined(each.get("name") for each in containers), _joined(each.get("image") for each in containers)


def _joined(values: Iterable[Any]) -> str:
    return ",".join(str(value or "") for value in values)


def _some(values: Sequence[str], nothing: str = NONE) -> str:
    """The first few, and how many more there are."""
    if not values:
        return nothing
    rest = len(values) - _SHOWN
    return ",".join(values[:_SHOWN]) + (f" + {rest} more..." if rest > 0 else "")


def _host_port(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


# Kind by kind


def _pod(of: Object, now: datetime) -> Sequence[Any]:
    addresses = [at(of, "status", "podIP"), *(each.get("ip") for each in at(of, "status", "podIPs") or ())]
    return (
        _name(of), *summary(of, now), _age(of, now), next(filter(None, addresses), NONE),
        at(of, "spec", "nodeName") or NONE, at(of, "status", "nominatedNodeName") or NONE, gates(of),
    )  # fmt: skip


def _balancer(of: Object) -> list[str]:
    ingress = at(of, "status", "loadBalancer", "ingress") or ()
    return sorted({each.get("ip") or each.get("hostname") for each in ingress} - {None, ""})


def _outside(of: Object) -> str:
    type_, own = at(of, "spec", "type"), at(of, "spec", "externalIPs") or []
    if type_ == "ExternalName":
        return str(at(of, "spec", "externalName") or "")
    if type_ == "LoadBalancer":
        return ",".join(_balancer(of) + own) or "<pending>"
    return (",".join(own) or NONE) if type_ in ("ClusterIP", "NodePort") else "<unknown>"


def _service_port(of: Object) -> str:
    node = f":{of['nodePort']}" if of.get("nodePort") else ""
    return f"{of.get('port')}{node}/{of.get('protocol') or 'TCP'}"


def _service(of: Object, now: datetime) -> Sequence[Any]:
    ports = ",".join(_service_port(each) for each in at(of, "spec", "ports") or ())
    addresses = at(of, "spec", "clusterIPs") or [NONE]
    return (
        _name(of), at(of, "spec", "type") or "", addresses[0], _outside(of), ports or NONE, _age(of, now),
        _labels(at(of, "spec", "selector")),
    )  # fmt: skip


def _deployment(of: Object, now: datetime) -> Sequence[Any]:
    return (
        _name(of), f"{_number(of, 'status', 'readyReplicas')}/{_number(of, 'spec', 'replicas')}",
        _number(of, "status", "updatedReplicas"), _number(of, "status", "availableReplicas"), _age(of, now),
        *_template(of), _selector(at(of, "spec", "selector")),
    )  # fmt: skip


def _replica_set(of: Object, now: datetime) -> Sequence[Any]:
    numbers = (("spec", "replicas"), ("status", "replicas"), ("status", "readyReplicas"))
    return (
        _name(of), *(_number(of, *path) for path in numbers), _age(of, now), *_template(of),
        _selector(at(of, "spec", "selector")) or NONE,
    )  # fmt: skip


def _stateful_set(of: Object, now: datetime) -> Sequence[Any]:
    ready = f"{_number(of, 'status', 'readyReplicas')}/{_number(of, 'spec', 'replicas')}"
    return _name(of), ready, _age(of, now), *_template(of)


def _scale(of: Object, now: datetime) -> Sequence[Any]:
    return _name(of), _number(of, "spec", "replicas"), _number(of, "status", "replicas"), _age(of, now)


def _revision(of: Object, now: datetime) -> Sequence[Any]:
    owner = next((each for each in at(of, "metadata", "ownerReferences") or () if each.get("controller")), None)
    told = NONE
    if owner:
        group = str(owner.get("apiVersion")).rpartition("/")[0]
        told = f"{str(owner.get('kind')).lower()}{'.' if group else ''}{group}/{owner.get('name')}"
    return _name(of), told, of.get("revision") or 0, _age(of, now)


def _endpoints(of: Object, now: datetime) -> Sequence[Any]:
    found = []
    for subset in of.get("subsets") or ():
        addresses = [str(each.get("ip")) for each in subset.get("addresses") or ()]
        ports = [each.get("port") for each in subset.get("ports") or ()]
        found += [_host_port(address, port) for port in ports for address in addresses] if ports else addresses
    return _name(of), _some(found, "" if of.get("subsets") else NONE), _age(of, now)


def _slice(of: Object, now: datetime) -> Sequence[Any]:
    ports = [str(each.get("port") or each.get("name") or "*") for each in of.get("ports") or ()]
    addresses = [str(each) for endpoint in of.get("endpoints") or () for each in endpoint.get("addresses") or ()]
    nothing = "<unset>"
    return _name(of), of.get("addressType") or "", _some(ports, nothing), _some(addresses, nothing), _age(of, now)


def _node(of: Object, now: datetime) -> Sequence[Any]:
    ready = next((each for each in at(of, "status", "conditions") or () if each.get("type") == "Ready"), None)
    status = "Unknown" if ready is None else "Ready" if ready.get("status") == "True" else "NotReady"
    if at(of, "spec", "unschedulable"):
        status += ",SchedulingDisabled"
    info = at(of, "status", "nodeInfo") or {}
    kernel = info.get("kernelVersion") or ages.UNKNOWN
    if info.get("architecture"):
        kernel += f" ({info['architecture']})"
    return (
        _name(of), status, _roles(of), _age(of, now), info.get("kubeletVersion") or "", _address(of, "InternalIP"),
        _address(of, "ExternalIP"), info.get("osImage") or ages.UNKNOWN, kernel,
        info.get("containerRuntimeVersion") or ages.UNKNOWN,
    )  # fmt: skip


_ROLE = "node-role.kubernetes.io/"


def _roles(of: Object) -> str:
    labels = at(of, "metadata", "labels") or {}
    named = [key.removeprefix(_ROLE) for key in labels if key.startswith(_ROLE)]
    return ",".join(sorted({each for each in (*named, labels.get("kubernetes.io/role")) if each})) or NONE


def _address(of: Object, type_: str) -> str:
    addresses = at(of, "status", "addresses") or ()
    return next((str(each.get("address")) for each in addresses if each.get("type") == type_), NONE)


def _event(of: Object, now: datetime) -> Sequence[Any]:
    first = ages.since(of.get("firstTimestamp") or of.get("eventTime"), now)
    last, count = first, of.get("count") or 1
    if of.get("lastTimestamp"):
        last = ages.since(of["lastTimestamp"], now)
    if of.get("series"):
        last, count = ages.since(of["series"].get("lastObservedTime"), now), of["series"].get("count") or 0
    about = of.get("involvedObject") or {}
    target = f"{str(about.get('kind') or '').lower()}{'/' if about.get('name') else ''}{about.get('name') or ''}"
    source = of.get("source") or {}
    who = source.get("component") or of.get("reportingComponent") or ""
    which = source.get("host") or of.get("reportingInstance")
    return (
        last, of.get("type") or "", of.get("reason") or "", target, about.get("fieldPath") or "",
        f"{who}, {which}" if which else who, str(of.get("message") or "").strip(), first, count, _name(of),
    )  # fmt: skip


def _ingress(of: Object, now: datetime) -> Sequence[Any]:
    rules = at(of, "spec", "rules") or ()
    class_name = at(of, "spec", "ingressClassName")
    return (
        _name(of), NONE if class_name is None else class_name, _hosts(rules),
        ",".join(_balancer(of)), "80, 443" if at(of, "spec", "tls") else "80", _age(of, now),
    )  # fmt: skip


def _hosts(rules: Sequence[Object]) -> str:
    """The first few; what is told of the rest is the number of rules, with a host or without."""
    found: list[str] = []
    for rule in rules:
        if len(found) == _SHOWN:
            return f"{','.join(found)} + {len(rules) - _SHOWN} more..."
        found += [rule["host"]] if rule.get("host") else []
    return ",".join(found) or "*"


def _config_map(of: Object, now: datetime) -> Sequence[Any]:
    return _name(of), len(of.get("data") or ()) + len(of.get("binaryData") or ()), _age(of, now)


def _secret(of: Object, now: datetime) -> Sequence[Any]:
    return _name(of), of.get("type") or "", len(of.get("data") or ()), _age(of, now)


def _namespace(of: Object, now: datetime) -> Sequence[Any]:
    return _name(of), at(of, "status", "phase") or "", _age(of, now)


def _lease(of: Object, now: datetime) -> Sequence[Any]:
    return _name(of), at(of, "spec", "holderIdentity") or "", _age(of, now)


def _named(of: Object, now: datetime) -> Sequence[Any]:
    return _name(of), _age(of, now)


def _other(of: Object, now: datetime) -> Sequence[Any]:
    return _name(of), at(of, "metadata", "creationTimestamp")


OTHER = Columns((_NAME, Column("Created At", "When it was created.", "date")), _other)
"""For what has no columns of its own."""

OF_KIND = {
    "Pod": Columns(
        (
            _NAME,
            Column("Ready", "Containers that are ready, of all."),
            Column("Status", "How it is."),
            Column("Restarts", "How often containers were started again, and when last."),
            _AGE,
            _wide("IP", "Its address."),
            _wide("Node", "Its node."),
            _wide("Nominated Node", "The node it will get once others have gone."),
            _wide("Readiness Gates", "Further conditions that hold, of all."),
        ),
        _pod,
    ),
    "Service": Columns(
        (
            _NAME,
            Column("Type", "Where it is reached from."),
            Column("Cluster-IP", "Its address."),
            Column("External-IP", "Its addresses for the world outside."),
            Column("Port(s)", "Where it listens."),
            _AGE,
            _SELECTOR,
        ),
        _service,
    ),
    "Deployment": Columns(
        (
            _NAME,
            Column("Ready", "Pods that are ready, of those that are wanted."),
            Column("Up-to-date", "Pods of the present template."),
            Column("Available", "Pods that have been ready for long enough."),
            _AGE,
            *_TEMPLATE,
            _SELECTOR,
        ),
        _deployment,
    ),
    "ReplicaSet": Columns(
        (
            _NAME,
            Column("Desired", "Pods that are wanted.", "integer"),
            Column("Current", "Pods that there are.", "integer"),
            Column("Ready", "Pods that are ready.", "integer"),
            _AGE,
            *_TEMPLATE,
            _SELECTOR,
        ),
        _replica_set,
    ),
    "StatefulSet": Columns(
        (_NAME, Column("Ready", "Pods that are ready, of those that are wanted."), _AGE, *_TEMPLATE), _stateful_set
    ),
    "Scale": Columns(
        (
            Column("Name", "Its name."),
            Column("Desired", "Pods that are wanted.", "integer"),
            Column("Available", "Pods that there are.", "integer"),
            _AGE,
        ),
        _scale,
    ),
    "ControllerRevision": Columns(
        (_NAME, Column("Controller", "Whose it is."), Column("Revision", "Counts them."), _AGE), _revision
    ),
    "Endpoints": Columns((_NAME, Column("Endpoints", "Addresses that are ready."), _AGE), _endpoints),
    "EndpointSlice": Columns(
        (
            _NAME,
            Column("AddressType", "What kind of addresses."),
            Column("Ports", "Their ports."),
            Column("Endpoints", "The addresses."),
            _AGE,
        ),
        _slice,
    ),
    "Node": Columns(
        (
            _NAME,
            Column("Status", "Whether it is ready."),
            Column("Roles", "What it is for."),
            _AGE,
            Column("Version", "The version of its kubelet."),
            _wide("Internal-IP", "Its address."),
            _wide("External-IP", "Its address for the world outside."),
            _wide("OS-Image", "Its operating system."),
            _wide("Kernel-Version", "Its kernel."),
            _wide("Container-Runtime", "Its container runtime."),
        ),
        _node,
    ),
    "Event": Columns(
        (
            Column("Last Seen", "When it happened last."),
            Column("Type", "Normal or Warning."),
            Column("Reason", "What happened, in one word."),
            Column("Object", "To what."),
            _wide("Subobject", "To which part of it."),
            _wide("Source", "Who says so."),
            Column("Message", "What happened."),
            _wide("First Seen", "When it happened first."),
            _wide("Count", "How often."),
            Column("Name", "Its name.", wide=True, is_name=True),
        ),
        _event,
    ),
    "Ingress": Columns(
        (
            _NAME,
            Column("Class", "Who serves it."),
            Column("Hosts", "Whose requests it is about."),
            Column("Address", "Where it is reached."),
            Column("Ports", "Ports at which it is reached."),
            _AGE,
        ),
        _ingress,
    ),
    "ConfigMap": Columns((_NAME, Column("Data", "How many texts."), _AGE), _config_map),
    "Secret": Columns((_NAME, Column("Type", "What it is for."), Column("Data", "How many texts."), _AGE), _secret),
    "ServiceAccount": Columns((_NAME, _AGE), _named),
    "Namespace": Columns((_NAME, Column("Status", "In use, or on its way out."), _AGE), _namespace),
    "Lease": Columns((_NAME, Column("Holder", "Who has it."), _AGE), _lease),
}
