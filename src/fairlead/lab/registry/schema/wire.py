"""Objects that come as protocol buffers: kubectl since 1.32 sends what it makes itself (``create deployment``) so.

What is sent is four bytes, and a message that says what the object is and has the object's message in it
(apimachinery, runtime.Unknown). Go writes many fields that are not set; ``?`` in the table tells where their zero means
something.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeAlias

from fairlead.lab.registry import times
from fairlead.lab.registry.schema.table import MODELS, Field, Type
from fairlead.lab.registry.values import Object

TYPE = "application/vnd.kubernetes.protobuf"
MAX_DEPTH = 100
"""Messages in messages; what is deeper is an attack."""
_MAGIC = b"k8s\x00"
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
_WIDTHS = {_EIGHT: 8, _FOUR: 4}
_MAX_VARINT = 10
"""Bytes, of which each has seven bits of at most 64."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Numbers: TypeAlias = "dict[int, tuple[str, Field] | _Numbers]"


class WireError(Exception):
    """It is no object in this form."""


def decoded(body: bytes) -> Object:
    """The object, as JSON has it. Raises WireError."""
    if not body.startswith(_MAGIC):
        raise WireError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    kind, api_version, raw = "", "", b""
    for number, value in _fields(body[len(_MAGIC) :]):
        if number == 1:
            names = {inner: _text(text) for inner, text in _fields(_bytes(value))}
            api_version, kind = names.get(1, ""), names.get(2, "")
        elif number == 2:
            raw = _bytes(value)
        elif number == 3 and value:
            raise WireError("the content of the message is encoded")
    if kind not in MODELS:
        raise WireError(f"there is no kind {kind!r}")
    return {"apiVersion": api_version, "kind": kind, **_object(kind, raw, 0)}


def _varint(of: bytes, at: int) -> tuple[int, int]:
    """The number that starts there, and where it ends."""
    number = 0
    for index, byte in enumerate(of[at : at + _MAX_VARINT]):
        number |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return number & (1 << 64) - 1, at + index + 1
    raise WireError("a number has no end")


