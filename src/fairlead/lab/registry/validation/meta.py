"""What every object says of itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from typing import Any

from fairlead.lab.registry import kinds, names, status
from fairlead.lab.registry.kinds import Kind
from fairlead.lab.registry.status import Cause
from fairlead.lab.registry.values import Object, same

_LABELS = (kinds.NAMESPACE, kinds.SERVICE, kinds.STATEFUL_SET)
"""Kinds whose names are one label of a domain name."""
_STANDARD = ("kubernetes", "orphan", "foregroundDeletion")
"""Finalizers without a domain."""
_ANNOTATIONS_BYTES = 256 * 1024
IMMUTABLE = "field is immutable"
NO_ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
_FIXED = ("name", "namespace", "uid")


def texts(field: str, value: Any, wrong: Iterable[str]) -> Iterator[Cause]:
    """One cause for each thing that a rule has against a value."""
    return (status.invalid(field, value, why) for why in wrong)


def name_rule(kind: Kind) -> names.Rule:
    """What the names of that kind may be."""
    return names.label if kind in _LABELS else names.subdomain


def check(kind: Kind, meta: Object) -> Iterator[Cause]:
    """Of an object that is new."""
    if meta.get("generateName"):
        base = meta["generateName"]
        start = f"{base[:-2]}a" if len(base) > 1 and base.endswith("-") else base
        yield from texts("metadata.generateName", base, name_rule(kind)(start))
    if not meta.get("name"):
        yield status.required("metadata.name", "name or generateName is required")
    else:
        yield from texts("metadata.name", meta["name"], name_rule(kind)(meta["name"]))
    yield from _check_always(meta)


def check_update(meta: Object, old: Object) -> Iterator[Cause]:
    """Of one that was there before."""
    if old.get("deletionTimestamp"):
        more = sorted(set(meta.get("finalizers", ())) - set(old.get("finalizers", ())))
        if more:
            told = ", ".join(f'"{name}"' for name in more)
            why = "no new finalizers can be added if the object is being deleted, found new finalizers"
            yield status.not_allowed("metadata.finalizers", f"{why} []string{{{told}}}")
    for name in _FIXED:
        if meta.get(name) != old.get(name):
            yield status.invalid(f"metadata.{name}", meta.get(name, ""), IMMUTABLE)
    yield from _check_always(meta)


def _check_always(meta: Object) -> Iterator[Cause]:
    yield from check_labels(meta.get("labels"), "metadata.labels")
    yield from check_annotations(meta.get("annotations"), "metadata.annotations")
    yield from _owners(meta.get("ownerReferences", ()))
    for index, finalizer in enumerate(meta.get("finalizers", ())):
        yield from texts("metadata.finalizers", finalizer, names.key(finalizer))
        if "/" not in finalizer and finalizer not in _STANDARD:
            why = "name is neither a standard finalizer name nor is it fully qualified"
            yield status.invalid(f"metadata.finalizers[{index}]", finalizer, why)


def check_labels(found: Mapping[str, str] | None, field: str) -> Iterator[Cause]:
    """Keys and values."""
    for key, value in (found or {}).items():
        yield from texts(field, key, names.key(key))
        yield from texts(field, value, names.label_value(value))


def check_annotations(found: Mapping[str, str] | None, field: str) -> Iterator[Cause]:
    """Keys, and the size of all together."""
    size = 0
    for key, value in (found or {}).items():
        yield from texts(field, key, names.key(key.lower()))
        size += len(key.encode("utf-8", "replace")) + len(value.encode("utf-8", "replace"))
    if size > _ANNOTATIONS_BYTES:
        yield status.too_long(field, _ANNOTATIONS_BYTES)


def _owners(owners: Iterable[Object]) -> Iterator[Cause]:
    field, controller = "metadata.ownerReferences", ""
    for owner in owners:
        for name in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(name):
                why = "version must not be empty" if name == "apiVersion" else "must not be empty"
                yield status.invalid(f"{field}.{name}", "", why)
        if owner.get("controller"):
            this = f"{owner.get('kind', '')}/{owner.get('name', '')}"
            if controller:
                why = 'Only one reference can have Controller set to true. Found "true" in references for'
                yield status.invalid(field, list(owners), f"{why} {controller} and {this}")
            controller = this


def unchanged(value: Any, old: Any, field: str) -> Iterator[Cause]:
    """A field that nobody can change."""
    if not same(value, old):
        yield status.invalid(field, value, IMMUTABLE)


def not_negative(value: Any, field: str) -> Iterator[Cause]:
    """A number, if it is there."""
    if value is not None and value < 0:
        yield status.invalid(field, value, "must be greater than or equal to 0")


def one_of(value: Any, words: Iterable[str], field: str) -> Iterator[Cause]:
    """One of some words, if it is there."""
    if value is not None and value not in words:
        yield status.not_supported(field, value, words)


def check_selector(value: Object, field: str) -> Iterator[Cause]:
    """A meta/v1 LabelSelector."""
    yield from check_labels(value.get("matchLabels"), f"{field}.matchLabels")
    for index, term in enumerate(value.get("matchExpressions", ())):
        place, operator = f"{field}.matchExpressions[{index}]", term.get("operator", "")
        if operator in ("In", "NotIn"):
            if not term.get("values"):
                yield status.required(f"{place}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        elif operator in ("Exists", "DoesNotExist"):
            if term.get("values"):
                why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                yield status.not_allowed(f"{place}.values", why)
        else:
            yield status.invalid(f"{place}.operator", operator, "not a valid selector operator")
        yield from texts(f"{place}.key", term.get("key", ""), names.key(term.get("key", "")))
        for number, text in enumerate(term.get("values", ())):
            yield from texts(f"{place}.values[{number}]", text, names.label_value(text))


def address(text: str, field: str) -> Iterator[Cause]:
    """Of either family."""
    try:
        ip_address(text)
    except ValueError:
        yield status.invalid(field, text, NO_ADDRESS)
