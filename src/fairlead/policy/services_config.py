"""The settings of ``fairlead services`` from the command line and from a team's files, and how they are put together.

A file has the names of the long options. It cannot set what concerns one user or one machine, nor what runs or writes
anything there.

The command line wins over the files, and a later file over an earlier one: a value that is given replaces the other.
Lists add up, but an entry replaces those that speak of the same port, service or address. What says which services are
meant is taken from one place alone: ``only``, and together ``namespace``, ``all-namespaces`` and ``bare``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from fairlead.errors import ConfigError, UsageError
from fairlead.policy.addresses import parse_reservations
from fairlead.policy.duration import parse_duration
from fairlead.policy.hostnames import is_legal
from fairlead.policy.mapping import parse_mappings, parse_own, parse_patterns
from fairlead.policy.names import check_namespace

MOST_SHOWN = 40
"""Characters of a value in a message."""

Values = dict[str, Any]
"""By the names of the fields of ServicesSettings."""


def typed(values: Mapping[str, Any]) -> Values:
    """The words of a command line as ServicesSettings has them. Raises UsageError."""
    return {field: _READ[field](value) if field in _READ else value for field, value in values.items()}


def from_file(document: Any, text: str, path: str, options: Collection[str]) -> Values:
    """The same from a file: ``document`` is what its ``text`` means. Raises ConfigError, which names key and line.

    ``options`` are the names of all options, to tell what a file cannot set from what there is not.
    """
    if not isinstance(document, dict | None):
        raise ConfigError(f"{path} is no mapping of settings", remedy="for example: namespace: [shop, pay]")
    found: Values = {}
    for key, value in (document or {}).items():
        first, *again = _lines(text, str(key)) or [0]
        if again:
            raise ConfigError(
                f"{path}, line {again[0]}: {key} is there already, in line {first}", remedy="keep one of them"
            )
        try:
            field, kind = _known(str(key), options)
            found.update(typed({field: kind(str(key), value)}))
        except UsageError as error:
            where = f"{path}, line {first}" if first else path
            raise ConfigError(f"{where}: {error.what}", remedy=error.remedy) from None
    return found


def merged(sources: Iterable[Values]) -> Values:
    """The settings of all ``sources``, of which the last wins."""
    found: Values = {}
    for source in sources:
        if source.keys() & _WHERE[:2]:
            for field in _WHERE:
                found.pop(field, None)
        for field, value in source.items():
            if field in _SUBJECTS:
                subjects = _SUBJECTS[field]
                said = {subject for entry in value for subject in subjects(entry)}
                value = (*(entry for entry in found.get(field, ()) if not said.intersection(subjects(entry))), *value)
            found[field] = value
    return found


_WHERE = ("namespaces", "all_namespaces", "bare")

_SUBJECTS: dict[str, Callable[[Any], tuple[object, ...]]] = {
    "mappings": lambda rule: (rule[:3],),
    "local": lambda rule: (rule[:3],),
    "reserve": tuple,  # a name, and an address
    "exclude": lambda pattern: (pattern,),
}
"""What an entry of a list speaks of."""


def _namespaces(names: Iterable[str]) -> tuple[str, ...]:
    for name in names:
        check_namespace(name)
    return tuple(dict.fromkeys(names))


def _namespace(name: str) -> str:
    check_namespace(name)
    return name


def _domain(text: str) -> str:
    domain = text.lower().rstrip(".")
    if not is_legal(domain):
        raise UsageError(f'--cluster-domain is a DNS domain, not "{text}"', remedy="for example cluster.local")
    return domain


_READ: dict[str, Callable[[Any], object]] = {
    "contexts": lambda names: tuple(dict.fromkeys(names)),
    "namespaces": _namespaces,
    "bare": _namespace,
    "cluster_domain": _domain,
    "mappings": parse_mappings,
    "reserve": parse_reservations,
    "local": parse_own,
    "exclude": lambda words: parse_patterns("--exclude", words),
    "only": lambda words: parse_patterns("--only", words),
}


def _words(key: str, value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    for item in items:
        if not isinstance(item, str):
            # YAML reads 22:22 as a number to the base of 60.
            raise UsageError(f"{key} is text or a list of texts, and {_shown(item)} is none", remedy="put it in quotes")
    return tuple(items)


def _text(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{key} is text, not {_shown(value)}", remedy="put it in quotes")
    return value


def _bool(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"{key} is true or false, not {_shown(value)}")
    return value


def _number(key: str, value: object) -> int:
    if type(value) is not int:
        raise UsageError(f"{key} is a number, not {_shown(value)}")
    return value


def _seconds(key: str, value: object) -> float:
    try:
        seconds = parse_duration(str(value))
    except UsageError as error:
        raise UsageError(f"{key} is a time, not {_shown(value)}", remedy=error.remedy) from None
    if seconds < 0:
        raise UsageError(f"{key} cannot be negative")
    return seconds


def _shown(value: object) -> str:
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a mapping"  # which YAML's aliases may make endless
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


KEYS: dict[str, tuple[str, Callable[[str, object], object]]] = {
    "namespace": ("namespaces", _words),
    "all-namespaces": ("all_namespaces", _bool),
    "selector": ("selector", _text),
    "field-selector": ("field_selector", _text),
    "only": ("only", _words),
    "exclude": ("exclude", _words),
    "bare": ("bare", _text),
    "cluster-domain": ("cluster_domain", _text),
    "mapping": ("mappings", _words),
    "reserve": ("reserve", _words),
    "local": ("local", _words),
    "wait": ("wait", _seconds),
    "lanes": ("lanes", _number),
}
"""What a file can set: its field and the type of its value."""


def _known(key: str, options: Collection[str]) -> tuple[str, Callable[[str, object], object]]:
    if key in KEYS:
        return KEYS[key]
    if key in options or key == "command":
        raise UsageError(f"a file cannot set {key}", remedy="give it on the command line")
    from difflib import get_close_matches  # for an error message alone

    near = get_close_matches(key, KEYS, 1)
    raise UsageError(f"there is no setting {key}", remedy=f"did you mean {near[0]}?" if near else ", ".join(KEYS))


def _lines(text: str, key: str) -> list[int]:
    """The lines in which a key stands, where that is easily seen; what is read keeps only the last of them."""
    found = re.finditer(rf"^[ \t{{]*([\"']?){re.escape(key)}\1[ \t]*:", text, re.MULTILINE)
    return [text.count("\n", 0, each.start()) + 1 for each in found]
