"""Messages that change a network namespace's links, addresses and routes (rtnetlink(7)); pure.

Programs for that would cost some ten milliseconds a pod. IPv4 alone: pods have no other addresses here.
"""

from __future__ import annotations

import struct
from ipaddress import IPv4Address
from typing import NamedTuple

ACK = 2
"""NLMSG_ERROR: the answer to each message, with 0 where it worked."""

_NEWLINK, _DELLINK, _SETLINK, _NEWADDR, _NEWROUTE = 16, 17, 19, 20, 24
_REQUEST, _WANT_ACK, _EXCL, _CREATE = 0x1, 0x4, 0x200, 0x400
_INET, _BRIDGE = 2, 7
_UP = 1
_NESTED = 0x8000
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MASTER, _IFLA_PROTINFO, _IFLA_LINKINFO, _IFLA_NET_NS_FD = 1, 3, 10, 12, 18, 28
_INFO_KIND, _INFO_DATA, _VETH_PEER, _PORT_ISOLATED = 1, 2, 1, 33
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PREFSRC = 1, 4, 5, 7
_TABLE_MAIN, _BY_HAND, _UNICAST, _EVERYWHERE, _ON_LINK = 254, 4, 1, 0, 253

_HEAD = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_LINK = struct.Struct("=BxHiII")
_ADDRESS = struct.Struct("=BBBBI")
_ROUTE = struct.Struct("=BBBBBBBBI")
_ERROR = struct.Struct("=i")
_NUMBER = struct.Struct("=I")


class Ack(NamedTuple):
    """What became of one message."""

    sequence: int
    error: int
    """An errno; 0 if it worked."""


def bridge(name: str) -> bytes:
    """Make a bridge."""
    body = _LINK.pack(0, 0, 0, 0, 0) + _text(_IFLA_IFNAME, name)
    return _message(_NEWLINK, body + _nest(_IFLA_LINKINFO, _text(_INFO_KIND, "bridge")), _CREATE | _EXCL)


def veth(name: str, peer: str, peer_namespace: int, hardware: bytes) -> bytes:
    """Make two links that are joined: ``name`` here, with this hardware address, and ``peer`` in another namespace."""
    there = _LINK.pack(0, 0, 0, 0, 0) + _text(_IFLA_IFNAME, peer) + _number(_IFLA_NET_NS_FD, peer_namespace)
    info = _text(_INFO_KIND, "veth") + _nest(_INFO_DATA, _attribute(_VETH_PEER | _NESTED, there))
    body = _LINK.pack(0, 0, 0, 0, 0) + _text(_IFLA_IFNAME, name) + _attribute(_IFLA_ADDRESS, hardware)
    return _message(_NEWLINK, body + _nest(_IFLA_LINKINFO, info), _CREATE | _EXCL)


def up(index: int, *, master: int = 0) -> bytes:
    """Set a link up, as a port of the bridge ``master`` if there is one."""
    return _message(_NEWLINK, _LINK.pack(0, 0, index, _UP, _UP) + (_number(_IFLA_MASTER, master) if master else b""))


def isolate(index: int) -> bytes:
    """Let a port of a bridge reach the bridge itself, and no other port that is so: the rules then see all there is."""
    info = _attribute(_PORT_ISOLATED, b"\1")
    return _message(_SETLINK, _LINK.pack(_BRIDGE, 0, index, 0, 0) + _nest(_IFLA_PROTINFO, info))


def remove(name: str) -> bytes:
    """Remove a link, and with it the one that it is joined to."""
    return _message(_DELLINK, _LINK.pack(0, 0, 0, 0, 0) + _text(_IFLA_IFNAME, name))


def address(index: int, text: str, bits: int) -> bytes:
    """Give a link an address, with a route to the network of so many bits if those are fewer than 32."""
    raw = IPv4Address(text).packed
    body = _ADDRESS.pack(_INET, bits, 0, 0, index) + _attribute(_IFA_LOCAL, raw) + _attribute(_IFA_ADDRESS, raw)
    return _message(_NEWADDR, body, _CREATE | _EXCL)


def route(index: int, network: str = "", bits: int = 0, *, gateway: str = "", source: str = "") -> bytes:
    """Send what is for a network, for any other if there is none, out of this link, to a gateway if there is one."""
    scope = _EVERYWHERE if gateway else _ON_LINK
    body = _ROUTE.pack(_INET, bits, 0, 0, _TABLE_MAIN, _BY_HAND, scope, _UNICAST, 0)
    if network:
        body += _attribute(_RTA_DST, IPv4Address(network).packed)
    if gateway:
        body += _attribute(_RTA_GATEWAY, IPv4Address(gateway).packed)
    if source:
        body += _attribute(_RTA_PREFSRC, IPv4Address(source).packed)
    return _message(_NEWROUTE, body + _number(_RTA_OIF, index), _CREATE | _EXCL)


def numbered(message: bytes, sequence: int) -> bytes:
    """The message with this number, which its answer repeats."""
    return message[:8] + _NUMBER.pack(sequence) + message[12:]


def decode_ack(data: bytes) -> Ack | None:
    """What is said of a message; None if it is something else."""
    if len(data) < _HEAD.size + _ERROR.size:
        return None
    _, kind, _, sequence, _ = _HEAD.unpack_from(data)
    return Ack(sequence, -_ERROR.unpack_from(data, _HEAD.size)[0]) if kind == ACK else None


def hardware_address(text: str) -> bytes:
    """One that is nobody else's as long as the IPv4 address is not: no asker keeps an old one for a new pod."""
    return b"\x0a\x58" + IPv4Address(text).packed


def _message(kind: int, body: bytes, flags: int = 0) -> bytes:
    return _HEAD.pack(_HEAD.size + len(body), kind, _REQUEST | _WANT_ACK | flags, 0, 0) + body


def _attribute(kind: int, data: bytes) -> bytes:
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(data), kind) + data + bytes(-len(data) % 4)


def _nest(kind: int, data: bytes) -> bytes:
    return _attribute(kind | _NESTED, data)


def _text(kind: int, text: str) -> bytes:
    return _attribute(kind, text.encode() + b"\0")


def _number(kind: int, value: int) -> bytes:
    return _attribute(kind, _NUMBER.pack(value))
