"""The node's bridge and the links of its pods, in the network namespaces of whoever calls."""

from __future__ import annotations

import os
import socket

from fairlead.lab.node import netlink
from fairlead.lab.node.plan import BRIDGE, GATEWAY, NODE, POD_BITS, SERVICE_BITS, SERVICES

_LINK = "eth0"
"""What a pod calls its own."""
_LOOPBACK = 1
"""Its number in every network namespace."""


class Netlink:
    """Speaks to the kernel about the network namespace in which it was made."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        self._sequence = 0

    def __enter__(self) -> Netlink:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def do(self, message: bytes) -> None:
        """One change. Raises OSError."""
        self._sequence += 1
        self._socket.send(netlink.numbered(message, self._sequence))
        while True:
            ack = netlink.decode_ack(self._socket.recv(65536))
            if ack is None or ack.sequence != self._sequence:
                continue
            if ack.error:
                raise OSError(ack.error, os.strerror(ack.error))
            return


def make_node() -> None:
    """The bridge, with the node's addresses, in a new network namespace. Raises OSError."""
    for name, value in _NODE_SYSCTLS:
        _sysctl(name, value)
    with Netlink() as link:
        link.do(netlink.up(_LOOPBACK))
        link.do(netlink.bridge(BRIDGE))
        index = socket.if_nametoindex(BRIDGE)
        link.do(netlink.address(index, GATEWAY, POD_BITS))
        link.do(netlink.address(index, NODE, 32))
        link.do(netlink.up(index))
        # What is for a service goes somewhere, so that the rules come to see it.
        link.do(netlink.route(index, SERVICES, SERVICE_BITS, source=GATEWAY))


def add_address(text: str) -> None:
    """Let the node have this address, too. Raises OSError."""
    with Netlink() as link:
        link.do(netlink.address(socket.if_nametoindex(BRIDGE), text, 32))


class PodLink:
    """The link of one pod: ``make`` its end in the pod's network namespace, then ``join`` the other to the bridge."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._name = "veth" + "".join(f"{int(part):02x}" for part in address.split("."))

    def make(self, node: int) -> None:
        """To be called in the pod's network namespace; ``node`` is a descriptor of the node's. Raises OSError."""
        for name, value in _POD_SYSCTLS:
            _sysctl(name, value)
        with Netlink() as link:
            link.do(netlink.up(_LOOPBACK))
            link.do(netlink.veth(_LINK, self._name, node, netlink.hardware_address(self.address)))
            index = socket.if_nametoindex(_LINK)
            link.do(netlink.address(index, self.address, 32))
            link.do(netlink.up(index))
            link.do(netlink.route(index, GATEWAY, 32))
            link.do(netlink.route(index, gateway=GATEWAY))

    def join(self) -> None:
        """To be called in the node's. Raises OSError."""
        with Netlink() as link:
            index = socket.if_nametoindex(self._name)
            link.do(netlink.up(index, master=socket.if_nametoindex(BRIDGE)))
            link.do(netlink.isolate(index))

    def clear(self) -> None:
        """In the node's, before ``make``: remove what is left of a pod that had this address before.

        The kernel removes a link when nobody is in the pod's namespace any more, in its own time. To do that ourselves
        would hold up whoever calls for some ten milliseconds.
        """
        try:
            socket.if_nametoindex(self._name)
        except OSError:
            return
        with Netlink() as link:
            try:
                link.do(netlink.remove(self._name))
            except OSError:
                pass  # the kernel was faster


def open_namespace() -> int:
    """A descriptor of the network namespace that we are in."""
    return os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


_POD_SYSCTLS = (
    ("net/ipv4/ip_unprivileged_port_start", "0"),  # as container runtimes have it: containers need not be root
    ("net/ipv4/ping_group_range", "0 0"),
)
_NODE_SYSCTLS = (
    ("net/ipv4/ip_forward", "1"),
    # Pods reach each other through the bridge's own end alone; they need not be told of a shorter way, there is none.
    ("net/ipv4/conf/all/send_redirects", "0"),
    ("net/ipv4/conf/default/send_redirects", "0"),
    # What crosses the bridge is not looked at there: it would be taken from one port to another, past its own end.
    ("net/bridge/bridge-nf-call-iptables", "0"),
    *_POD_SYSCTLS,
)


def _sysctl(name: str, value: str) -> None:
    try:
        with open(f"/proc/sys/{name}", "w") as file:
            file.write(value)
    except FileNotFoundError:
        pass  # an older kernel has no such setting
