"""What listens on ports of this laptop: the services that its user develops (proc(5), /proc/net/tcp)."""

from __future__ import annotations

import os
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address

from fairlead.helper.holders import listeners
from fairlead.model.named import OwnServer

_LOCALHOST = frozenset({IPv4Address("127.0.0.1"), IPv6Address("::1")})
"""Where connections are passed on to: see ``dial.laptop``."""


def own_servers(ports: Collection[int], *, proc: str = "/proc") -> dict[int, OwnServer]:
    """What takes connections on each port. Asks nobody and connects to nothing."""
    if not os.path.exists(f"{proc}/net/tcp"):
        return dict.fromkeys(ports, OwnServer.EVERYWHERE)
    found = dict.fromkeys(ports, OwnServer.ABSENT)
    for each in listeners(proc):
        if each.port in found:
            if each.address.is_unspecified:
                found[each.port] = OwnServer.EVERYWHERE
            elif each.address in _LOCALHOST and found[each.port] is OwnServer.ABSENT:
                found[each.port] = OwnServer.LOCALHOST
    return found
