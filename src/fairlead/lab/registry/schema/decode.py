"""An object as clients send it, made one of its type: no field that is not in the table, nothing null."""

from __future__ import annotations

import binascii
import json
from base64 import b64decode
from collections.abc import Callable
from typing import Any

from fairlead.lab.registry import quantity
from fairlead.lab.registry.schema.table import TYPES, Type
from fairlead.lab.registry.values import copied

MAX_DEPTH = 100
"""Levels; what is deeper is an attack (affinity, the deepest that people write, has 13)."""
_TOO_DEEP = "exceeded max depth"
_BITS = {"int": 31, "long": 63}
_GO = {"str": "string", "bytes": "[]uint8", "bool": "bool", "int": "int32", "long": "int64", "num": "float64"}
_LEFT_OUT = ("managedFields", "selfLink")
"""Of the metadata: who changed what is not kept here."""


class TypeMismatchError(Exception):
    """A value is not of its field's type; the text is the API server's."""


def decode(name: str, value: Any) -> tuple[dict[str, Any], list[str]]:
    """A copy of what is known of ``value``, as of type ``name``, and the paths of the fields that are not.

    Raises TypeMismatchError.
    """
    unknown: list[str] = []
    found = _object(_Place(name, "", "", unknown.append), Type(name), value)
    assert isinstance(found, dict)
    return found, unknown


class _Place:
    """Where in the object a value is."""

    __slots__ = ("depth", "field", "owner", "path", "unknown")

    def __init__(self, owner: str, field: str, path: str, unknown: Callable[[str], None], depth: int = 0) -> None:
        self.owner = owner
        """The type that has the field."""
        self.field = field
        """The path as Go's decoder tells of it: without indexes."""
        self.path = path
        self.unknown = unknown
        self.depth = depth
        if depth > MAX_DEPTH:
            raise TypeMismatchError(_TOO_DEEP)

    def child(self, owner: str, name: str) -> _Place:
        field = f"{self.field}.{name}" if self.field else name
        path = f"{self.path}.{name}" if self.path else name
        return _Place(owner, field, path, self.unknown, self.depth + 1)

    def item(self, key: object) -> _Place:
        return _Place(self.owner, self.field, f"{self.path}[{key}]", self.unknown, self.depth + 1)

    def wrong(self, value: Any, wanted: str) -> TypeMismatchError:
        place = f"{self.owner}.{self.field}" if self.field else self.owner
        into = "Go struct field" if self.field else "Go value"
        return TypeMismatchError(f"json: cannot unmarshal {_told(value)} into {into} {place} of type {wanted}")


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number" if isinstance(value, int) and abs(value) < 2**31 else f"number {json.dumps(value)}"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _go(type_: Type) -> str:
    if type_.of is not None:
        return ("[]" if type_.name == "[]" else "map[string]") + _go(type_.of)
    return _GO.get(type_.name, f"v1.{type_.name}")


def _any(place: _Place, type_: Type, value: Any) -> Any:
    """What ``value`` is as of ``type_``; None for what is not there."""
    if value is None:
        return None
    return _MAKE.get(type_.name, _object)(place, type_, value)


def _object(place: _Place, type_: Type, value: Any) -> Any:
    if not isinstance(value, dict):
        raise place.wrong(value, _go(type_))
    fields = TYPES[type_.name]
    found = {}
    for name, inner in value.items():
        field = fields.get(name)
        if field is None:
            place.unknown(f"{place.path}.{name}" if place.path else name)
            continue
        made = _any(place.child(type_.name, name), field, inner)
        if made is not None and name not in _LEFT_OUT:
            found[name] = made
    return {name: inner for name, inner in found.items() if inner} if type_.name == "ObjectMeta" else found


def _list(place: _Place, type_: Type, value: Any) -> Any:
    if not isinstance(value, list):
        raise place.wrong(value, _go(type_))
    of = type_.of
    assert of is not None
    nothing: Any = {} if of.name in TYPES else ""
    return [nothing if item is None else _any(place.item(index), of, item) for index, item in enumerate(value)]


def _map(place: _Place, type_: Type, value: Any) -> Any:
    if not isinstance(value, dict):
        raise place.wrong(value, _go(type_))
    of = type_.of
    assert of is not None
    return {key: "" if item is None else _any(place.item(key), of, item) for key, item in value.items()}


def _text(place: _Place, type_: Type, value: Any) -> Any:
    if not isinstance(value, str):
        raise place.wrong(value, _GO["str"])
    return value


def _bytes(place: _Place, type_: Type, value: Any) -> Any:
    if not isinstance(value, str):
        raise place.wrong(value, _GO["bytes"])
    try:
        b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise TypeMismatchError(f"illegal base64 data at input byte {_first_bad(value)}") from None
    return value


def _first_bad(text: str) -> int:
    good = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return next((index for index, char in enumerate(text) if char not in good), len(text) - len(text) % 4)


def _bool(place: _Place, type_: Type, value: Any) -> Any:
    if not isinstance(value, bool):
        raise place.wrong(value, _GO["bool"])
    return value


def _int(place: _Place, type_: Type, value: Any) -> Any:
    end = 2 ** _BITS[type_.name]
    if isinstance(value, bool) or not isinstance(value, int) or not -end <= value < end:
        raise place.wrong(value, _GO[type_.name])
    return value


def _number(place: _Place, type_: Type, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise place.wrong(value, _GO["num"])
    return value


def _int_or_text(place: _Place, type_: Type, value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise place.wrong(value, "intstr.IntOrString")
    return _int(place, Type("int"), value)


def _quantity(place: _Place, type_: Type, value: Any) -> Any:
    text = json.dumps(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if not isinstance(text, str):
        raise TypeMismatchError(quantity.FORM_ERROR)
    try:
        return quantity.canonical(text)
    except ValueError as error:
        raise TypeMismatchError(str(error)) from None


def _anything(place: _Place, type_: Type, value: Any) -> Any:
    try:
        return copied(value)
    except RecursionError:
        raise TypeMismatchError(_TOO_DEEP) from None


_MAKE: dict[str, Callable[[_Place, Type, Any], Any]] = {
    "[]": _list, "{}": _map, "str": _text, "time": _text, "microtime": _text, "bytes": _bytes, "bool": _bool,
    "int": _int, "long": _int, "num": _number, "intstr": _int_or_text, "quantity": _quantity, "any": _anything,
}  # fmt: skip
