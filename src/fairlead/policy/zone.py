"""What the DNS of the clusters answers, as the Kubernetes DNS specification and CoreDNS's kubernetes plugin have it.

Ours is every name that a group has, each such name with a port before it (``_http._tcp.NAME``), all that ends in a
cluster's domain, and the names of the addresses that groups have. What is ours is never asked of anybody else, also
where there is nothing to say; but below a name outside the domains there may be a site, so only what is there is ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from fairlead.model.dns import Answer, Code, Record, Soa, Srv, Type, fits
from fairlead.model.named import GroupKey
from fairlead.policy.cluster_domain import DEFAULT

TTL = 5
"""Seconds that an answer may be kept: as CoreDNS has it."""
MOST_LINKS = 8
"""Aliases in a row; more are a circle."""


class ZonePort(NamedTuple):
    """One port of a service."""

    name: str
    """"" if it has none."""
    protocol: str
    """``TCP``, ``UDP`` or ``SCTP``."""
    number: int


class ZoneEndpoint(NamedTuple):
    """One endpoint of a headless service."""

    hostname: str
    """"" if it has none; then its addresses are its names, with dashes (``10-0-0-5``)."""
    addresses: tuple[str, ...]
    ports: tuple[ZonePort, ...] = ()


class ZoneEntry(NamedTuple):
    """One group. One that leads nowhere, such as a headless service without endpoints, does not exist (NXDOMAIN)."""

    names: tuple[str, ...]
    """All that it has, in lower case without the last dot."""
    fqdn: str
    """The name that others are told."""
    addresses: tuple[str, ...] = ()
    ports: tuple[ZonePort, ...] = ()
    """Of the addresses."""
    endpoints: tuple[ZoneEndpoint, ...] = ()
    """Of a headless service, which has no addresses of its own: theirs are its, and their ports."""
    cname: str = ""
    """The name that a service of type ExternalName stands for."""


Packed = tuple[int, bytes]
"""An address as a record has it: type and data."""


class _Node:
    """An entry as answers need it."""

    def __init__(self, entry: ZoneEntry) -> None:
        self.entry = entry
        self.cname = name if fits(name := entry.cname.lower().rstrip(".")) else ""
        self.hosts: dict[str, tuple[Packed, ...]] = {}
        """By the endpoint's label."""
        self.services: list[tuple[ZonePort, str]] = []
        """The ports, each with the name to go to."""
        self.pointers: list[tuple[str, str]] = []
        """Names of addresses, and what they are."""
        fqdn = entry.fqdn
        own = self._point(entry.addresses, fqdn)
        if own and fits(fqdn):
            self.services = [(port, fqdn) for port in entry.ports]
        for endpoint in entry.endpoints:
            for label, addresses in _labels(endpoint):
                name = f"{label}.{fqdn}"
                self.hosts[label] = (*self.hosts.get(label, ()), *self._point(addresses, name))
                if fits(name):
                    self.services += [(port, name) for port in endpoint.ports]
        self.services = list(dict.fromkeys(self.services))
        self.addresses = tuple(dict.fromkeys((*own, *(each for packed in self.hosts.values() for each in packed))))

    def _point(self, addresses: Sequence[str], name: str) -> tuple[Packed, ...]:
        """Their form in records; ``name`` is what they are."""
        packed = []
        for text in addresses:
            address = _address(text)
            if address is not None:
                packed.append((int(Type.A if address.version == 4 else Type.AAAA), address.packed))
                if fits(name):
                    self.pointers.append((address.reverse_pointer, name))
        return tuple(packed)


