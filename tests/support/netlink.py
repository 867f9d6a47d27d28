"""What the kernel says of sockets that listen (sock_diag(7)), made by hand."""

from __future__ import annotations

from ipaddress import ip_address
from struct import pack

from fairlead.protocol.sock_diag import IPV4, IPV6

DATA, ERROR, DONE = 18, 2, 3


def message(kind: int, body: bytes = b"", *, sequence: int = 7, flags: int = 2) -> bytes:
    whole = pack("=IHHII", 16 + len(body), kind, flags, sequence, 4711) + body
    return whole + bytes(-len(whole) % 4)


def entry(
    address: str, port: int, uid: int = 1000, inode: int = 99, *, state: int = 10, more: bytes = b"", family: int = 0
) -> bytes:
    packed = ip_address(address).packed
    numbers = pack("!HH16s16s", port, 0, packed, b"") + bytes(12)
    kind = family or (IPV4 if len(packed) == 4 else IPV6)
    return pack("=BBBB", kind, state, 0, 0) + numbers + pack("=IIIII", 0, 0, 128, uid, inode) + more
