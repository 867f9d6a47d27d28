"""The forms in which an answer can be had, and which a client wants (RFC 9110, Accept; Kubernetes API Concepts)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from fairlead.lab.registry.status import ApiStatusError

JSON = "application/json"
MAX_CLAUSES = 32
"""Alternatives that are looked at; kubectl sends three."""


class Clause(NamedTuple):
    """One alternative of an Accept header."""

    type: str
    """``*`` as either half stands for anything."""
    parameters: Mapping[str, str]


def clauses(accept: str) -> list[Clause]:
    """The alternatives, the best first; JSON if there is none."""
    found: list[tuple[float, Clause]] = []
    for text in accept.split(",")[:MAX_CLAUSES]:
        type_, *rest = (part.strip() for part in text.split(";"))
        named = dict(part.split("=", 1) for part in rest if "=" in part)
        quality = _quality(named.pop("q", "1"))
        if type_ and quality > 0:
            found.append((quality, Clause(type_.lower(), named)))
    found.sort(key=lambda each: -each[0])
    return [clause for _, clause in found] if accept.strip() else [Clause(JSON, {})]


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def allows(clause: Clause, type_: str) -> bool:
    """Whether the alternative is that type."""
    return clause.type in (type_, "*/*", f"{type_.partition('/')[0]}/*")


def chosen(accept: str, offered: Sequence[str]) -> str:
    """Which of the types a client likes best. Raises ApiStatusError (406)."""
    for clause in clauses(accept):
        for type_ in offered:
            if allows(clause, type_):
                return type_
    raise not_acceptable(offered)


def not_acceptable(offered: Sequence[str]) -> ApiStatusError:
    """No alternative can be had."""
    message = f"only the following media types are accepted: {', '.join(offered)}"
    return ApiStatusError(406, "NotAcceptable", message)
