"""Field selectors: the few fields that each kind can be asked for by (Kubernetes, Field Selectors)."""

from __future__ import annotations

from typing import NamedTuple

from fairlead.lab.registry.kinds import EVENT, NAMESPACE, NODE, POD, SECRET, SERVICE, Kind
from fairlead.lab.registry.status import bad_request
from fairlead.lab.registry.values import Object, at

_SPECIFIC = {
    POD: (
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
        "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName",
    ),
    NODE: ("spec.unschedulable",),
    NAMESPACE: ("status.phase",),
    SECRET: ("type",),
    SERVICE: ("spec.clusterIP", "spec.type"),
    EVENT: (
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
        "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
        "reportingComponent", "source", "type",
    ),
}  # fmt: skip
_BOOLEANS = ("spec.hostNetwork", "spec.unschedulable")


class Term(NamedTuple):
    """One field, and what it is or is not."""

    field: str
    value: str
    equal: bool = True


class FieldSelector(NamedTuple):
    """Terms that must all hold."""

    terms: tuple[Term, ...] = ()

    def matches(self, value: Object) -> bool:
        """Whether an object is one of those."""
        return all((_field(value, term.field) == term.value) == term.equal for term in self.terms)

    @property
    def name(self) -> str:
        """The one name that all of them have; "" if that is not asked for."""
        return next((term.value for term in self.terms if term.field == "metadata.name" and term.equal), "")


def parsed(kind: Kind, text: str) -> FieldSelector:
    """The ``fieldSelector`` of a query. Raises ApiStatusError (400)."""
    known = ("metadata.name", *(("metadata.namespace",) if kind.namespaced else ()), *_SPECIFIC.get(kind, ()))
    terms = []
    for part in _split(text):
        term = _term(part)
        if term is None:
            raise bad_request(f"invalid selector: '{text}'; can't understand '{part}'")
        if term.field not in known:
            if kind in _SPECIFIC:
                raise bad_request(f"field label not supported: {term.field}")
            raise bad_request(
                f'"{term.field}" is not a known field selector: only "metadata.name", "metadata.namespace"'
            )
        terms.append(term)
    return FieldSelector(tuple(terms))


def _split(text: str) -> list[str]:
    """At commas that no backslash stands before."""
    parts, part, escaped = [], "", False
    for char in text:
        if char == "," and not escaped:
            parts.append(part)
            part = ""
            continue
        escaped = char == "\\" and not escaped
        part += char
    return [part for part in (*parts, part) if part]


def _term(text: str) -> Term | None:
    for index, char in enumerate(text):
        if char == "\\":
            continue
        for sign in ("!=", "==", "="):
            if text.startswith(sign, index):
                return Term(text[:index], _unescaped(text[index + len(sign) :]), sign != "!=")
    return None


def _unescaped(text: str) -> str:
    found, escaped = "", False
    for char in text:
        if char == "\\" and not escaped:
            escaped = True
            continue
        found, escaped = found + char, False
    return found


def _field(value: Object, field: str) -> str:
    if field == "source":
        return at(value, "source", "component") or value.get("reportingComponent") or ""
    if field == "status.podIPs":
        field = "status.podIP"
    found = at(value, *field.split("."))
    if field in _BOOLEANS:
        return "true" if found else "false"
    return found if isinstance(found, str) else ""
