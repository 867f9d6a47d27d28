"""Wishes that speak of no service or port there is: mostly typed wrong."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator

from fairlead.model.named import PortRule
from fairlead.model.objects import Service
from fairlead.policy.mapping import is_chosen, tcp_ports
from fairlead.policy.missing import similar
from fairlead.policy.ports import offer
from fairlead.settings import ServicesSettings


def unmatched(settings: ServicesSettings, services: Collection[Service], names: Container[str]) -> list[str]:
    """A sentence for each; ``services`` are all that were read, ``names`` those that services have here.

    Nothing is said of ``exclude``, which a team may well have for what is not everywhere.
    """
    return list(dict.fromkeys(_sentences(settings, services, names)))


def _sentences(settings: ServicesSettings, services: Collection[Service], names: Container[str]) -> Iterator[str]:
    for pattern in settings.only:
        if not any(is_chosen((pattern,), (), service.namespace, service.name) for service in services):
            yield _no_service(
                "--only", pattern.service, "" if pattern.namespace == "*" else pattern.namespace, services
            )
    for option, rules in (("--mapping", settings.mappings), ("--local", settings.local)):
        for rule in rules:
            if rule.service:
                yield from _of_rule(option, rule, services)
    for each in settings.reserve:
        if each.name not in names:
            yield _no_service("--reserve", *each.name.partition(".")[::2], services)


def _of_rule(option: str, rule: PortRule, services: Collection[Service]) -> Iterator[str]:
    meant = [each for each in services if each.name == rule.service and rule.namespace in ("", each.namespace)]
    if not meant:
        yield _no_service(option, rule.service, rule.namespace, services)
        return
    ports = list(dict.fromkeys(port for service in meant for port in tcp_ports(service)))
    if rule.port and not any(rule.port in (port.port, port.name) for port in ports):
        offered = offer(ports) if ports else "it has no TCP port"
        yield f"{option} {_word(rule.service, rule.namespace)}:{rule.port}: there is no such port yet; {offered}"


def _no_service(option: str, service: str, namespace: str, services: Collection[Service]) -> str:
    near = similar(service, sorted({each.name for each in services}))
    meant = f"; did you mean {near[0]}?" if near else ""
    return f"{option} {_word(service, namespace)}: there is no such service yet{meant}"


def _word(service: str, namespace: str) -> str:
    return f"{service}.{namespace}" if namespace else service
