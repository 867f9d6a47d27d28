"""The addresses of services as one nft ruleset, in the place of whatever was there before (nft(8)); pure.

A packet's way: ``services`` looks up the address, the chain of that port picks an endpoint, at random or the one that
the client had before, and the destination becomes that. What no chain took is refused. A pod that is sent to itself
would see its own address as the sender, so those connections come from the bridge instead.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from fairlead.lab.node.backends import Endpoint, ServicePort
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
    lines: list[str] = []
    chains: dict[str, None] = {"refuse": None}
    sets: dict[str, int] = {}
    targets: list[str] = []
    node_targets: list[str] = []
    for port in ports:
        if not port.endpoints:
            continue
        chain = _chain(port)
        chains[chain] = None
        targets.append(f"{port.address} . {port.protocol} . {port.port} : goto {chain}")
        if port.node_port:
            node_targets.append(f"{port.protocol} . {port.node_port} : goto {chain}")
        lines += _stay(port, chain, chains, sets) if port.affinity else _spread(port, chain)
    lines += _look_up("ip daddr . meta l4proto . th dport", targets)
    lines += _look_up("fib daddr type local meta l4proto . th dport", node_targets)
    lines += _hairpins({endpoint.address for port in ports for endpoint in port.endpoints})
    made = Ruleset("", frozenset(chains), frozenset(sets))
    head = [f"add table {TABLE}", f"flush table {TABLE}", *_gone(before, made)]
    head += [f"add chain {TABLE} {chain}" for chain in chains]
    head += [f"add set {TABLE} {name} {{ {_clients(seconds)} }}" for name, seconds in sets.items()]
    base = _BASE.format(table=TABLE, network=f"{SERVICES}/{SERVICE_BITS}")
    rules = "\n".join([base, *lines, ""])
    return made._replace(text="\n".join([*head, rules]), rules=rules)


def _chain(port: ServicePort) -> str:
    return f"svc.{port.service}/{port.protocol}/{port.port}"


def _look_up(key: str, targets: Sequence[str]) -> list[str]:
    if not targets:
        return []
    return [f"add rule {TABLE} services {key} vmap {{ {', '.join(targets)} }}"]


def _to(port: ServicePort, endpoint: Endpoint) -> str:
    return f"meta l4proto {port.protocol} dnat to {endpoint.address}:{endpoint.port}"


def _spread(port: ServicePort, chain: str) -> list[str]:
    """Each connection to any of them."""
    if len(port.endpoints) == 1:
        return [f"add rule {TABLE} {chain} {_to(port, port.endpoints[0])}"]
    choices = ", ".join(f"{turn} : {end.address} . {end.port}" for turn, end in enumerate(port.endpoints))
    draw = f"numgen random mod {len(port.endpoints)} map {{ {choices} }}"
    return [f"add rule {TABLE} {chain} meta l4proto {port.protocol} dnat ip to {draw}"]


def _stay(port: ServicePort, chain: str, chains: dict[str, None], sets: dict[str, int]) -> list[str]:
    """Each client to the one that it had before, for as long as it comes back in time."""
    lines, drawn = [], []
    for turn, endpoint in enumerate(port.endpoints):
        name = f"{endpoint.address}/{endpoint.port}"
        own, clients = f"{chain}/{name}", f"stay.{port.service}/{port.protocol}/{port.port}/{port.affinity}/{name}"
        chains[own] = None
        sets[clients] = port.affinity
        lines.append(f"add rule {TABLE} {chain} ip saddr @{clients} goto {own}")
        lines.append(f"add rule {TABLE} {own} update @{clients} {{ ip saddr }}")
        lines.append(f"add rule {TABLE} {own} {_to(port, endpoint)}")
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
