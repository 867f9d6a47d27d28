"""What the kernel remembers of UDP, as it tells it."""

from __future__ import annotations

import socket
import struct

from fairlead.lab.node import conntrack


def attribute(kind: int, data: bytes, nested: int = 0) -> bytes:
    return struct.pack("=HH", 4 + len(data), kind | nested) + data + bytes(-len(data) % 4)


def ends(number: int, source: tuple[str, int], destination: tuple[str, int]) -> bytes:
    address = attribute(1, socket.inet_aton(source[0])) + attribute(2, socket.inet_aton(destination[0]))
    ports = attribute(2, source[1].to_bytes(2, "big")) + attribute(3, destination[1].to_bytes(2, "big"))
    return attribute(1, address, 0x8000) + attribute(2, attribute(1, bytes((number,))) + ports, 0x8000)


CLIENT, SERVICE, POD = ("10.244.0.9", 4444), ("10.96.0.20", 53), ("10.244.0.2", 5353)
SENT = ends(17, CLIENT, SERVICE)


def entry(number: int = 17, sent: bytes = SENT) -> bytes:
    body = b"\2\0\0\0" + attribute(1, sent, 0x8000) + attribute(2, ends(number, POD, CLIENT), 0x8000)
    return struct.pack("=IHHII", 16 + len(body), 0x100, 2, 1, 0) + body


DONE = struct.pack("=IHHIIi", 20, 3, 2, 1, 0, 0)


def test_flows_of_udp() -> None:
    flow = conntrack.Flow(SERVICE, POD, SENT)
    assert conntrack.decode(entry()) == ([flow], False)
    assert conntrack.decode(entry() + entry(6, ends(6, CLIENT, SERVICE)) + DONE) == ([flow], True)
    assert conntrack.decode(entry(sent=b"")) == ([], False)
    assert conntrack.decode(b"\0" * 16) == ([], True)


def test_a_flow_is_removed_by_what_it_was_told_as() -> None:
    message = conntrack.delete(conntrack.Flow(SERVICE, POD, SENT))
    length, kind, flags, _, _ = struct.unpack_from("=IHHII", message)
    assert (length, kind, flags) == (len(message), 0x102, 5)
    assert message.endswith(attribute(1, SENT, 0x8000))
