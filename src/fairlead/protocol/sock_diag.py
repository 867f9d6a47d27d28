"""Which TCP sockets listen, as the kernel tells it (sock_diag(7), netlink(7), <linux/inet_diag.h>).

One request asks for IPv4 and IPv6, in the form that is older than sock_diag's own, which takes one family at a time:
the kernel looks through all listeners either way. The answer is a dump of several messages in several datagrams.
Numbers are in the order of this machine, ports and addresses in that of the network.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from struct import Struct
from typing import NamedTuple

from fairlead.errors import ProtocolError

IPV4, IPV6 = 2, 10
"""AF_INET and AF_INET6 of Linux."""
MOST = 65536
"""Listeners of one dump; each has a port and an address of its own, and nobody has so many."""

_NLMSG = Struct("=IHHII")
_ERRNO = Struct("=i")
_REQUEST = Struct("=BBBB48xII")
_SOCKET = Struct("=BBxx2s2x16s16x4x8x4x4x4xII")
_ATTRIBUTE = Struct("=HH")

_TCPDIAG_GETSOCK = 18
_NOOP, _ERROR, _DONE = 1, 2, 3
_REQUEST_DUMP = 0x301
_DUMP_INTR = 0x10
_ANY_FAMILY, _LISTEN = 0, 10
_SKV6ONLY = 11


class Listener(NamedTuple):
    """A TCP socket that listens.

    A mapped address (``::ffff:127.0.0.1``) is written as the IPv4 address that it is. ``v6only`` is None for sockets of
    IPv4, and where the kernel does not say.
    """

    address: str
    port: int
    uid: int
    inode: int
    v6only: bool | None = None


def request(sequence: int) -> bytes:
    """Asks for all listeners; the answer's messages carry ``sequence``."""
    body = _REQUEST.pack(_ANY_FAMILY, 0, 0, 0, 1 << _LISTEN, 0)
    return _NLMSG.pack(_NLMSG.size + len(body), _TCPDIAG_GETSOCK, _REQUEST_DUMP, sequence, 0) + body


class Dump:
    """The answer to one request. What belongs to another one is passed over."""

    def __init__(self, sequence: int) -> None:
        self._sequence = sequence
        self.listeners: list[Listener] = []
        self.interrupted = False
        """Sockets came or went meanwhile, and some may be missing: ask again."""
        self.done = False

    def feed(self, data: bytes | memoryview) -> None:
        """Take one datagram. Raises ProtocolError where it makes no sense or says that the request failed."""
        view = memoryview(data)
        while view and not self.done:
            if len(view) < _NLMSG.size:
                raise ProtocolError("the kernel's list of sockets is cut off")
            length, kind, flags, sequence, _port = _NLMSG.unpack_from(view)
            if not _NLMSG.size <= length <= len(view):
                raise ProtocolError("the kernel's list of sockets has a message of no possible length")
            if sequence == self._sequence:
                self.interrupted |= bool(flags & _DUMP_INTR)
                self._take(kind, view[_NLMSG.size : length])
            view = view[_padded(length) :]

    def _take(self, kind: int, body: memoryview) -> None:
        if kind == _TCPDIAG_GETSOCK:
            if len(self.listeners) >= MOST:
                raise ProtocolError(f"the kernel's list of sockets has more than {MOST}")
            self.listeners.append(_listener(body))
        elif kind in (_ERROR, _DONE):
            _check_error(kind, body)
            self.done = True
        elif kind != _NOOP:
            raise ProtocolError(f"the kernel's list of sockets has a message of the unknown type {kind}")


def _check_error(kind: int, body: memoryview) -> None:
    """Both begin with a negative errno or 0; DONE has had nothing there in some kernels, ERROR always something."""
    if len(body) < _ERRNO.size:
        if kind == _DONE:
            return
        raise ProtocolError("the kernel's list of sockets ends with an error that is cut off")
    (number,) = _ERRNO.unpack_from(body)
    if number:
        raise ProtocolError(f"the kernel does not list sockets: error {abs(number)}")
    if kind == _ERROR:
        raise ProtocolError("the kernel acknowledges a request for sockets and lists none")


def _listener(body: memoryview) -> Listener:
    if len(body) < _SOCKET.size:
        raise ProtocolError("the kernel's list of sockets has an entry that is cut off")
    family, state, port, address, uid, inode = _SOCKET.unpack_from(body)
    if state != _LISTEN:
        raise ProtocolError(f"the kernel's list of listeners has a socket in state {state}")
    number = int.from_bytes(port, "big")
    if family == IPV4:
        return Listener(_text(address[:4]), number, uid, inode)
    if family == IPV6:
        return Listener(_text(address), number, uid, inode, _v6only(body[_SOCKET.size :]))
    raise ProtocolError(f"the kernel's list of sockets has one of the unknown family {family}")


@lru_cache(maxsize=1024)
def _text(address: bytes) -> str:
    """An address as it is written; making one takes longer than all else, and few are in use."""
    if len(address) == 4:
        return str(IPv4Address(address))
    whole = IPv6Address(address)
    return str(whole.ipv4_mapped or whole)


def _v6only(attributes: memoryview) -> bool | None:
    while attributes:
        if len(attributes) < _ATTRIBUTE.size:
            raise ProtocolError("the kernel's list of sockets has an attribute that is cut off")
        length, kind = _ATTRIBUTE.unpack_from(attributes)
        if not _ATTRIBUTE.size <= length <= len(attributes):
            raise ProtocolError("the kernel's list of sockets has an attribute of no possible length")
        if kind == _SKV6ONLY and length > _ATTRIBUTE.size:
            return bool(attributes[_ATTRIBUTE.size])
        attributes = attributes[_padded(length) :]
    return None


def _padded(length: int) -> int:
    return (length + 3) & ~3
