"""The laptop's own addresses, as the kernel lists them (proc(5), /proc/net)."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_LEAF = re.compile(rf"\|-- ({_OCTET}(?:\.{_OCTET}){{3}})\n(?:[ ]+/[0-9].*\n)*?[ ]+/32 host LOCAL")
_PACKED = re.compile("[0-9a-f]{32}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,14}", re.ASCII)
"""Of an interface, as far as a command line can carry it: the kernel takes nearly anything of up to 15 bytes."""
_LOOPBACK_DEVICE = "lo"


def own_4(fib_trie: str) -> tuple[str, ...]:
    """From /proc/net/fib_trie: every IPv4 address of this machine but the loopback's, each once."""
    found = dict.fromkeys(_LEAF.findall(fib_trie))
    return tuple(address for address in found if not IPv4Address(address).is_loopback)


def default_interface(route: str) -> str:
    """From /proc/net/route: the name of the interface by which other networks are reached; "" if there is none."""
    found = []
    for line in route.splitlines()[1:]:
        fields = line.split()
        if len(fields) >= 8 and fields[1] == fields[7] == "00000000" and fields[6].isdecimal():
            found.append((int(fields[6]), fields[0]))
    name = min(found)[1] if found else ""
    return name if _NAME.fullmatch(name) and name != _LOOPBACK_DEVICE else ""


def own_6(if_inet6: str) -> tuple[str, ...]:
    """From /proc/net/if_inet6: every IPv6 address of this machine that other networks may know."""
    found = []
    for line in if_inet6.splitlines():
        fields = line.split()
        if len(fields) != 6 or not _PACKED.fullmatch(fields[0]):
            continue
        address = IPv6Address(int(fields[0], 16))
        if not (address.is_link_local or address.is_loopback or fields[5] == _LOOPBACK_DEVICE):
            found.append(str(address))
    return tuple(dict.fromkeys(found))
