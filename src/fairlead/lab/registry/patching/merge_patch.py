"""JSON merge patches (RFC 7386)."""

from __future__ import annotations

from typing import Any

from fairlead.lab.registry.values import copied


def merged(value: Any, patch: Any) -> Any:
    """``value`` as ``patch`` wants it: objects are merged, null removes, all else takes its place."""
    if not isinstance(patch, dict):
        return copied(patch)
    found = dict(value) if isinstance(value, dict) else {}
    for name, inner in patch.items():
        if inner is None:
            found.pop(name, None)
        else:
            found[name] = merged(found.get(name), inner)
    return found
