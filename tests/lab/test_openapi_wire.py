"""OpenAPI as protocol buffers: read back, it says what was written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from fairlead.lab.registry import openapi, openapi_wire

DOCUMENT = openapi.v2()


def fields(of: bytes) -> Iterator[tuple[int, Any]]:
    """Numbers, and texts or messages as bytes."""
    at = 0

    def number() -> int:
        nonlocal at
        found = shift = 0
        while True:
            byte = of[at]
            found, shift, at = found | (byte & 0x7F) << shift, shift + 7, at + 1
            if byte < 0x80:
                return found

    while at < len(of):
        tag = number()
        if tag & 7 == 0:
            yield tag >> 3, number()
        else:
            assert tag & 7 == 2
            length = number()
            yield tag >> 3, of[at : at + length]
            at += length


def all_of(of: bytes, number: int) -> list[Any]:
    return [value for each, value in fields(of) if each == number]


def named(entries: list[bytes]) -> dict[str, bytes]:
    pairs = [dict(fields(entry)) for entry in entries]
    return {pair[1].decode(): pair.get(2, b"") for pair in pairs}


def schema(of: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, value in fields(of):
        match number:
            case 1 | 2 | 4:
                found[{1: "$ref", 2: "format", 4: "description"}[number]] = value.decode()
            case 19:
                found.setdefault("required", []).append(value.decode())
            case 20:
                found.setdefault("enum", []).append(json.loads(dict(fields(value))[2]))
            case 21:
                found["additionalProperties"] = schema(dict(fields(value))[1])
            case 22:
                found["type"] = dict(fields(value))[1].decode()
            case 23:
                found["items"] = schema(dict(fields(value))[1])
            case 25:
                found["properties"] = {name: schema(each) for name, each in named(all_of(value, 1)).items()}
            case 31:
                found.update(extensions([value]))
            case _:
                raise AssertionError(number)
    return found


def extensions(entries: list[bytes]) -> dict[str, Any]:
    return {name: json.loads(dict(fields(value))[2]) for name, value in named(entries).items()}


def test_types() -> None:
    definitions = all_of(openapi_wire.encode(DOCUMENT), 9)
    assert len(definitions) == 1
    found = {name: schema(value) for name, value in named(all_of(definitions[0], 1)).items()}
    assert found == DOCUMENT["definitions"]


def test_paths() -> None:
    paths = named(all_of(all_of(openapi_wire.encode(DOCUMENT), 8)[0], 2))
    assert list(paths) == list(DOCUMENT["paths"])
    one = "/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
    numbers = {number for number, _ in fields(paths[one])}
    assert numbers == {2, 3, 5, 8, 9}
    patch = all_of(paths[one], 8)[0]
    told = DOCUMENT["paths"][one]["patch"]
    assert all_of(patch, 5) == [told["operationId"].encode()]
    assert [each.decode() for each in all_of(patch, 7)] == told["consumes"]
    assert extensions(all_of(patch, 13)) == {name: value for name, value in told.items() if name.startswith("x-")}
    parameters = [dict(fields(dict(fields(each))[1])) for each in all_of(patch, 8)]
    assert [set(each) for each in parameters] == [{1}, {2}, {2}, {2}]
    names = [dict(fields(dict(fields(each[2]))[3]))[4].decode() for each in parameters[1:]]
    assert names == ["dryRun", "fieldManager", "fieldValidation"]


def test_head() -> None:
    head = dict(fields(openapi_wire.encode(DOCUMENT)))
    assert head[1] == b"2.0"
    assert dict(fields(head[2]))[1] == DOCUMENT["info"]["title"].encode()
