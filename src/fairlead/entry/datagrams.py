"""UDP of another network namespace: what is captured there, and answers that seem to come from where it was to go.

tproxy hands every datagram to one socket a family, with its destination beside it (ip(7), IP_RECVORIGDSTADDR). Answers
are whole packets on a raw socket: a socket bound to each address would cost one descriptor a destination.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Iterable
from typing import TypeAlias

from fairlead.kit import log
from fairlead.protocol.ip import MOST_4, End, port_unreachable, udp

Deliver: TypeAlias = Callable[[memoryview, End, End], None]
"""A payload, its source and its destination. The bytes are there until the call returns."""

AT_ONCE = 32
"""Datagrams that are read in one turn of the event loop, a millisecond's work; connections come next."""

_IP_ORIGDSTADDR, _IPV6_ORIGDSTADDR = 20, 74
"""<linux/in.h>, <linux/in6.h>."""
_ANCILLARY = socket.CMSG_SPACE(28)
"""Room for a sockaddr_in6."""

_log = log.get(__name__)


class Datagrams:
    """Reads ``captured`` and answers on ``raw``, one socket of each for a family; they become this object's own.

    The captured ones are transparent and say where a datagram was to go; the raw ones take whole packets, which are not
    captured again. What finds no room is dropped, as UDP may.
    """

    def __init__(self, captured: Iterable[socket.socket], raw: Iterable[socket.socket], deliver: Deliver) -> None:
        self._loop = asyncio.get_running_loop()
        self._captured = tuple(captured)
        self._raw = {sock.family: sock for sock in raw}
        self._deliver = deliver
        self._buffer = memoryview(bytearray(65536))
        self._told: set[int] = set()
        for sock in self._raw.values():
            sock.setblocking(False)
        for sock in self._captured:
            sock.setblocking(False)
            self._loop.add_reader(sock.fileno(), self._read, sock)

    def reply(self, payload: bytes | memoryview, to: End, sender: End) -> None:
        """Send ``to`` a program in the namespace what seems to come from ``sender``; both are of one family."""
        if len(payload) > MOST_4:
            self._dropped(errno.EMSGSIZE)
        else:
            self._send(udp(sender, to, payload), to)

    def refuse(self, source: End, destination: End, payload: bytes | memoryview = b"") -> None:
        """Tell ``source`` that nobody takes what it sent to ``destination``: ECONNREFUSED, if its socket is connected.

        ``payload`` is what it sent, for those few programs that look at it.
        """
        self._send(port_unreachable(source, destination, payload[:MOST_4]), source)

    def close(self) -> None:
        """Read and send no more."""
        for sock in self._captured:
            self._loop.remove_reader(sock.fileno())
            sock.close()
        for sock in self._raw.values():
            sock.close()

    def _read(self, sock: socket.socket) -> None:
        buffer, room = self._buffer, (self._buffer,)
        for _ in range(AT_ONCE):
            try:
                count, ancillary, _flags, source = sock.recvmsg_into(room, _ANCILLARY)
            except BlockingIOError:
                return
            except OSError as error:
                self._dropped(error.errno or 0)
                return
            destination = _destination(ancillary)
            if destination is not None:
                self._deliver(buffer[:count], (source[0], source[1]), destination)
            if sock.fileno() < 0:
                return  # closed by what was called

    def _send(self, packet: bytes, to: End) -> None:
        sock = self._raw[socket.AF_INET6 if ":" in to[0] else socket.AF_INET]
        try:
            sock.sendto(packet, (to[0], 0))  # the port is in the packet, and here it would be a protocol's (raw(7))
        except OSError as error:  # full (EAGAIN, ENOBUFS), too large for the link, or the program's address is gone
            self._dropped(error.errno or 0)

    def _dropped(self, reason: int) -> None:
        """Logged once for each reason, as there may be thousands a second."""
        if reason not in self._told:
            self._told.add(reason)
            _log.decision("datagrams are dropped: %s", os.strerror(reason))


def _destination(ancillary: list[tuple[int, int, bytes]]) -> End | None:
    """Of a sockaddr_in or sockaddr_in6 beside a datagram; None if there is none."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, _IP_ORIGDSTADDR):
            return socket.inet_ntoa(data[4:8]), int.from_bytes(data[2:4], "big")
        if (level, kind) == (socket.IPPROTO_IPV6, _IPV6_ORIGDSTADDR):
            return socket.inet_ntop(socket.AF_INET6, data[8:24]), int.from_bytes(data[2:4], "big")
    return None
