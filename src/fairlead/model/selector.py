"""Label selectors, written as the ``labelSelector`` query that kubectl sends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from fairlead.errors import UsageError

MAX_TERMS = 1000
"""Terms read of one selector; the API server's own limit on the object's size is lower in practice."""


class Requirement(NamedTuple):
    """One term; ``operator`` is ``=``, ``in``, ``notin``, ``exists`` or ``!exists``."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.operator == "exists":
            return self.key
        if self.operator == "!exists":
            return f"!{self.key}"
        values = ",".join(sorted(self.values))
        return f"{self.key}={values}" if self.operator == "=" else f"{self.key} {self.operator} ({values})"


_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!exists"}


class LabelSelector(NamedTuple):
    """Terms that a pod's labels must all satisfy, ordered by key."""

    requirements: tuple[Requirement, ...]

    @classmethod
    def from_labels(cls, labels: Mapping[str, Any]) -> LabelSelector:
        """Make one of plain labels, as Services and ReplicationControllers have."""
        pairs = sorted((key, value) for key, value in labels.items() if isinstance(value, str))
        return cls(tuple(Requirement(key, "=", (value,)) for key, value in pairs[:MAX_TERMS]))

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> LabelSelector:
        """Read a meta/v1 LabelSelector.

        Raises UsageError, with kubectl's words, for an operator that does not exist.
        """
        labels, expressions = value.get("matchLabels"), value.get("matchExpressions")
        terms = list(cls.from_labels(labels).requirements) if isinstance(labels, dict) else []
        for entry in expressions[:MAX_TERMS] if isinstance(expressions, list) else ():
            if not isinstance(entry, dict):
                continue
            operator = _OPERATORS.get(str(entry.get("operator")))
            if operator is None:
                raise UsageError(
                    f'invalid label selector: "{entry.get("operator")}" is not a valid label selector operator'
                )
            values = entry.get("values")
            texts = [text for text in values if isinstance(text, str)] if isinstance(values, list) else []
            terms.append(Requirement(str(entry.get("key")), operator, tuple(texts)))
        return cls(tuple(sorted(terms, key=lambda term: term.key)))

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))
