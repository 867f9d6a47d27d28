"""What a user says of single services: which are wanted, where they listen, and which of them run on the laptop itself.

A service is written ``NAME`` (of every namespace) or ``NAME.NAMESPACE``, the latter also as the longer names have it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from fairlead.errors import UsageError
from fairlead.model.named import PortRule, ServicePattern
from fairlead.model.objects import Service, ServicePort

_LABEL = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_LONG = r"(?:\.svc(?:\.cluster\.local)?)?"
"""What may follow a namespace: so are names written in the settings of programs."""
_SERVICE = rf"(?P<service>{_LABEL})(?:\.(?P<namespace>{_LABEL}){_LONG})?"
_PORT = "[0-9]{1,5}"
_NAMED = rf"{_PORT}|(?=[-0-9]*[a-z]){_LABEL}"
"""A port of a service that is named: also by its own name."""
_PATTERN = re.compile(rf"([-a-z0-9*?]{{1,63}})(?:\.([-a-z0-9*?]{{1,63}}){_LONG})?", re.ASCII)


class _Form(NamedTuple):
    """How an option's rules are written."""

    option: str
    regex: re.Pattern[str]
    words: str
    example: str


_MAPPING = _Form(
    "--mapping",
    re.compile(rf"(?:{_SERVICE}:(?P<named>{_NAMED})|(?P<port>{_PORT})):(?P<local>{_PORT})", re.ASCII),
    "PORT:LOCAL or SERVICE:PORT:LOCAL",
    "api:80:8080",
)
_OWN = _Form(
    "--local",
    re.compile(rf"{_SERVICE}(?::(?P<named>{_NAMED}))?=(?P<local>{_PORT})", re.ASCII),
    "SERVICE=PORT or SERVICE:PORT=LOCAL",
    "api=3000",
)


def parse_mappings(words: Iterable[str]) -> tuple[PortRule, ...]:
    """Read each ``[SERVICE:]PORT:LOCAL``: the local port to listen on. Raises UsageError."""
    return _rules(_MAPPING, words)


def parse_own(words: Iterable[str]) -> tuple[PortRule, ...]:
    """Read each ``SERVICE[:PORT]=LOCAL``: the local port that connections lead to. Raises UsageError."""
    return _rules(_OWN, words)


def parse_patterns(option: str, words: Iterable[str]) -> tuple[ServicePattern, ...]:
    """Read each ``NAME`` or ``NAME.NAMESPACE``, with * and ?. Raises UsageError, which names the option."""
    return tuple(dict.fromkeys(_pattern(option, word) for word in words))


def local_port(rules: Sequence[PortRule], namespace: str, service: str, port: int) -> int:
    """Where to listen for a service's port: what a mapping says of it, else the port itself."""
    return _nearest(rules, namespace, service, port) or port


def own_port(rules: Sequence[PortRule], namespace: str, service: str, port: int) -> int:
    """The local port that a service's port leads to; 0 if it leads to the cluster."""
    return _nearest(rules, namespace, service, port)


def numbered(rules: Sequence[PortRule], service: Service) -> list[PortRule]:
    """The rules as they are for this service: with numbers for the names of its ports."""
    numbers: dict[int | str, int] = {port.name: port.port for port in tcp_ports(service)}
    return [rule._replace(port=numbers.get(rule.port, rule.port)) for rule in rules]


def tcp_ports(service: Service) -> list[ServicePort]:
    """The ports that can be forwarded."""
    return [port for port in service.ports if port.protocol == "TCP"]


def is_chosen(only: Sequence[ServicePattern], exclude: Sequence[ServicePattern], namespace: str, service: str) -> bool:
    """Whether a service is wanted: one of ``only`` if there are any, and none of ``exclude``."""
    return (not only or _any(only, namespace, service)) and not _any(exclude, namespace, service)


def _nearest(rules: Sequence[PortRule], namespace: str, service: str, port: int) -> int:
    """Of the rules that hold, the one that says most: a service before a namespace before a port."""
    local, said = 0, (False, False, False)
    for rule in rules:
        if rule.service in ("", service) and rule.namespace in ("", namespace) and rule.port in (0, port):
            says = (bool(rule.service), bool(rule.namespace), bool(rule.port))
            if says >= said:
                local, said = rule.local, says
    return local


def _rules(form: _Form, words: Iterable[str]) -> tuple[PortRule, ...]:
    found: dict[tuple[str, str, int | str], PortRule] = {}
    for word in words:
        rule = _rule(form, word)
        if found.setdefault(rule[:3], rule) != rule:
            raise UsageError(f"{form.option} {word}: it has local port {found[rule[:3]].local} already")
    return tuple(found.values())


def _rule(form: _Form, word: str) -> PortRule:
    found = form.regex.fullmatch(word)
    if found is None:
        raise UsageError(
            f'{form.option} is {form.words}, not "{word}"', remedy=f"for example {form.option} {form.example}"
        )
    text = found["named"] or found.groupdict().get("port") or ""
    port = int(text) if text.isdigit() else text
    local = int(found["local"])
    if not 1 <= local <= 0xFFFF or (isinstance(port, int) and not 1 <= port <= 0xFFFF):
        raise UsageError(f"{form.option} {word}: a port number is 1 to 65535")
    return PortRule(found["service"] or "", found["namespace"] or "", port or 0, local)


def _pattern(option: str, word: str) -> ServicePattern:
    found = _PATTERN.fullmatch(word)
    if found is None:
        raise UsageError(
            f'{option} is NAME or NAME.NAMESPACE, with * and ?, not "{word}"', remedy=f"for example {option} 'web-*'"
        )
    return ServicePattern(found[1], found[2] or "*")


def _any(patterns: Sequence[ServicePattern], namespace: str, service: str) -> bool:
    return any(_matches(each.service, service) and _matches(each.namespace, namespace) for each in patterns)


def _matches(pattern: str, text: str) -> bool:
    """Whether all of ``text`` is as ``pattern`` has it.

    Where a * took too little, only the last one takes more: at most len(pattern) * len(text) steps.
    """
    at, here, star, taken = 0, 0, -1, 0
    while here < len(text):
        if pattern[at : at + 1] == "*":
            star, taken, at = at, here, at + 1
        elif pattern[at : at + 1] in ("?", text[here]):
            at, here = at + 1, here + 1
        elif star >= 0:
            taken += 1
            at, here = star + 1, taken
        else:
            return False
    return pattern[at:].strip("*") == ""
