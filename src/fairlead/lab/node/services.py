"""The addresses of services as one nft ruleset, in the place of whatever was there before (nft(8)); pure.

A connection's way: ``services`` looks up where it is for, an endpoint is drawn, or the one taken that the client had
before, and the destination becomes that. What leads to no endpoint is refused. A pod that is sent to itself
would see its own address as the sender, so those connections come from the bridge instead.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from fairlead.lab.node.backends import ServicePort
from fairlead.lab.node.plan import SERVICE_BITS, SERVICES

TABLE = "ip fairlead_lab"

_BASE = """\
add chain {table} prerouting {{ type nat hook prerouting priority dstnat; }}
add chain {table} output {{ type nat hook output priority -100; }}
add chain {table} postrouting {{ type nat hook postrouting priority srcnat; }}
add chain {table} forward {{ type filter hook forward priority filter; }}
add chain {table} sent {{ type filter hook output priority filter; }}
add chain {table} services
add rule {table} prerouting jump services
add rule {table} output jump services
add rule {table} forward ip daddr {network} jump refuse
add rule {table} sent ip daddr {network} fib daddr type != local jump refuse
add rule {table} refuse meta l4proto tcp reject with tcp reset
add rule {table} refuse reject
"""


class Ruleset(NamedTuple):
    """What nft is to be told, and what it will have then."""

    text: str
    chains: frozenset[str] = frozenset()
    sets: frozenset[str] = frozenset()
    """Of clients that stay with an endpoint: they outlive a change of the rules."""
    rules: str = ""
    """What will be in force, whatever was before."""


NOTHING = Ruleset("")


def ruleset(ports: Iterable[ServicePort], before: Ruleset = NOTHING) -> Ruleset:
    """The rules for these, in the place of ``before``; nft takes all or nothing."""
    ports = list(ports)
    chains: dict[str, None] = {"refuse": None}
    sets: dict[str, int] = {}
    staying = [port for port in ports if port.affinity and port.endpoints]
    spread = [port for port in ports if not port.affinity]
    lines = [line for port in staying for line in _stay(port, chains, sets)]
    for way in (_BY_ADDRESS, _BY_NODE_PORT):
        targets = [f"{name} : goto {_chain(port)}" for port in staying if (name := way.name(port))]
        lines += _rule(f"{way.match}{way.key} vmap", targets)
        lines += _spread(spread, way)
    lines += _hairpins({endpoint.address for port in ports for endpoint in port.endpoints})
    made = Ruleset("", frozenset(chains), frozenset(sets))
    head = [f"add table {TABLE}", f"flush table {TABLE}", *_gone(before, made)]
    head += [f"add chain {TABLE} {chain}" for chain in chains]
    head += [f"add set {TABLE} {name} {{ {_clients(seconds)} }}" for name, seconds in sets.items()]
    base = _BASE.format(table=TABLE, network=f"{SERVICES}/{SERVICE_BITS}")
    rules = "\n".join([base, *lines, ""])
    return made._replace(text="\n".join([*head, rules]), rules=rules)


class _Way(NamedTuple):
    """How a connection says which port of a service it is for."""

    match: str
    key: str
    name: Callable[[ServicePort], str]
    """What the key is for a port; "" if it cannot be reached so."""


_BY_ADDRESS = _Way(
    "", "ip daddr . meta l4proto . th dport", lambda port: f"{port.address} . {port.protocol} . {port.port}"
)
_BY_NODE_PORT = _Way(
    "fib daddr type local ",
    "meta l4proto . th dport",
    lambda port: f"{port.protocol} . {port.node_port}" if port.node_port else "",
)


def _spread(ports: Sequence[ServicePort], way: _Way) -> list[str]:
    """Each connection to any of a port's endpoints: a number is drawn, and looked up together with the port.

    One map for all: what an ordinary user can send to the kernel at once has room for few rules, and many elements.
    """
    named = [(name, port.endpoints) for port in ports if (name := way.name(port))]
    lines = []
    for count in sorted({len(ends) for _, ends in named if len(ends) > 1}):
        names = ", ".join(name for name, ends in named if len(ends) == count)
        drawn = f"meta mark set numgen random mod {count}"
        lines.append(f"add rule {TABLE} services {way.match}{way.key} {{ {names} }} {drawn}")
    choices = [f"{name} . {turn} : {end.address} . {end.port}" for name, ends in named for turn, end in enumerate(ends)]
    return lines + _rule(f"{way.match}meta l4proto {{ tcp, udp }} dnat ip to {way.key} . meta mark map", choices)


def _rule(text: str, elements: Sequence[str]) -> list[str]:
    return [f"add rule {TABLE} services {text} {{ {', '.join(elements)} }}"] if elements else []


def _chain(port: ServicePort) -> str:
    return f"svc.{port.service}/{port.protocol}/{port.port}"


def _stay(port: ServicePort, chains: dict[str, None], sets: dict[str, int]) -> list[str]:
    """Each client to the endpoint that it had before, for as long as it comes back in time."""
    chain = _chain(port)
    chains[chain] = None
    lines, drawn = [], []
    for turn, endpoint in enumerate(port.endpoints):
        name = f"{endpoint.address}/{endpoint.port}"
        own, clients = f"{chain}/{name}", f"stay.{port.service}/{port.protocol}/{port.port}/{port.affinity}/{name}"
        chains[own] = None
        sets[clients] = port.affinity
        lines.append(f"add rule {TABLE} {chain} ip saddr @{clients} goto {own}")
        lines.append(f"add rule {TABLE} {own} update @{clients} {{ ip saddr }}")
        there = f"{endpoint.address}:{endpoint.port}"
        lines.append(f"add rule {TABLE} {own} meta l4proto {port.protocol} dnat to {there}")
        drawn.append(f"{turn} : goto {own}")
    lines.append(f"add rule {TABLE} {chain} numgen random mod {len(drawn)} vmap {{ {', '.join(drawn)} }}")
    return lines


def _clients(seconds: int) -> str:
    return f"type ipv4_addr; flags dynamic,timeout; timeout {seconds}s; size 65535;"


def _hairpins(addresses: Collection[str]) -> list[str]:
    if not addresses:
        return []
    pairs = ", ".join(f"{address} . {address}" for address in sorted(addresses))
    return [f"add rule {TABLE} postrouting ct status dnat ip saddr . ip daddr {{ {pairs} }} masquerade"]


def _gone(before: Ruleset, now: Ruleset) -> list[str]:
    chains = [f"delete chain {TABLE} {name}" for name in sorted(before.chains - now.chains)]
    return chains + [f"delete set {TABLE} {name}" for name in sorted(before.sets - now.sets)]
