"""Wishes that speak of no service or port there is: mostly typed wrong."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Sequence
from typing import NamedTuple

from fairlead.model.named import PortRule, Reservation, ServicePattern
from fairlead.model.objects import Service
from fairlead.policy.mapping import is_chosen, tcp_ports
from fairlead.policy.missing import any_of, similar
from fairlead.policy.nothing import selected_by, with_options
from fairlead.policy.ports import offer
from fairlead.settings import Chosen


class _Found(NamedTuple):
    """What was read, and where."""

    services: Collection[Service]
    namespaces: Sequence[str]
    """() is all."""
    selected: Sequence[str]
    """The options by which the API server left services out."""


def unmatched(
    settings: Chosen,
    services: Collection[Service],
    names: Container[str],
    namespaces: Sequence[str] = (),
    *,
    mappings: Sequence[PortRule] = (),
    reserve: Sequence[Reservation] = (),
) -> list[str]:
    """A sentence for each; ``services`` are all that were read, ``names`` those that services have here.

    ``namespaces`` were looked in, () is all. Nothing is said of ``exclude``, which a team may well have for what is not
    everywhere.
    """
    found = _Found(services, namespaces, selected_by(settings))
    of_rules = (*(("--mapping", rule) for rule in mappings), *(("--local", rule) for rule in settings.local))
    absent = [each.name for each in reserve if each.name not in names]
    sentences = (
        *_of_patterns(settings.only, found),
        *(sentence for option, rule in of_rules if rule.service for sentence in _of_rule(option, rule, found)),
        *(_no_service("--reserve", *name.partition(".")[::2], found) for name in absent),
    )
    return list(dict.fromkeys(sentences))


def _of_patterns(only: Sequence[ServicePattern], found: _Found) -> Iterator[str]:
    for pattern in only:
        if not any(is_chosen((pattern,), (), service.namespace, service.name) for service in found.services):
            namespace = "" if pattern.namespace == "*" else pattern.namespace
            yield _no_service("--only", pattern.service, namespace, found)


def _of_rule(option: str, rule: PortRule, found: _Found) -> Iterator[str]:
    meant = [each for each in found.services if each.name == rule.service and rule.namespace in ("", each.namespace)]
    if not meant:
        yield _no_service(option, rule.service, rule.namespace, found)
        return
    ports = list(dict.fromkeys(port for service in meant for port in tcp_ports(service)))
    if rule.port and not any(rule.port in (port.port, port.name) for port in ports):
        offered = offer(ports) if ports else "it has no TCP port"
        yield f"{option} {_word(rule.service, rule.namespace)}:{rule.port}: there is no such port yet; {offered}"
    elif not ports:
        yield f"{option} {_word(rule.service, rule.namespace)}: it declares no TCP port that could lead here"


def _no_service(option: str, service: str, namespace: str, found: _Found) -> str:
    said = f"{option} {_word(service, namespace)}"
    nothing = f"{said}: there is no such service yet{with_options(found.selected)}"
    # POD.SERVICE is a name, too.
    owner = namespace.partition(".")[0]
    if any(each.headless and each.name == owner for each in found.services):
        if option == "--reserve":
            return f"{said}: there is no such pod yet"
        return f"{nothing}; this is for services, not for their pods: {owner}"
    if found.namespaces and namespace not in ("", *found.namespaces) and not set("*?.").intersection(namespace):
        where = ",".join((*found.namespaces, namespace))
        return f"{said}: namespace {namespace} is not looked in; -n {where} looks there too"
    near = _near(service, namespace, found.services)
    return f"{nothing}; did you mean {any_of(near)}?" if near else nothing


def _near(service: str, namespace: str, services: Collection[Service]) -> list[str]:
    """What was probably meant: written alike in that namespace, else so called in another."""
    if not namespace:
        return similar(service, sorted({each.name for each in services}))[:1]
    there = similar(service, sorted(each.name for each in services if each.namespace == namespace))[:1]
    return [f"{name}.{namespace}" for name in there] or [
        f"{service}.{each.namespace}" for each in services if each.name == service
    ][:2]


def _word(service: str, namespace: str) -> str:
    return f"{service}.{namespace}" if namespace else service
