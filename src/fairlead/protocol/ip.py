"""Whole packets for a raw socket: UDP (RFC 768) and its refusal (RFC 792, 4443) over IPv4 (RFC 791) or IPv6 (RFC 8200).

An end is an address as text and a port; both ends of a packet are of one family. ValueError for anything else, and for
more bytes than a packet may have.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from struct import Struct
from typing import TypeAlias

End: TypeAlias = tuple[str, int]

MOST_4 = 65535 - 20 - 8
"""Bytes of payload in one UDP packet of IPv4, whose length counts its header."""
MOST_6 = 65535 - 8
"""The same for IPv6, whose length does not."""

_UDP, _ICMP, _ICMP6 = 17, 1, 58
_HOPS = 64
_IP4 = Struct("!BBHHHBBH4s4s")
_IP6 = Struct("!IHBB16s16s")
_PSEUDO6 = Struct("!16s16sI3xB")
_PORTS = Struct("!HHHH")
_ERROR = Struct("!BBHI")
_QUOTED_4 = 576 - 20 - 8
"""Bytes of a packet that an error quotes, so that the error itself has 576 (RFC 1812, 4.3.2.3)."""
_QUOTED_6 = 1280 - 40 - 8
"""The same for IPv6, whose least MTU is 1280 (RFC 4443, 2.4)."""


def udp(source: End, destination: End, payload: bytes | memoryview) -> bytes:
    """One datagram. The checksum of UDP over IPv4 is left out, as it may be; that of IPv6 is there, as it has to be."""
    sender, receiver = _packed(source[0]), _packed(destination[0])
    length = 8 + len(payload)
    if len(sender) == 4:
        _check(receiver, 4, length - 8 > MOST_4)
        ports = _PORTS.pack(source[1], destination[1], length, 0)
        return b"".join((_header_4(_UDP, sender, receiver, length), ports, payload))
    _check(receiver, 16, length - 8 > MOST_6)
    pseudo = _PSEUDO6.pack(sender, receiver, length, _UDP)
    ports = _PORTS.pack(source[1], destination[1], length, 0)
    checksum = _checksum(b"".join((pseudo, ports, payload)))
    ports = _PORTS.pack(source[1], destination[1], length, checksum)
    return b"".join((_header_6(_UDP, sender, receiver, length), ports, payload))


def port_unreachable(source: End, destination: End, payload: bytes | memoryview = b"") -> bytes:
    """What a datagram's destination answers where nobody takes it; quotes the datagram, as far as there is room."""
    about = udp(source, destination, payload)
    sender, receiver = _packed(destination[0]), _packed(source[0])
    if len(sender) == 4:
        quoted = about[:_QUOTED_4]
        checksum = _checksum(_ERROR.pack(3, 3, 0, 0) + quoted)
        error = _ERROR.pack(3, 3, checksum, 0) + quoted
        return _header_4(_ICMP, sender, receiver, len(error)) + error
    quoted = about[:_QUOTED_6]
    pseudo = _PSEUDO6.pack(sender, receiver, _ERROR.size + len(quoted), _ICMP6)
    checksum = _checksum(pseudo + _ERROR.pack(1, 4, 0, 0) + quoted)
    error = _ERROR.pack(1, 4, checksum, 0) + quoted
    return _header_6(_ICMP6, sender, receiver, len(error)) + error


@lru_cache(maxsize=4096)
def _packed(address: str) -> bytes:
    return ip_address(address).packed


def _check(receiver: bytes, size: int, too_long: bool) -> None:
    if len(receiver) != size:
        raise ValueError("a packet of which one end is IPv4 and the other IPv6")
    if too_long:
        raise ValueError("more bytes than a packet may have")


def _header_4(protocol: int, sender: bytes, receiver: bytes, length: int) -> bytes:
    header = _IP4.pack(0x45, 0, 20 + length, 0, 0, _HOPS, protocol, 0, sender, receiver)
    return _IP4.pack(0x45, 0, 20 + length, 0, 0, _HOPS, protocol, _checksum(header), sender, receiver)


def _header_6(protocol: int, sender: bytes, receiver: bytes, length: int) -> bytes:
    return _IP6.pack(6 << 28, length, protocol, _HOPS, sender, receiver)


def _checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071): 2 ** 16 is 1 modulo 65535, so the sum of all words is one remainder.

    Never 0, which says that a datagram has none; 65535 stands for the same sum.
    """
    return 65535 - (int.from_bytes(data, "big") << 8 * (len(data) & 1)) % 65535
