"""Label selectors: read from a query or an object, and matched (Kubernetes, Labels and Selectors)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from fairlead.errors import UsageError
from fairlead.lab.registry import names
from fairlead.lab.registry.status import bad_request
from fairlead.model.selector import LabelSelector, Requirement

MAX_TEXT = 100_000
"""Characters; a longer selector fits in no URL."""
_TOKEN = re.compile(r"\s*(?:(!=|==?|[(),!<>])|([^\s(),!=<>]+))")
_END = "end of string"
_BINARY = {"=": "=", "==": "=", "!=": "notin", "in": "in", "notin": "notin", ">": "gt", "<": "lt"}
_EXPECTED = "in, notin, =, ==, !=, gt, lt"


def parsed(text: str) -> LabelSelector:
    """The ``labelSelector`` of a query; one of no terms matches everything. Raises ApiStatusError (400)."""
    try:
        return LabelSelector(tuple(_Parser(text).terms()))
    except ValueError as error:
        raise bad_request(str(error)) from None


def of_object(value: Any) -> LabelSelector | None:
    """A meta/v1 LabelSelector, as workloads have it; None if it makes no sense, or is not there."""
    if not isinstance(value, dict):
        return None
    try:
        return LabelSelector.from_json(value)
    except UsageError:
        return None


def matches(selector: LabelSelector, labels: Mapping[str, Any] | None) -> bool:
    """Whether all terms hold."""
    return all(_holds(term, labels or {}) for term in selector.requirements)


def _holds(term: Requirement, labels: Mapping[str, Any]) -> bool:
    value = labels.get(term.key)
    if term.operator in ("=", "in"):
        return value in term.values
    if term.operator == "notin":
        return value is None or value not in term.values
    if term.operator == "exists":
        return value is not None
    if term.operator == "!exists":
        return value is None
    number = _number(value)
    if number is None:
        return False
    limit = int(term.values[0])
    return number > limit if term.operator == "gt" else number < limit


def _number(value: Any) -> int | None:
    return int(value) if isinstance(value, str) and re.fullmatch("[+-]?[0-9]{1,19}", value) else None


class _Parser:
    """``a=b,c!=d,e in (f,g),h notin (i),j,!k,l>3``; names with ``in`` for a key are taken for keys, too."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_TEXT:
            raise ValueError("the label selector is too long")
        self._tokens = [found[1] or found[2] for found in _TOKEN.finditer(text.strip())]
        self._place = 0

    def terms(self) -> Iterator[Requirement]:
        if not self._tokens:
            return
        while True:
            if not self._is_word(self._seen) and self._seen != "!":
                raise ValueError(f"found '{self._seen}', expected: !, identifier, or 'end of string'")
            yield self._term()
            after = self._next()
            if after == _END:
                return
            if after != ",":
                raise ValueError(f"found '{after}', expected: ',' or 'end of string'")
            if not self._is_word(self._seen) and self._seen != "!":
                raise ValueError(f"found '{self._shown(self._seen)}', expected: identifier after ','")

    @property
    def _seen(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else _END

    @staticmethod
    def _shown(token: str) -> str:
        return "" if token == _END else token

    @staticmethod
    def _is_word(token: str) -> bool:
        return token != _END and token[0] not in "!=(),<>"

    def _next(self) -> str:
        token = self._seen
        self._place += 1
        return token

    def _term(self) -> Requirement:
        absent = self._seen == "!"
        if absent:
            self._next()
        key = self._next()
        if not self._is_word(key):
            raise _unparsable(f"found '{self._shown(key)}', expected: identifier")
        wrong = names.key(key)
        if wrong:
            raise _unparsable(f'<nil>: Invalid value: "{key}": {"; ".join(wrong)}')
        if absent or self._seen in (_END, ","):
            return Requirement(key, "!exists" if absent else "exists")
        sign = self._next()
        operator = _BINARY.get(sign)
        if operator is None:
            raise _unparsable(f"found '{sign}', expected: {_EXPECTED}")
        values = tuple(sorted(self._values())) if sign in ("in", "notin") else (self._value(),)
        return _checked(Requirement(key, operator, values))

    def _value(self) -> str:
        """One; nothing at all is the empty value."""
        if self._seen in (_END, ","):
            return ""
        token = self._next()
        if not self._is_word(token):
            raise _unparsable(f"found '{token}', expected: identifier")
        return token

    def _values(self) -> set[str]:
        start = self._next()
        if start != "(":
            raise _unparsable(f"found '{self._shown(start)}' expected: '('")
        found = set()
        while True:
            found.add("" if self._seen in (",", ")") else self._next())
            after = self._next()
            if after == ")":
                return found
            if after != ",":
                raise _unparsable(f"found '{self._shown(after)}', expected: ',' or ')'")


def _checked(term: Requirement) -> Requirement:
    for index, value in enumerate(term.values):
        if term.operator in ("gt", "lt") and _number(value) is None:
            why = "for 'Gt', 'Lt' operators, the value must be an integer"
            raise _unparsable(f'values[{index}]: Invalid value: "{value}": {why}')
        wrong = names.label_value(value)
        if wrong:
            raise _unparsable(f'values[{index}][{term.key}]: Invalid value: "{value}": {"; ".join(wrong)}')
    return term


def _unparsable(why: str) -> ValueError:
    return ValueError(f"unable to parse requirement: {why}")
