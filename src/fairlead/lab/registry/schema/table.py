"""The types, read from their texts.

A paragraph is one type: its name, a colon, its fields. ``+`` before the name adds apiVersion, kind and metadata. A
field is a name, ``*`` if it is required, and its type:

    str bool num bytes time microtime quantity intstr any
    int long            32 and 64 bits
    Name                another paragraph
    [type] {type}       a list, a map of texts to it
    [type]@key          a list that a strategic patch merges by ``key``; by value where that is empty
    type!               a strategic patch may say which fields to retain
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from fairlead.lab.registry.schema.meta_types import METADATA
from fairlead.lab.registry.schema.object_types import OBJECTS
from fairlead.lab.registry.schema.pod_types import PODS


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


SCALARS = frozenset(
    ("str", "bool", "num", "bytes", "time", "microtime", "quantity", "intstr", "any", "int", "long"),
)  # fmt: skip


def _type(text: str) -> Type:
    text, retains = (text[:-1], True) if text.endswith("!") else (text, False)
    key = None
    if text[0] == "[":
        text, _, after = text.rpartition("]")
        if after:
            key = after[1:]
        return Type("[]", _type(text[1:]), key, retains)
    if text[0] == "{":
        return Type("{}", _type(text[1:-1]))
    return Type(text, retains=retains)


def _fields(text: str) -> Iterator[tuple[str, Type]]:
    for field in " ".join(text.split()).split(", "):
        name, _, kind = field.partition(" ")
        yield name.rstrip("*"), _type(kind)._replace(required=name.endswith("*"))


def _read(text: str) -> Iterator[tuple[str, dict[str, Type]]]:
    for paragraph in text.strip().replace("\n    ", " ").splitlines():
        name, _, fields = paragraph.partition(": ")
        root = {"apiVersion": Type("str"), "kind": Type("str"), "metadata": Type("ObjectMeta")}
        yield name.lstrip("+"), {**(root if name[0] == "+" else {}), **dict(_fields(fields))}


TYPES = {name: fields for text in (METADATA, PODS, OBJECTS) for name, fields in _read(text)}
"""The fields of every type."""
