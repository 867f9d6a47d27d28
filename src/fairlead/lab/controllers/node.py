"""What the node says of itself, and that it lives."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from fairlead.lab.controllers.meta import find_condition, present, with_condition
from fairlead.lab.controllers.steps import Again, Controller, Create, Key, Replace, Step
from fairlead.lab.registry.kinds import LEASE, NODE
from fairlead.lab.registry.quantity import canonical
from fairlead.lab.registry.store import Change, Object, Store
from fairlead.lab.registry.times import micro_stamp, read, stamp
from fairlead.lab.registry.values import same

LEASES = "kube-node-lease"
"""The namespace of the leases of nodes; has to be there."""
LEASE_SECONDS, RENEW = 40, timedelta(seconds=10)
REPORT = timedelta(minutes=5)
"""How often the conditions say anew that they are as they were."""
CORDONED = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
_WELL = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


class Facts(NamedTuple):
    """The node, as it was found."""

    name: str
    address: str
    """Of the node itself, in the network of its pods."""
    pod_network: str
    """``10.244.0.0/24``."""
    processors: int
    memory: int
    """Bytes."""
    storage: int
    """Bytes for what is not kept."""
    architecture: str
    """As Go calls it, ``amd64``."""
    kernel: str
    system: str
    """As a person calls it, ``Debian GNU/Linux 12 (bookworm)``."""
    machine: str
    """The ids of the machine and of its start."""
    boot: str
    version: str
    """Of the Kubernetes that is spoken, ``v1.36.0``."""
    runtime: str
    """``fairlead://1.0``."""
    most_pods: int = 110
    port: int = 10250
    """Of the node API."""


def controller(facts: Facts) -> Controller:
    """Make the controller of one node."""

    def decide(store: Store, _key: Key, now: datetime) -> list[Step]:
        steps = [*_object(store.get(NODE, "", facts.name), facts, now)]
        steps += _lease(store.get(LEASE, LEASES, facts.name), store.get(NODE, "", facts.name), facts.name, now)
        return [*steps, Again(now + RENEW)]

    def nodes(_store: Store, change: Change) -> Iterator[Key]:
        if present(change)["metadata"]["name"] == facts.name:
            yield "", facts.name

    def leases(_store: Store, change: Change) -> Iterator[Key]:
        if change.after is None:  # its own renewals are no news
            yield "", facts.name

    return Controller("kubelet", decide, {NODE: nodes, LEASE: leases}, first=(("", facts.name),))


def labels(facts: Facts) -> dict[str, str]:
    """What a node is chosen by."""
    return {
        "beta.kubernetes.io/arch": facts.architecture,
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": facts.architecture,
        "kubernetes.io/hostname": facts.name,
        "kubernetes.io/os": "linux",
        "node-role.kubernetes.io/control-plane": "",
    }


def status(facts: Facts, before: Object | None, now: datetime) -> Object:
    """A NodeStatus. What it says changes only with the node, and every few minutes by its times."""
    capacity = {
        "cpu": str(facts.processors),
        "ephemeral-storage": canonical(f"{facts.storage // 1024}Ki"),
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "memory": canonical(f"{facts.memory // 1024}Ki"),
        "pods": str(facts.most_pods),
    }
    return {
        "capacity": capacity,
        "allocatable": capacity,
        "conditions": _conditions(before, now),
        "addresses": [
            {"type": "InternalIP", "address": facts.address},
            {"type": "Hostname", "address": facts.name},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": facts.port}},
        "nodeInfo": {
            "machineID": facts.machine,
            "systemUUID": facts.machine,
            "bootID": facts.boot,
            "kernelVersion": facts.kernel,
            "osImage": facts.system,
            "containerRuntimeVersion": facts.runtime,
            "kubeletVersion": facts.version,
            "kubeProxyVersion": "",
            "operatingSystem": "linux",
            "architecture": facts.architecture,
        },
    }


def _conditions(before: Object | None, now: datetime) -> list[Object]:
    old = (before or {}).get("status", {}).get("conditions", [])
    ready = find_condition(old, "Ready")
    if ready is not None and now - read(ready["lastHeartbeatTime"]) < REPORT:
        when = ready["lastHeartbeatTime"]
    else:
        when = stamp(now)
    for kind, value, reason, message in _WELL:
        new = {"type": kind, "status": value, "reason": reason, "message": message, "lastHeartbeatTime": when}
        old = with_condition(old, new, now)
    return list(old)


def _object(before: Object | None, facts: Facts, now: datetime) -> list[Step]:
    if before is None:
        made = {
            "apiVersion": NODE.api_version,
            "kind": NODE.kind,
            "metadata": {"name": facts.name, "labels": labels(facts)},
            "spec": {"podCIDR": facts.pod_network, "podCIDRs": [facts.pod_network]},
            "status": status(facts, None, now),
        }
        return [Create(NODE, made)]
    taints = [each for each in before["spec"].get("taints", []) if each["key"] != CORDONED["key"]]
    taints += [CORDONED] if before["spec"].get("unschedulable") else []
    if [each["key"] for each in taints] != [each["key"] for each in before["spec"].get("taints", [])]:
        spec = {name: value for name, value in before["spec"].items() if name != "taints"}
        return [Replace(NODE, {**before, "spec": {**spec, **({"taints": taints} if taints else {})}})]
    wanted = {**before.get("status", {}), **status(facts, before, now)}
    return [] if same(wanted, before.get("status")) else [Replace(NODE, {**before, "status": wanted}, "status")]


def _lease(before: Object | None, node: Object | None, name: str, now: datetime) -> list[Step]:
    if node is None:
        return []
    spec = {"holderIdentity": name, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": micro_stamp(now)}
    if before is not None:
        due = now - read(before["spec"]["renewTime"]) >= RENEW
        return [Replace(LEASE, {**before, "spec": {**before["spec"], **spec}})] if due else []
    owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": node["metadata"]["uid"]}
    meta = {"name": name, "namespace": LEASES, "ownerReferences": [owner]}
    return [Create(LEASE, {"apiVersion": LEASE.api_version, "kind": LEASE.kind, "metadata": meta, "spec": spec})]
