"""The kubeconfig of a lab: as text of its own, and as part of the user's."""

from __future__ import annotations

import base64
from typing import Any

NAME = "fairlead-lab"
"""Of cluster, user and context."""


def document(server: str, authority: bytes, token: str, name: str = NAME) -> dict[str, Any]:
    """All of it, as ``kubectl config view`` has it."""
    data = base64.b64encode(authority).decode()
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority-data": data}}],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": "default"}}],
        "current-context": name,
    }


def merged(theirs: dict[str, Any] | None, ours: dict[str, Any]) -> dict[str, Any]:
    """Theirs with our entries in the place of those of the same names; their current context stays, if they have one.

    ``theirs`` is not changed.
    """
    found = {"apiVersion": "v1", "kind": "Config", **(theirs or {})}
    for key in ("clusters", "users", "contexts"):
        names = {each["name"] for each in ours[key]}
        others = [each for each in found.get(key) or [] if not _is_named(each, names)]
        found[key] = [*others, *ours[key]]
    found["current-context"] = found.get("current-context") or ours["current-context"]
    return found


def without(theirs: dict[str, Any], ours: dict[str, Any]) -> dict[str, Any]:
    """Theirs without our entries, as far as they are still ours."""
    found = dict(theirs)
    for key in ("clusters", "users", "contexts"):
        if isinstance(found.get(key), list):
            found[key] = [each for each in found[key] if each not in ours[key]]
    if found.get("current-context") == ours["current-context"] and not any(
        _is_named(each, {ours["current-context"]}) for each in found.get("contexts") or []
    ):
        found["current-context"] = ""
    return found


def _is_named(entry: object, names: set[str]) -> bool:
    return isinstance(entry, dict) and entry.get("name") in names
