"""JSON patches (RFC 6902)."""

from __future__ import annotations

import re
from typing import Any

from fairlead.lab.registry.patching.errors import MalformedError, PatchError
from fairlead.lab.registry.values import copied

MAX_OPERATIONS = 10_000
"""The API server's own limit: each operation may copy the whole object."""
MAX_NODES = 1_000_000
"""Values that operations may copy together; a few "copy" of the root would otherwise double the object each time."""
_INDEX = re.compile("0|[1-9][0-9]{0,8}")


def patched(value: Any, operations: Any) -> Any:
    """``value`` after all ``operations``. Raises PatchError, MalformedError."""
    if not isinstance(operations, list):
        raise MalformedError("a JSON patch is a list of operations")
    if len(operations) > MAX_OPERATIONS:
        raise MalformedError(f"a JSON patch has at most {MAX_OPERATIONS} operations, this one has {len(operations)}")
    holder = {"": copied(value)}
    budget = [MAX_NODES]
    for operation in operations:
        if not isinstance(operation, dict):
            raise MalformedError("an operation of a JSON patch is an object")
        _apply(holder, operation, budget)
    return holder[""]


def _apply(holder: Any, operation: dict[str, Any], budget: list[int]) -> None:
    path = _pointer(operation, "path")
    kind = operation.get("op")
    if kind in ("add", "replace", "test") and "value" not in operation:
        raise MalformedError(f"the operation {kind} has no value")
    if kind == "add":
        _add(holder, path, copied(operation["value"]))
    elif kind == "remove":
        _remove(holder, path)
    elif kind == "replace":
        _get(holder, path)
        _put(holder, path, copied(operation["value"]))
    elif kind == "test":
        if not _equal(_get(holder, path), operation["value"]):
            raise PatchError(f"testing value {operation['path']} failed")
    elif kind == "copy":
        found = _get(holder, _pointer(operation, "from"))
        budget[0] -= _count(found)
        if budget[0] < 0:
            raise PatchError("the patch copies too much")
        _add(holder, path, copied(found))
    elif kind == "move":
        start = _pointer(operation, "from")
        if path[: len(start)] == start and path != start:
            raise PatchError("a value cannot move into itself")
        _add(holder, path, _remove(holder, start))
    else:
        raise MalformedError(f"unknown operation {kind!r}")


def _pointer(operation: dict[str, Any], name: str) -> list[str]:
    """The parts of a JSON pointer (RFC 6901), from the holder of the whole value on."""
    text = operation.get(name)
    if not isinstance(text, str) or (text and text[0] != "/"):
        raise MalformedError(f"{name} is no JSON pointer: {text!r}")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")]


def _index(found: list[Any], part: str, end: int) -> int:
    if not _INDEX.fullmatch(part) or int(part) >= end:
        raise PatchError(f"there is no item {part}")
    return int(part)


def _get(value: Any, path: list[str]) -> Any:
    for part in path:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list):
            value = value[_index(value, part, len(value))]
        else:
            raise PatchError(f"there is nothing at {'/'.join(path)}")
    return value


def _add(holder: Any, path: list[str], value: Any) -> None:
    found = _get(holder, path[:-1])
    if isinstance(found, list):
        found.insert(len(found) if path[-1] == "-" else _index(found, path[-1], len(found) + 1), value)
    else:
        _put(holder, path, value)


def _put(holder: Any, path: list[str], value: Any) -> None:
    found = _get(holder, path[:-1])
    if isinstance(found, dict):
        found[path[-1]] = value
    elif isinstance(found, list):
        found[_index(found, path[-1], len(found))] = value
    else:
        raise PatchError(f"there is nothing at {'/'.join(path[:-1])}")


def _remove(holder: Any, path: list[str]) -> Any:
    removed = _get(holder, path)
    if len(path) == 1:
        raise PatchError("the whole object cannot be removed")
    found = _get(holder, path[:-1])
    if isinstance(found, dict):
        del found[path[-1]]
    else:
        del found[int(path[-1])]
    return removed


def _equal(left: Any, right: Any) -> bool:
    """Equality of JSON, to which true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equal(left[name], right[name]) for name in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    return bool(left == right)


def _count(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(_count, value.values()))
    return 1 + sum(map(_count, value)) if isinstance(value, list) else 1
