"""Objects in another form: as rows of a table, which ``kubectl get`` shows as they are, or by their metadata alone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from fairlead.lab.registry import columns, media
from fairlead.lab.registry.kinds import Kind
from fairlead.lab.registry.status import ApiStatusError, bad_request
from fairlead.lab.registry.values import Object

TABLE, PARTIAL, PARTIAL_LIST = "Table", "PartialObjectMetadata", "PartialObjectMetadataList"
_GROUP, _VERSIONS = "meta.k8s.io", ("v1", "v1beta1")
_INCLUDED = ("None", "Metadata", "Object")
_ENDED = {"Succeeded": "It did what it was to do.", "Failed": "It failed."}


SCALE = Kind("autoscaling", "v1", "scales", "Scale")


class Form(NamedTuple):
    """How a client wants objects."""

    name: str = ""
    """``Table`` and so on; "" for objects as they are."""
    version: str = "v1"
    include: str = "Metadata"
    """What goes with the row of a table: None, Metadata or Object."""


def wanted(accept: str, include: str = "") -> Form:
    """The form that a client likes best; ``include`` is the parameter ``includeObject``. Raises ApiStatusError."""
    for clause in media.clauses(accept):
        if not media.allows(clause, media.JSON):
            continue
        name, version = clause.parameters.get("as", ""), clause.parameters.get("v", "v1")
        if not name:
            return Form()
        if name not in (TABLE, PARTIAL, PARTIAL_LIST) or clause.parameters.get("g") != _GROUP:
            continue
        if version not in _VERSIONS:
            continue
        if name == TABLE and include and include not in _INCLUDED:
            raise bad_request(
                f'Unable to convert to Table as requested: includeObject: Unsupported value: "{include}": '
                'supported values: "Metadata", "None", "Object"'
            )
        return Form(name, version, include or "Metadata")
    raise media.not_acceptable((media.JSON,))


def rendered(form: Form, kind: Kind, value: Object, now: datetime) -> Object:
    """An object or a list in that form; ``kind`` is that of the object (``SCALE`` for one), or of the list's items.

    A Status stays what it is. Raises ApiStatusError (406) for a list as one object, or the other way round.
    """
    if not form.name or value.get("kind") == "Status":
        return value
    is_list = isinstance(value.get("items"), list) and value.get("kind") == f"{kind.kind}List"
    if form.name == TABLE:
        meta = value.get("metadata") or {}
        kept = ("resourceVersion", "continue", "remainingItemCount") if is_list else ("resourceVersion",)
        told = {name: meta[name] for name in kept if name in meta}
        return _table(form, kind, value["items"] if is_list else [value], told, now, headers=True)
    if is_list != (form.name == PARTIAL_LIST):
        given = "a list" if is_list else "not a list"
        message = f"you requested {form.name}, but the requested object is {given} ({kind.kind})"
        raise ApiStatusError(406, "NotAcceptable", message)
    if not is_list:
        return _partial(form, value)
    items = [_partial(form, item) for item in value["items"]]
    return {
        "kind": PARTIAL_LIST, "apiVersion": f"{_GROUP}/{form.version}", "metadata": value.get("metadata") or {},
        "items": items,
    }  # fmt: skip


def rendered_event(form: Form, kind: Kind, type_: str, value: Object, now: datetime, *, first: bool) -> Object:
    """The object of one line of a watch; ``first``: the client has not been told of the columns yet."""
    if not form.name or type_ == "ERROR":
        return value
    if form.name == TABLE:
        meta = value.get("metadata") or {}
        told = {name: meta[name] for name in ("resourceVersion",) if name in meta}
        return _table(form, kind, [value], told, now, headers=first)
    return _partial(form, value)


def _table(form: Form, kind: Kind, objects: Iterable[Object], meta: Object, now: datetime, *, headers: bool) -> Object:
    found = columns.OF_KIND.get(kind.kind, columns.OTHER)
    rows = [_row(form, found, {"kind": kind.kind, "apiVersion": kind.api_version, **each}, now) for each in objects]
    told = [column.to_json() for column in found.columns] if headers else None
    api_version = f"{_GROUP}/{form.version}"
    return {"kind": TABLE, "apiVersion": api_version, "metadata": meta, "columnDefinitions": told, "rows": rows}


def _row(form: Form, of: columns.Columns, value: Object, now: datetime) -> Object:
    row: Object = {"cells": list(of.cells(value, now))}
    phase = (value.get("status") or {}).get("phase")
    if value.get("kind") == "Pod" and phase in _ENDED:
        row["conditions"] = [{"type": "Completed", "status": "True", "reason": phase, "message": _ENDED[phase]}]
    if form.include == "Object":
        row["object"] = value
    else:
        row["object"] = None if form.include == "None" else _partial(form, value)
    return row


def _partial(form: Form, value: Object) -> Object:
    return {"kind": PARTIAL, "apiVersion": f"{_GROUP}/{form.version}", "metadata": value.get("metadata") or {}}
