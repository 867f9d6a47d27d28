"""The types, read from their texts: one thing a line.

::

    @ io.k8s.api.core.v1 v1                 where the types that follow stand in OpenAPI, and their apiVersion
    Pod kind -- Words.                      a type; "kind": an object of its own, with apiVersion, kind and metadata
    PodAntiAffinity < PodAffinity           has the fields of the other, and those that follow
    EphemeralContainer < 1:Container        the same, but in protocol buffers the other is a message in field 1
    SlicePort (EndpointPort)                is called so elsewhere; here, no two types have the same name
    ObjectReference atomic                  whoever applies it replaces it as a whole
      1 name! str -- Words.                 a field, with its number in protocol buffers; "!": it is required
      2 replicas? int                       "?": 0, false or empty is something else than nothing
      2.1 hostPath? HostPathVolumeSource    in protocol buffers it is field 1 of a message in field 2
      3 policy str =Always|Never            one of these
      4 containers [Container] by name      a list whose entries these fields tell apart; patches merge it
      5 claims [ResourceClaim] keyed name   the same, but a patch replaces it
      6 finalizers [str] merged             a list of distinct values; patches merge it
      7 values [int] set                    a list of distinct values; a patch replaces it
      8 hostIPs [HostIP] patched ip         a list that strategic patches merge, and nobody else
      9 selector {str} atomic               whoever applies it replaces it as a whole
      10 strategy DeploymentStrategy retain a strategic patch may say which fields to retain

The types of fields:

    str bool num bytes time microtime quantity intstr any
    int long            32 and 64 bits
    Name                another type
    [type] {type}       a list, a map of texts to it

Names, types, numbers and keys are those of Kubernetes 1.36; the words are our own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from fairlead.lab.registry.kinds import Kind
from fairlead.lab.registry.schema import (
    meta_types,
    object_types,
    pod_types,
    review_types,
    volume_types,
    workload_types,
)

SCALARS = frozenset(("str", "bool", "num", "bytes", "time", "microtime", "quantity", "intstr", "any", "int", "long"))


class Type(NamedTuple):
    """Of a field, of what is in a list, or of what is in a map."""

    name: str
    """A scalar's, an object's, or ``[]`` and ``{}``."""
    of: Type | None = None
    """What a list or a map is made of."""
    key: str | None = None
    """What a list is merged by: a field, "" for the items themselves, None if another list takes its place."""
    retains: bool = False
    required: bool = False


class Field(NamedTuple):
    """One field of an object."""

    type: Type
    words: str
    values: tuple[str, ...] = ()
    """All that it may be; none if that is not known."""
    lists: str = ""
    """``map`` or ``set`` where entries of a list are told apart, ``atomic`` where they are not or where a map is
    replaced as a whole."""
    keys: tuple[str, ...] = ()
    """What tells the entries apart."""
    numbers: tuple[int, ...] = ()
    """In protocol buffers: its own, after those of the messages it is in. None for what is not in the message."""
    nullable: bool = False
    """Its zero is something else than nothing."""


class Model(NamedTuple):
    """One type."""

    name: str
    """In OpenAPI."""
    api_version: str
    """Of the objects, where it is a kind."""
    is_kind: bool
    atomic: bool
    words: str
    fields: dict[str, Field]


_ROOT = {
    "apiVersion": Field(Type("str"), "Group and version."),
    "kind": Field(Type("str"), "What it is."),
    "metadata": Field(Type("ObjectMeta"), "What every object says of itself.", numbers=(1,)),
}
_MODEL = re.compile(r"(\w+)(?: \((\w+)\))?( kind)?( atomic)?(?: < (?:(\d+):)?(\w+))?(?: -- (.*))?")
_FIELD = re.compile(
    r"  (?:([\d.]+) )?(\w+)(!?)(\??) (\S+)"
    r"(?: (by|keyed|patched) (\S+))?( merged| set| atomic)?( retain)?(?: =(\S*))?(?: -- (.*))?"
)


def _type(text: str) -> Type:
    if text[0] in "[{":
        return Type("[]" if text[0] == "[" else "{}", _type(text[1:-1]))
    return Type(text)


def _field(line: str) -> tuple[str, Field]:
    found = _FIELD.fullmatch(line)
    if not found:
        raise ValueError(line)
    numbers, name, required, nullable, text, told, names, word, retain, values, words = found.groups(default="")
    keys, word = tuple(names.split(",")) if names else (), word.strip()
    key = keys[0] if told in ("by", "patched") else "" if word == "merged" else None
    type_ = _type(text)._replace(key=key, retains=bool(retain), required=bool(required))
    lists = "atomic" if word == "atomic" or type_.name == "[]" else ""
    if told in ("by", "keyed"):
        lists = "map"
    elif word in ("merged", "set"):
        lists = "set"
    of = tuple(values.split("|")) if values else ()
    wire = tuple(map(int, numbers.split("."))) if numbers else ()
    return name, Field(type_, words, of, lists, keys if lists == "map" else (), wire, bool(nullable))


def _read(texts: tuple[str, ...]) -> Iterator[tuple[str, Model]]:
    prefix = api_version = ""
    known: dict[str, Model] = {}
    for line in "\n".join(texts).splitlines():
        if line.startswith("@"):
            _, prefix, api_version = line.split()
        elif line.startswith(" "):
            name, field = _field(line)
            next(reversed(known.values())).fields[name] = field
        elif line:
            found = _MODEL.fullmatch(line)
            if not found:
                raise ValueError(line)
            name, elsewhere, is_kind, atomic, inside, base, words = found.groups(default="")
            fields = dict(_ROOT) if is_kind else {}
            outer = (int(inside),) if inside else ()
            for field_name, field in known[base].fields.items() if base else ():
                fields[field_name] = field._replace(numbers=outer + field.numbers)
            full = f"{prefix}.{elsewhere or name}"
            known[name] = Model(full, api_version, bool(is_kind), bool(atomic), words, fields)
    yield from known.items()


MODELS = dict(
    _read(
        (
            meta_types.TABLE, pod_types.TABLE, volume_types.TABLE, object_types.TABLE, workload_types.TABLE,
            review_types.TABLE,
        )
    )
)  # fmt: skip
"""All types, by the names that they have here."""

TYPES = {name: {field: found.type for field, found in model.fields.items()} for name, model in MODELS.items()}
"""The fields of every type."""


def model_of(kind: Kind) -> Model:
    """The type of a kind's objects."""
    return MODELS[kind.kind]