class Zone:
    """The names of all groups. A change costs what it touches."""

    def __init__(self, domains: Sequence[str] = ()) -> None:
        self.domains: tuple[str, ...] = ()
        """Those of the clusters, such as ``cluster.local``: below them, what is not here does not exist."""
        self._heads: tuple[tuple[str, Record], ...] = ()
        """How names below a domain end, and its SOA record."""
        self._nodes: dict[GroupKey, _Node] = {}
        self._names: dict[str, dict[GroupKey, _Node]] = {}
        """Who has a name, the one that took it last at the end: while names change hands, two have one for a moment."""
        self._reverse: dict[str, dict[tuple[GroupKey, str], None]] = {}
        self._below: dict[str, int] = {}
        """How many names there are below a name."""
        for domain in domains:
            self.serve(domain)

    def serve(self, domain: str) -> None:
        """Answer for all names of ``domain``, lower case, from now on."""
        if domain not in self.domains:
            self.domains += (domain,)
            self._heads += (("." + domain, _head(domain, domain)),)

    def set(self, key: GroupKey, entry: ZoneEntry | None) -> None:
        """What the group is from now on; None once it is gone."""
        before = self._nodes.get(key)
        if before is not None:
            if before.entry == entry:
                return
            self._remove(key, before)
        if entry is not None:
            self._add(key, _Node(entry))

    def answer(self, name: str, kind: int, *, turn: int = 0) -> Answer | None:
        """What there is of this type at ``name`` (lower case). None if the name is not ours: then others may know it.

        The addresses begin with the one whose ``turn`` it is. Where an alias leads out of the zone, the answer has the
        records up to there, and ``chase``.
        """
        found = self._look(name, kind, turn)
        links: tuple[Record, ...] = ()
        while found is not None and found.chase:
            links += found.records
            if len(links) > MOST_LINKS:
                return Answer(Code.SERVFAIL)
            name = found.chase
            found = self._look(name, kind, turn)
        if not links:
            return found
        if found is None:
            return Answer(records=links, chase=name)
        return found._replace(records=links + found.records)

    def _add(self, key: GroupKey, node: _Node) -> None:
        self._nodes[key] = node
        for name in node.entry.names:
            self._names.setdefault(name, {})[key] = node
            for above in _above(name):
                self._below[above] = self._below.get(above, 0) + 1
        for pointer, name in node.pointers:
            self._reverse.setdefault(pointer, {})[key, name] = None

    def _remove(self, key: GroupKey, node: _Node) -> None:
        del self._nodes[key]
        for name in node.entry.names:
            holders = self._names[name]
            holders.pop(key, None)
            if not holders:
                del self._names[name]
            for above in _above(name):
                self._below[above] -= 1
                if not self._below[above]:
                    del self._below[above]
        for pointer, name in node.pointers:
            targets = self._reverse.get(pointer, {})
            targets.pop((key, name), None)
            if not targets:
                self._reverse.pop(pointer, None)

    def _look(self, name: str, kind: int, turn: int) -> Answer | None:
        """An answer of one link."""
        node = self._node(name)
        if node is not None:
            return self._entry(name, node, kind, turn)
        if name.startswith("_") and (found := self._port(name, kind, turn)):
            return found
        if head := self._head_of(name):
            return self._inside(name, head, kind, turn)
        if targets := self._reverse.get(name):
            pointers = tuple(Record(name, Type.PTR, TTL, target) for target in dict.fromkeys(to for _, to in targets))
            return Answer(records=pointers) if kind in (Type.PTR, Type.ANY) else self._nothing(name)
        return None

    def _node(self, name: str) -> _Node | None:
        holders = self._names.get(name)
        return next(reversed(holders.values())) if holders else None

    def _entry(self, name: str, node: _Node, kind: int, turn: int) -> Answer:
        if node.cname:
            alias = Record(name, Type.CNAME, TTL, node.cname)
            return Answer(records=(alias,), chase="" if kind in (Type.CNAME, Type.ANY) else node.cname)
        if not node.addresses and not self._below.get(name):
            return self._nothing(name, Code.NXDOMAIN)
        if kind == Type.SRV:
            return self._services(name, node, node.services, turn)
        return self._found(name, node.addresses, kind, turn)

    def _found(self, name: str, addresses: Sequence[Packed], kind: int, turn: int) -> Answer:
        records = _addresses(name, addresses, kind, turn)
        return Answer(records=records) if records else self._nothing(name)

    def _port(self, name: str, kind: int, turn: int) -> Answer | None:
        """``_PORT._PROTOCOL.NAME``, and what is between; None if no group has NAME."""
        first, _, base = name.partition(".")
        port = None
        if base.startswith("_"):
            port = first[1:]
            first, _, base = base.partition(".")
        node = self._node(base)
        if node is None:
            return None
        services = [
            service
            for service in node.services
            if service[0].name
            and f"_{service[0].protocol.lower()}" == first
            and (port is None or service[0].name.lower() == port)
        ]
        if not services:
            return self._nothing(name, Code.NXDOMAIN)
        return self._services(name, node, services, turn) if port and kind == Type.SRV else self._nothing(name)

    def _services(self, name: str, node: _Node, services: Sequence[tuple[ZonePort, str]], turn: int) -> Answer:
        if not services:
            return self._nothing(name)
        weight = max(1, 100 // len(services))
        start = turn % len(services)
        records = tuple(
            Record(name, Type.SRV, TTL, Srv(0, weight, port.number, target))
            for port, target in (*services[start:], *services[:start])
        )
        fqdn = node.entry.fqdn
        more: tuple[Record, ...] = ()
        for target in dict.fromkeys(target for _, target in services):
            packed = node.addresses if target == fqdn else node.hosts[target[: -len(fqdn) - 1]]
            more += _addresses(target, packed, Type.ANY, 0)
        return Answer(records=records, additional=more)

    def _inside(self, name: str, head: Record, kind: int, turn: int) -> Answer:
        """A name of a cluster's domain that no group has."""
        domain = head.name
        if name == domain:
            return Answer(records=(head,)) if kind in (Type.SOA, Type.ANY) else Answer(authority=(head,))
        label, _, rest = name.partition(".")
        node = self._node(rest)
        if node is not None and label in node.hosts:
            return self._found(name, node.hosts[label], kind, turn)
        labels = name.removesuffix("." + domain).split(".")
        if labels[-1] == "pod" and len(labels) == 3:
            pod = _address(_undashed(label))
            if pod is None:
                return self._nothing(name, Code.NXDOMAIN)
            return self._found(name, ((Type.A if pod.version == 4 else Type.AAAA, pod.packed),), kind, 0)
        there = labels == ["svc"] or (labels[-1] == "pod" and len(labels) < 3) or name in self._below
        return self._nothing(name, Code.NOERROR if there else Code.NXDOMAIN)

    def _nothing(self, name: str, code: Code = Code.NOERROR) -> Answer:
        """No such name, or no such record; the zone is the domain, or outside of all of them the name itself."""
        head = self._head_of(name) or _head(name, self.domains[0] if self.domains else DEFAULT)
        return Answer(code, authority=(head,))

    def _head_of(self, name: str) -> Record | None:
        """That of the domain that has ``name``."""
        for ending, head in self._heads:
            if name.endswith(ending) or name == head.name:
                return head
        return None


def _head(zone: str, domain: str) -> Record:
    """The head of ``zone``; ``domain`` is whose nameserver answers."""
    soa = Soa(f"ns.dns.{domain}", f"hostmaster.{domain}", 1, 7200, 1800, 86400, TTL)
    return Record(zone, Type.SOA, TTL, soa)


def _above(name: str) -> Iterator[str]:
    """Each name that ``name`` is below."""
    while "." in name:
        name = name.partition(".")[2]
        yield name


def _labels(endpoint: ZoneEndpoint) -> Iterator[tuple[str, Sequence[str]]]:
    if endpoint.hostname and "." not in endpoint.hostname:
        yield endpoint.hostname.lower(), endpoint.addresses
    else:
        for address in endpoint.addresses:
            yield address.lower().replace(".", "-").replace(":", "-"), (address,)


def _undashed(label: str) -> str:
    """The address that a pod's label says, if it does."""
    if label.count("-") == 3 and "--" not in label:
        return label.replace("-", ".")
    return label.replace("-", ":")


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """None if it is none: addresses come from the cluster, where anybody may have written anything."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def _addresses(name: str, addresses: Sequence[Packed], kind: int, turn: int) -> tuple[Record, ...]:
    wanted = [Record(name, each, TTL, packed) for each, packed in addresses if kind in (each, Type.ANY)]
    start = turn % len(wanted) if len(wanted) > 1 else 0
    return (*wanted[start:], *wanted[:start])
