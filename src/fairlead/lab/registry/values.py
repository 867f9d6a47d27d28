"""JSON values: copied, compared, looked up."""

from __future__ import annotations

from typing import Any, TypeAlias

Object: TypeAlias = dict[str, Any]


def copied(value: Any) -> Any:
    """A value that shares nothing with ``value``."""
    if isinstance(value, dict):
        return {key: copied(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [copied(inner) for inner in value]
    return value


def same(left: Any, right: Any) -> bool:
    """Whether the API takes both for equal: what is empty is as good as what is not there."""
    return bool(_told(left) == _told(right))


def _told(value: Any) -> Any:
    if isinstance(value, dict):
        found = ((key, _told(inner)) for key, inner in value.items())
        return {key: inner for key, inner in found if inner is not None} or None
    if isinstance(value, list):
        return [_told(inner) for inner in value] or None
    return value or None


def at(value: Any, *path: str) -> Any:
    """What is found along ``path``; None where there is nothing."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value
