"""What of this laptop a private network has too: its addresses, and the families that it reaches other networks by."""

from __future__ import annotations

import socket
from collections.abc import Callable

from fairlead.policy.capture import CaptureRules
from fairlead.policy.laptop_addresses import default_interface, own_4, own_6
from fairlead.policy.listeners import Listener

NOBODYS = "192.0.0.8"
"""The IPv4 dummy address (RFC 7600), of a machine that has no other."""
_FAR = {socket.AF_INET: "198.51.100.1", socket.AF_INET6: "2001:db8::1"}
"""Nobody's addresses (RFC 5737, RFC 3849); nothing is sent there."""


def capture_rules(listeners: Callable[[tuple[str, ...]], frozenset[Listener]]) -> CaptureRules:
    """The rules for this machine as it is; ``listeners`` says where something listens, given its addresses."""
    own = own_4(_read("/proc/net/fib_trie")) + own_6(_read("/proc/net/if_inet6"))
    four, six = _source(socket.AF_INET), _source(socket.AF_INET6)
    if six not in own:
        six = None
    if four not in own:
        # Off line, or with addresses that are not told. Programs look up no address of a family of which there is none.
        four = next((address for address in own if ":" not in address), NOBODYS)
        own = tuple(dict.fromkeys((*own, four)))
    sources = (four,) if six is None else (four, six)
    interface = default_interface(_read("/proc/net/route"))
    return CaptureRules(own, sources, ipv6=six is not None, interface=interface, listeners=listeners(own))


def _source(family: int) -> str | None:
    """The address from which this machine reaches other networks; None where it does not."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect((_FAR[socket.AddressFamily(family)], 9))
            return str(sock.getsockname()[0])
    except OSError:
        return None


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""
