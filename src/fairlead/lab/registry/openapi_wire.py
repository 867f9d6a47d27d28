"""The OpenAPI document, version 2, as protocol buffers: clients of Kubernetes read no other form of it.

The messages are those of gnostic's ``openapi.v2.Document``. What has no fixed form in OpenAPI (extensions, values of an
enum) is a text of YAML there; ours is JSON, which is YAML.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from fairlead.lab.registry.values import Object

TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
"""What is said of it in an answer."""
ASKED_TYPES = ("application/com.github.proto-openapi.spec.v2@v1.0+protobuf", TYPE)
"""How clients ask for it; the first is how client-go does, and is no media type."""


def encode(document: Object) -> bytes:
    """The document as bytes."""
    return (
        _text(1, document["swagger"])
        + _inner(2, _text(1, document["info"]["title"]) + _text(2, document["info"]["version"]))
        + _inner(8, _named(2, document["paths"], _path))
        + _inner(9, _named(1, document["definitions"], _schema))
    )


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _inner(field: int, message: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(message)) + message


def _text(field: int, value: str | None) -> bytes:
    return _inner(field, value.encode()) if value else b""


def _texts(field: int, values: Iterable[str]) -> bytes:
    return b"".join(_inner(field, value.encode()) for value in values)


def _bool(field: int, value: bool) -> bytes:
    return _varint(field << 3) + b"\x01" if value else b""


def _named(field: int, values: Object, encoded: Callable[[Any], bytes]) -> bytes:
    """A map: entries with a name (1) and a value (2)."""
    return b"".join(_inner(field, _text(1, name) + _inner(2, encoded(value))) for name, value in values.items())


def _any(value: Any) -> bytes:
    return _text(2, json.dumps(value))


def _extensions(field: int, of: Object) -> bytes:
    return _named(field, {name: value for name, value in of.items() if name.startswith("x-")}, _any)


def _schema(of: Object) -> bytes:
    found = _text(1, of.get("$ref")) + _text(2, of.get("format")) + _text(4, of.get("description"))
    found += _texts(19, of.get("required", ()))
    found += b"".join(_inner(20, _any(value)) for value in of.get("enum", ()))
    if "additionalProperties" in of:
        found += _inner(21, _inner(1, _schema(of["additionalProperties"])))
    if "type" in of:
        found += _inner(22, _text(1, of["type"]))
    if "items" in of:
        found += _inner(23, _inner(1, _schema(of["items"])))
    if "properties" in of:
        found += _inner(25, _named(1, of["properties"], _schema))
    return found + _extensions(31, of)


_METHODS = {"get": 2, "put": 3, "post": 4, "delete": 5, "patch": 8}


def _path(of: Object) -> bytes:
    found = b"".join(_inner(field, _operation(of[method])) for method, field in _METHODS.items() if method in of)
    return found + _parameters(9, of["parameters"])


def _operation(of: Object) -> bytes:
    return (
        _text(3, of["description"])
        + _text(5, of["operationId"])
        + _texts(6, of["produces"])
        + _texts(7, of["consumes"])
        + _parameters(8, of["parameters"])
        + _inner(9, _named(1, of["responses"], _response))
        + _extensions(13, of)
    )


def _response(of: Object) -> bytes:
    schema = _inner(2, _inner(1, _schema(of["schema"]))) if "schema" in of else b""
    return _inner(1, _text(1, of["description"]) + schema)


def _parameters(field: int, values: Iterable[Object]) -> bytes:
    return b"".join(_inner(field, _inner(1, _parameter(value))) for value in values)


def _parameter(of: Object) -> bytes:
    """One of three messages, whose fields have other numbers each."""
    required, where, name = _bool(1, bool(of.get("required"))), of["in"], of["name"]
    if where == "body":
        required = _bool(4, bool(of.get("required")))
        return _inner(1, _text(2, name) + _text(3, where) + required + _inner(5, _schema(of["schema"])))
    head = required + _text(2, where) + _text(3, of["description"]) + _text(4, name)
    if where == "path":
        return _inner(2, _inner(4, head + _text(5, of["type"]) + _bool(19, of["uniqueItems"])))
    return _inner(2, _inner(3, head + _text(6, of["type"]) + _bool(20, of["uniqueItems"])))