def _fields(of: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message: numbers and bytes; those of a fixed width, which no object has, as bytes."""
    at = 0
    while at < len(of):
        tag, at = _varint(of, at)
        number, form = tag >> 3, tag & 7
        if form == _VARINT:
            value, at = _varint(of, at)
            yield number, value
            continue
        if form == _BYTES:
            width, at = _varint(of, at)
        elif form in _WIDTHS:
            width = _WIDTHS[form]
        else:
            raise WireError(f"there is no wire type {form}")
        if at + width > len(of):
            raise WireError("the message ends too early")
        yield number, of[at : at + width]
        at += width


@cache
def _numbers(name: str) -> _Numbers:
    """The fields of a type by their numbers; a message that JSON does not know is a table of its own."""
    found: _Numbers = {}
    for field_name, field in MODELS[name].fields.items():
        if not field.numbers:
            continue
        table = found
        for number in field.numbers[:-1]:
            inner = table.setdefault(number, {})
            assert isinstance(inner, dict)
            table = inner
        table[field.numbers[-1]] = (field_name, field)
    return found


def _object(name: str, of: bytes, depth: int, before: Object | None = None) -> Object:
    """A message; ``before`` is what an earlier part of it said."""
    found = before or {}
    _read(_numbers(name), of, found, depth)
    fields = MODELS[name].fields
    return {name: value for name, value in found.items() if value or _means_something(fields[name], value)}


def _means_something(field: Field, zero: Any) -> bool:
    return zero is not None and field.nullable


def _read(numbers: _Numbers, of: bytes, found: Object, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise WireError("too many messages in messages")
    for number, value in _fields(of):
        known = numbers.get(number)
        if isinstance(known, dict):
            _read(known, _bytes(value), found, depth + 1)
        elif known is not None:
            name, field = known
            found[name] = _more(field.type, found.get(name), value, depth)


def _more(type_: Type, before: Any, value: int | bytes, depth: int) -> Any:
    """What a field is after one more part of it: ``before`` itself, for what comes in parts."""
    if type_.of is None:
        if type_.name in MODELS:
            return _object(type_.name, _bytes(value), depth + 1, before)
        return _MAKE[type_.name](value)
    if type_.name == "[]":
        items = _items(type_.of, value, depth)
        if before is None:
            return items
        before.extend(items)
        return before
    key, inner = "", None
    for number, part in _fields(_bytes(value)):
        if number == 1:
            key = _text(part)
        elif number == 2:
            inner = _entry(type_.of, part, depth)
    return _with(before, key, _nothing(type_.of) if inner is None else inner)


def _with(before: Object | None, key: str, value: Any) -> Object:
    found = {} if before is None else before
    found[key] = value
    return found


def _items(of: Type, value: int | bytes, depth: int) -> list[Any]:
    """Entries of a list: one, or numbers of which many may stand together."""
    if of.name in ("int", "long") and isinstance(value, bytes):
        found, at = [], 0
        while at < len(value):
            number, at = _varint(value, at)
            found.append(_signed(number))
        return found
    one = _more(of, None, value, depth)
    return [_nothing(of) if one is None else one]


def _entry(of: Type, value: int | bytes, depth: int) -> Any:
    """The value of an entry of a map; a list there is a message with a list."""
    if of.of is None:
        return _more(of, None, value, depth)
    return [item for number, part in _fields(_bytes(value)) if number == 1 for item in _items(of.of, part, depth)]


def _nothing(of: Type) -> Any:
    """What an entry is of which nothing is said."""
    if of.of is not None:
        return []
    return (
        {} if of.name in MODELS else {"quantity": "0", "int": 0, "long": 0, "intstr": 0, "bool": False}.get(of.name, "")
    )


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise WireError("a number is where bytes should be")
    return value


def _text(value: int | bytes) -> str:
    try:
        return _bytes(value).decode()
    except UnicodeDecodeError:
        raise WireError("a text is not UTF-8") from None


def _number(value: int | bytes) -> int:
    if isinstance(value, bytes):
        raise WireError("bytes are where a number should be")
    return _signed(value)


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _parts(value: int | bytes) -> dict[int, int | bytes]:
    return dict(_fields(_bytes(value)))


def _time(value: int | bytes) -> datetime | None:
    parts = _parts(value)
    if not parts:
        return None
    try:
        return _EPOCH + timedelta(seconds=_number(parts.get(1, 0)), microseconds=_number(parts.get(2, 0)) // 1000)
    except OverflowError:
        raise WireError("a time is out of range") from None


def _stamp(value: int | bytes) -> str | None:
    time = _time(value)
    return times.stamp(time) if time else None


def _micro_stamp(value: int | bytes) -> str | None:
    time = _time(value)
    return times.micro_stamp(time) if time else None


def _quantity(value: int | bytes) -> str | None:
    return _text(_parts(value).get(1, b"")) or None


def _int_or_text(value: int | bytes) -> int | str:
    parts = _parts(value)
    return _text(parts.get(3, b"")) if parts.get(1) else _number(parts.get(2, 0))


def _anything(value: int | bytes) -> Any:
    raw = _bytes(_parts(value).get(1, b""))
    try:
        return json.loads(raw) if raw else None
    except (ValueError, RecursionError):
        raise WireError("a value is not JSON") from None


_MAKE: dict[str, Callable[[int | bytes], Any]] = {
    "str": _text, "bool": lambda value: _number(value) != 0, "int": _number, "long": _number,
    "bytes": lambda value: b64encode(_bytes(value)).decode(), "time": _stamp, "microtime": _micro_stamp,
    "quantity": _quantity, "intstr": _int_or_text, "any": _anything,
}  # fmt: skip
