"""Whether a node takes a pod, and if not, why, in the scheduler's words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from fairlead.lab.controllers.meta import labels_of, selects
from fairlead.lab.registry.quantity import value as amount
from fairlead.lab.registry.store import Object

_NATIVE = ("cpu", "memory", "ephemeral-storage")


class Refusal(NamedTuple):
    """Why a node does not take a pod."""

    reasons: tuple[str, ...]
    unless: bool = False
    """Other pods would have to go."""


def refusal(pod: Object, node: Object, others: Iterable[Object]) -> Refusal | None:
    """None if the node takes it; ``others`` are the pods that are there and not over. The first rule that says no."""
    there = list(others)
    for rule in _RULES:
        found = rule(pod, node, there)
        if found is not None:
            return found
    return None


# Rules


def _unschedulable(pod: Object, node: Object, _there: list[Object]) -> Refusal | None:
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    if not node["spec"].get("unschedulable") or _tolerated(taint, pod):
        return None
    return Refusal(("node(s) were unschedulable",))


def _tainted(pod: Object, node: Object, _there: list[Object]) -> Refusal | None:
    taints = [each for each in node["spec"].get("taints") or () if each.get("effect") in ("NoSchedule", "NoExecute")]
    left = [each for each in taints if not _tolerated(each, pod)]
    return Refusal(("node(s) had untolerated taint(s)",)) if left else None


def _tolerated(taint: Mapping[str, Any], pod: Object) -> bool:
    return any(_tolerates(each, taint) for each in pod["spec"].get("tolerations") or ())


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("key") not in (None, "", taint["key"]):
        return False
    if toleration.get("operator") == "Exists":
        return True
    return bool(toleration.get("key")) and toleration.get("value", "") == taint.get("value", "")


def _chosen(pod: Object, node: Object, _there: list[Object]) -> Refusal | None:
    labels, spec = labels_of(node), pod["spec"]
    plain = all(labels.get(name) == value for name, value in (spec.get("nodeSelector") or {}).items())
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    terms = required.get("nodeSelectorTerms") or [] if required is not None else None
    if plain and (terms is None or any(_term(each, node) for each in terms)):
        return None
    return Refusal(("node(s) didn't match Pod's node affinity/selector",))


def _term(term: Mapping[str, Any], node: Object) -> bool:
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    if not expressions and not fields:
        return False
    name = {"metadata.name": node["metadata"]["name"]}
    return all(_holds(each, labels_of(node)) for each in expressions) and all(_holds(each, name) for each in fields)


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    operator, found = expression["operator"], labels.get(expression["key"])
    if operator in ("Gt", "Lt"):
        try:
            known, limit = int(found or ""), int(expression["values"][0])
        except ValueError:
            return False
        return known > limit if operator == "Gt" else known < limit
    return selects({"matchExpressions": [expression]}, labels)


def _ports(pod: Object, _node: Object, there: list[Object]) -> Refusal | None:
    wanted, taken = _host_ports(pod), {port for other in there for port in _host_ports(other)}
    clash = any(_same_port(one, other) for one in wanted for other in taken)
    return Refusal(("node(s) didn't have free ports for the requested pod ports",), unless=True) if clash else None


def _host_ports(pod: Object) -> set[tuple[str, str, int]]:
    found = set()
    for container in pod["spec"]["containers"]:
        for port in container.get("ports") or ():
            number = port.get("hostPort") or (port["containerPort"] if pod["spec"].get("hostNetwork") else 0)
            if number:
                found.add((port.get("hostIP") or "0.0.0.0", port.get("protocol", "TCP"), number))  # noqa: S104
    return found


def _same_port(one: tuple[str, str, int], other: tuple[str, str, int]) -> bool:
    anywhere = "0.0.0.0" in (one[0], other[0])  # noqa: S104
    return one[1:] == other[1:] and (anywhere or one[0] == other[0])


def _resources(pod: Object, node: Object, there: list[Object]) -> Refusal | None:
    room = {name: amount(text) for name, text in node.get("status", {}).get("allocatable", {}).items()}
    reasons = ["Too many pods"] if len(there) + 1 > room.get("pods", Decimal("Infinity")) else []
    used = [requests(other) for other in there]
    wanted, unless = requests(pod), bool(reasons)
    for name in (*_NATIVE, *sorted(name for name in wanted if name not in _NATIVE)):
        capacity = room.get(name, Decimal(0))
        asked = wanted.get(name, Decimal(0))
        if asked and asked + sum(each.get(name, Decimal(0)) for each in used) > capacity:
            reasons.append(f"Insufficient {name}")
            unless = unless or asked <= capacity
    return Refusal(tuple(reasons), unless) if reasons else None


def requests(pod: Object) -> dict[str, Decimal]:
    """What it asks for: all that runs at once, or the largest of what runs before that."""
    spec = pod["spec"]
    running, before = _sum(_asked(each) for each in spec["containers"]), [dict[str, Decimal]()]
    sidecars = dict[str, Decimal]()
    for each in spec.get("initContainers") or ():
        before.append(_sum([sidecars, _asked(each)]))
        if each.get("restartPolicy") == "Always":
            sidecars = before[-1]
    wanted = [_sum([running, sidecars]), *before]
    names = {name for each in wanted for name in each}
    most = {name: max(each.get(name, Decimal(0)) for each in wanted) for name in names}
    return _sum([most, {name: amount(text) for name, text in (spec.get("overhead") or {}).items()}])


def _asked(container: Object) -> dict[str, Decimal]:
    resources = container.get("resources") or {}
    asked = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    return {name: amount(str(text)) for name, text in asked.items()}


def _sum(many: Iterable[Mapping[str, Decimal]]) -> dict[str, Decimal]:
    total = dict[str, Decimal]()
    for each in many:
        for name, value in each.items():
            total[name] = total.get(name, Decimal(0)) + value
    return total


def _neighbours(pod: Object, node: Object, there: list[Object]) -> Refusal | None:
    """Affinity and anti-affinity. Of one node, all that is there shares every domain that the node has."""
    for term in _terms(pod, "podAffinity"):
        alone = not any(_meant(term, pod, other) for other in there)
        first = alone and _meant(term, pod, pod)  # the first of those that want to be together
        if term["topologyKey"] not in labels_of(node) or (alone and not first):
            return Refusal(("node(s) didn't match pod affinity rules",))
    for term in _terms(pod, "podAntiAffinity"):
        if term["topologyKey"] in labels_of(node) and any(_meant(term, pod, other) for other in there):
            return Refusal(("node(s) didn't match pod anti-affinity rules",), unless=True)
    for other in there:
        for term in _terms(other, "podAntiAffinity"):
            if term["topologyKey"] in labels_of(node) and _meant(term, other, pod):
                return Refusal(("node(s) didn't satisfy existing pods anti-affinity rules",), unless=True)
    return None


def _terms(pod: Object, kind: str) -> list[Mapping[str, Any]]:
    affinity = (pod["spec"].get("affinity") or {}).get(kind) or {}
    return list(affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or ())


def _meant(term: Mapping[str, Any], owner: Object, other: Object) -> bool:
    """Whether a pod is one of those that ``owner`` wants near, or not near."""
    namespaces = term.get("namespaces") or [owner["metadata"]["namespace"]]
    everywhere = term.get("namespaceSelector") == {}
    return (everywhere or other["metadata"]["namespace"] in namespaces) and selects(
        term.get("labelSelector"), labels_of(other)
    )


_RULES: tuple[Callable[[Object, Object, list[Object]], Refusal | None], ...] = (
    _unschedulable, _tainted, _chosen, _ports, _resources, _neighbours,
)  # fmt: skip
