"""The laptop's own addresses, as the kernel lists them (proc(5), /proc/net)."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address

_LEAF = re.compile(r"\|-- ([0-9.]+)\n\s+/32 host LOCAL")
_LOOPBACK_DEVICE = "lo"


def own_4(fib_trie: str) -> tuple[str, ...]:
    """From /proc/net/fib_trie: every IPv4 address of this machine but the loopback's, each once."""
    found = dict.fromkeys(_LEAF.findall(fib_trie))
    return tuple(address for address in found if not IPv4Address(address).is_loopback)


def own_6(if_inet6: str) -> tuple[str, ...]:
    """From /proc/net/if_inet6: every IPv6 address of this machine that other networks may know."""
    found = []
    for line in if_inet6.splitlines():
        fields = line.split()
        if len(fields) != 6 or len(fields[0]) != 32:
            continue
        address = IPv6Address(int(fields[0], 16))
        if not (address.is_link_local or address.is_loopback or fields[5] == _LOOPBACK_DEVICE):
            found.append(str(address))
    return tuple(dict.fromkeys(found))
