"""Wishes that speak of no service there is: mostly a name that was typed wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from fairlead.policy.mapping import is_chosen
from fairlead.policy.missing import similar
from fairlead.settings import ServicesSettings


def unmatched(settings: ServicesSettings, services: Collection[tuple[str, str]], names: Collection[str]) -> list[str]:
    """A sentence for each; ``services`` are all (namespace, name), ``names`` those that services have here.

    Nothing is said of ``exclude``, which a team may well have for what is not everywhere.
    """
    known = sorted({name for _, name in services})
    return [
        f"{option} {word}: there is no such service yet{_meant(word.partition('.')[0], known)}"
        for option, word in dict.fromkeys(_without_service(settings, services, names))
    ]


def _without_service(
    settings: ServicesSettings, services: Collection[tuple[str, str]], names: Collection[str]
) -> Iterator[tuple[str, str]]:
    for pattern in settings.only:
        if not any(is_chosen((pattern,), (), *service) for service in services):
            yield "--only", pattern.service if pattern.namespace == "*" else f"{pattern.service}.{pattern.namespace}"
    for option, rules in (("--mapping", settings.mappings), ("--local", settings.local)):
        for rule in rules:
            if rule.service and not any(
                rule.service == name and rule.namespace in ("", namespace) for namespace, name in services
            ):
                yield option, f"{rule.service}.{rule.namespace}" if rule.namespace else rule.service
    for each in settings.reserve:
        if each.name not in names:
            yield "--reserve", each.name


def _meant(name: str, known: list[str]) -> str:
    near = similar(name, known)
    return f"; did you mean {near[0]}?" if near else ""
