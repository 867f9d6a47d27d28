"""Protocol Buffers, as far as the CRI's messages need it: tables instead of generated code. Pure.

Wire types: varint and length-delimited; fixed ones are skipped, with all that a table does not name. A value is a dict
by field names: fields that are not set are absent when written, and have their defaults when read (None for a message).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, NamedTuple, TypeAlias

from fairlead.errors import ProtocolError


class Kind(Enum):
    """What a field holds."""

    STRING = auto()
    BOOL = auto()
    INT = auto()
    """int32, int64, uint32 and enums."""
    MAP = auto()
    """Of strings to strings."""


class Field(NamedTuple):
    """One field of a message."""

    name: str
    kind: Kind | Mapping[int, Field]
    """Of a message, its table."""
    repeated: bool = False


Table: TypeAlias = Mapping[int, Field]
Value: TypeAlias = dict[str, Any]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_ENTRY: Table = {1: Field("key", Kind.STRING), 2: Field("value", Kind.STRING)}
_DEFAULTS = {Kind.STRING: "", Kind.BOOL: False, Kind.INT: 0}
_MASK = (1 << 64) - 1


def encode(table: Table, value: Mapping[str, Any]) -> bytes:
    """The bytes of a message."""
    known = {field.name for field in table.values()}
    if unknown := value.keys() - known:
        raise ValueError(f"no such fields: {', '.join(sorted(unknown))}")
    out = bytearray()
    for number, field in table.items():
        content = value.get(field.name)
        if content is None:
            continue
        if field.kind is Kind.MAP:
            for key in sorted(content):
                _put_bytes(out, number, encode(_ENTRY, {"key": key, "value": content[key]}))
        elif field.repeated and field.kind in (Kind.INT, Kind.BOOL):
            if content:
                _put_bytes(out, number, b"".join(_varint(each) for each in content))
        elif field.repeated:
            for each in content:
                _put(out, number, field.kind, each)
        elif content or not isinstance(field.kind, Kind):
            _put(out, number, field.kind, content)
    return bytes(out)


def _put(out: bytearray, number: int, kind: Kind | Table, content: Any) -> None:
    if kind is Kind.STRING:
        _put_bytes(out, number, content.encode())
    elif isinstance(kind, Kind):
        out += _varint(number << 3 | _VARINT) + _varint(content)
    else:
        _put_bytes(out, number, encode(kind, content))


def _put_bytes(out: bytearray, number: int, content: bytes) -> None:
    out += _varint(number << 3 | _BYTES) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    number &= _MASK
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def decode(table: Table, data: bytes) -> Value:
    """The message; ProtocolError if the bytes are none."""
    value = {field.name: _default(field) for field in table.values()}
    at = 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        number, wire = tag >> 3, tag & 7
        if not number:
            raise ProtocolError("protobuf field number 0")
        content: int | bytes
        if wire == _VARINT:
            content, at = _read_varint(data, at)
        else:
            content, at = _read_bytes(data, at, wire)
        field = table.get(number)
        if field is not None and wire in (_VARINT, _BYTES):
            _take(value, field, content)
    return value


def _default(field: Field) -> Any:
    if field.kind is Kind.MAP:
        return {}
    if field.repeated:
        return []
    return _DEFAULTS.get(field.kind) if isinstance(field.kind, Kind) else None


def _take(value: Value, field: Field, content: int | bytes) -> None:
    kind = field.kind
    if kind in (Kind.INT, Kind.BOOL):
        numbers = [content] if isinstance(content, int) else _packed(content)
        converted = [bool(each) if kind is Kind.BOOL else _signed(each) for each in numbers]
        if field.repeated:
            value[field.name] += converted
        elif isinstance(content, int):
            value[field.name] = converted[0]
        else:
            raise ProtocolError(f"protobuf field {field.name} has the wrong type")
        return
    if isinstance(content, int):
        raise ProtocolError(f"protobuf field {field.name} has the wrong type")
    if kind is Kind.MAP:
        entry = decode(_ENTRY, content)
        value[field.name][entry["key"]] = entry["value"]
        return
    read = _text(content) if isinstance(kind, Kind) else decode(kind, content)
    if field.repeated:
        value[field.name].append(read)
    else:
        value[field.name] = read


def _packed(content: bytes) -> list[int]:
    numbers, at = [], 0
    while at < len(content):
        number, at = _read_varint(content, at)
        numbers.append(number)
    return numbers


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ProtocolError("protobuf string is not UTF-8") from None


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while shift < 70:
        if at >= len(data):
            raise ProtocolError("protobuf message ends in the middle of a number")
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & _MASK, at
        shift += 7
    raise ProtocolError("protobuf number has more than ten bytes")


def _read_bytes(data: bytes, at: int, wire: int) -> tuple[bytes, int]:
    if wire == _BYTES:
        size, at = _read_varint(data, at)
    elif wire in (_FIXED64, _FIXED32):
        size = 8 if wire == _FIXED64 else 4
    else:
        raise ProtocolError(f"protobuf wire type {wire}")
    end = at + size
    if end > len(data):
        raise ProtocolError("protobuf message ends in the middle of a field")
    return data[at:end], end
