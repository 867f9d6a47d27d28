"""The addresses of the node's network, and who has which; pure."""

from __future__ import annotations

from collections import deque
from ipaddress import IPv4Network

BRIDGE = "cni0"
PODS, POD_BITS = "10.244.0.0", 24
"""The network of the pods."""
GATEWAY = "10.244.0.1"
"""The bridge's own address, which every pod sends to."""
NODE = "192.0.2.2"
"""The node's: of those that are in no network (RFC 5737), so that it is in none of the user's either."""
SERVICES, SERVICE_BITS = "10.96.0.0", 12
DNS = "10.96.0.10"
DNS_PORT = 53
DOMAIN = "cluster.local"


class FullError(Exception):
    """Every pod address is in use."""


class PodAddresses:
    """Gives each pod an address; one that was given back waits until all others were given, too."""

    def __init__(self) -> None:
        hosts = IPv4Network(f"{PODS}/{POD_BITS}").hosts()
        self._free = deque(text for text in map(str, hosts) if text != GATEWAY)

    def take(self) -> str:
        """One that nobody has. Raises FullError."""
        if not self._free:
            raise FullError("every pod address of the node is in use")
        return self._free.popleft()

    def give_back(self, address: str) -> None:
        """Nobody has it any more."""
        self._free.append(address)
