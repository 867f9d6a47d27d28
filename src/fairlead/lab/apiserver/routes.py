"""What a path means: which objects, and what is done with them (Kubernetes API Concepts, resource URIs and verbs)."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from fairlead.lab.registry.kinds import KINDS, NAMESPACE, Kind

Query = tuple[tuple[str, str], ...]

_OF_PATH = {(kind.root, kind.plural): kind for kind in KINDS}
_ROOTS = {kind.root for kind in KINDS}
_VERBS = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class Target(NamedTuple):
    """Objects of one kind that a request is about."""

    kind: Kind
    namespace: str = ""
    """"" for all, or for a kind that has none."""
    name: str = ""
    """"" for a list."""
    subresource: str = ""


class Asked(NamedTuple):
    """One request, as its first line has it."""

    verb: str
    """``get``, ``list``, ``watch``, ``create``, ``update``, ``patch``, ``delete`` or ``deletecollection``; else the
    method."""
    path: str
    query: Query
    target: Target | None
    """None for what is no object: discovery, health, and what does not exist."""

    def one(self, name: str) -> str:
        """The value of a parameter; "" where it is not there."""
        return next((value for key, value in self.query if key == name), "")

    def all(self, name: str) -> tuple[str, ...]:
        """All values of a parameter."""
        return tuple(value for key, value in self.query if key == name)

    def is_true(self, name: str) -> bool:
        """Whether a parameter is set, as the API reads booleans."""
        return self.one(name) not in ("", "false", "0")


def asked(method: str, url: str) -> Asked:
    """Read the first line of a request."""
    split = urlsplit(url)
    query = tuple(parse_qsl(split.query, keep_blank_values=True))
    target = _target([unquote(part) for part in split.path.split("/")])
    known = Asked(_VERBS.get(method, method.lower()), split.path, query, target)
    if target is None or target.name:
        return known
    if known.verb == "get":
        return known._replace(verb="watch" if known.is_true("watch") else "list")
    return known._replace(verb="deletecollection") if known.verb == "delete" else known


def _target(parts: list[str]) -> Target | None:
    """``parts`` begin with "", as a path begins with a slash."""
    size = 3 if parts[1:2] == ["api"] else 4
    root, rest = "/".join(parts[:size]), parts[size:]
    if root not in _ROOTS or not rest or "" in rest:
        return None
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and (root != NAMESPACE.root or rest[2] not in NAMESPACE.subresources):
        namespace, rest = rest[1], rest[2:]
    kind = _OF_PATH.get((root, rest[0]))
    if kind is None or len(rest) > 3 or bool(namespace) > kind.namespaced:
        return None
    name, subresource = (*rest[1:], "", "")[:2]
    if name and kind.namespaced and not namespace:
        return None
    if subresource and subresource not in kind.subresources:
        return None
    return Target(kind, namespace, name, subresource)
