"""What the kernel remembers of UDP: a client that goes on sending would be led to an endpoint that is gone (nfnetlink).

A TCP connection ends with its endpoint; of UDP nobody tells the kernel, for as long as the client sends.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Collection, Iterator
from typing import NamedTuple

_NETLINK_NETFILTER = 12
_GET, _DELETE = 0x101, 0x102
"""Of connection tracking (<linux/netfilter/nfnetlink_conntrack.h>)."""
_REQUEST, _ACK, _DUMP = 0x1, 0x4, 0x300
_DONE, _ERROR = 3, 2
_ORIG, _REPLY = 1, 2
_IP, _PROTO = 1, 2
_SOURCE, _DESTINATION = 1, 2
_NUMBER, _SOURCE_PORT, _DESTINATION_PORT = 1, 2, 3
_NESTED = 0x8000

_HEAD = struct.Struct("=IHHII")
_FAMILY = struct.pack("=BBH", socket.AF_INET, 0, 0)
_ATTRIBUTE = struct.Struct("=HH")


class Flow(NamedTuple):
    """One conversation over UDP."""

    destination: tuple[str, int]
    """Where the client sends to."""
    endpoint: tuple[str, int]
    """Who answers."""
    tuple_: bytes
    """As the kernel has it, for its removal."""


def dump() -> bytes:
    """Asks for all."""
    return _message(_GET, _DUMP, b"")


def delete(flow: Flow) -> bytes:
    """Asks to forget one."""
    body = _ATTRIBUTE.pack(_ATTRIBUTE.size + len(flow.tuple_), _ORIG | _NESTED) + flow.tuple_
    return _message(_DELETE, _ACK, body)


def decode(data: bytes) -> tuple[list[Flow], bool]:
    """The flows of a part of the answer, and whether it was the last."""
    flows: list[Flow] = []
    while len(data) >= _HEAD.size:
        length, kind, *_ = _HEAD.unpack_from(data)
        if kind in (_DONE, _ERROR) or length < _HEAD.size:
            return flows, True
        flow = _flow(data[_HEAD.size + len(_FAMILY) : length])
        if flow is not None:
            flows.append(flow)
        data = data[(length + 3) & ~3 :]
    return flows, False


def forget(
    destinations: Collection[tuple[str, int]], endpoints: Collection[tuple[tuple[str, int], tuple[str, int]]]
) -> None:
    """Of what was sent to these, forget all but what leads to these endpoints, each with its destination.

    A kernel that does not tell of connections to anybody keeps them.
    """
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER) as sock:
            sock.send(dump())
            flows, last = decode(sock.recv(1 << 20))
            while not last:
                more, last = decode(sock.recv(1 << 20))
                flows += more
            for flow in flows:
                if flow.destination in destinations and (flow.destination, flow.endpoint) not in endpoints:
                    sock.send(delete(flow))
                    sock.recv(4096)
    except OSError:
        pass


def _flow(data: bytes) -> Flow | None:
    found = dict(_attributes(data))
    if _ORIG not in found or _REPLY not in found:
        return None
    sent, answered = _ends(found[_ORIG]), _ends(found[_REPLY])
    if sent is None or answered is None:
        return None
    return Flow(sent[1], answered[0], found[_ORIG])


def _ends(data: bytes) -> tuple[tuple[str, int], tuple[str, int]] | None:
    """Source and destination; None of other protocols than UDP."""
    parts = dict(_attributes(data))
    if _IP not in parts or _PROTO not in parts:
        return None
    address, ports = dict(_attributes(parts[_IP])), dict(_attributes(parts[_PROTO]))
    if ports.get(_NUMBER, b"")[:1] != bytes((socket.IPPROTO_UDP,)) or _SOURCE not in address:
        return None
    numbers = [int.from_bytes(ports[each], "big") for each in (_SOURCE_PORT, _DESTINATION_PORT)]
    hosts = [socket.inet_ntoa(address[each]) for each in (_SOURCE, _DESTINATION)]
    return (hosts[0], numbers[0]), (hosts[1], numbers[1])


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data)
        if length < _ATTRIBUTE.size:
            return
        yield kind & ~_NESTED, data[_ATTRIBUTE.size : length]
        data = data[(length + 3) & ~3 :]


def _message(kind: int, flags: int, body: bytes) -> bytes:
    length = _HEAD.size + len(_FAMILY) + len(body)
    return _HEAD.pack(length, kind, _REQUEST | flags, 1, 0) + _FAMILY + body
