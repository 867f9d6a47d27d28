"""A connection from within the sandbox's network namespace, to localhost there: IPv4 first, then IPv6.

The namespace is entered only to make the socket, which belongs to it from then on. All that happens between two turns
of the event loop, on its one thread, so that nothing else ever sees the other network.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from typing import cast

from fairlead.host.private import kernel
from fairlead.lab.cri.drivers.driver import PodEnd, closed, open_namespace, reason
from fairlead.lab.cri.errors import BrokenError, NoWayError
from fairlead.lab.cri.sandboxes import Sandbox
from fairlead.net.buffer import ReadBuffer
from fairlead.net.local import LocalConnection
from fairlead.net.stream import RemoteEnd

_OWN = "/proc/thread-self/ns/net"
_LOCALHOST = ((socket.AF_INET, "4", "127.0.0.1"), (socket.AF_INET6, "6", "::1"))


class PodConnection(LocalConnection):
    """A TCP connection to the pod, which remembers how it ended."""

    __slots__ = ("failure",)

    def connection_lost(self, exc: Exception | None) -> None:
        """Keep the kernel's words for whoever is told."""
        words = reason(exc) if isinstance(exc, OSError) else "connection reset by peer"
        self.failure = f"read tcp: {words}"
        super().connection_lost(exc)


class NetnsDriver:
    """Dials. A sandbox on the host's network is served without entering one."""

    name = "netns"

    def __init__(self, buffer: ReadBuffer) -> None:
        self._buffer = buffer

    async def open(
        self,
        sandbox: Sandbox,
        port: int,
        accept: Callable[[PodEnd], RemoteEnd | None],
        gone: Callable[[PodEnd], None],
    ) -> None:
        """See Driver."""
        failures = []
        for family, version, address in _LOCALHOST:
            try:
                sock = await _connected(sandbox, family, (address, port))
            except OSError as error:
                where = f"[{address}]:{port}" if family == socket.AF_INET6 else f"{address}:{port}"
                failures.append(f"dial tcp{version} {where}: connect: {reason(error)}")
                continue
            try:
                await asyncio.get_running_loop().create_connection(
                    lambda: PodConnection(
                        self._buffer,
                        cast("Callable[[LocalConnection], RemoteEnd | None]", accept),
                        cast("Callable[[LocalConnection], None]", gone),
                    ),
                    sock=sock,
                )
            except BaseException:
                sock.close()
                raise
            return
        path = "host" if sandbox.host_network else sandbox.netns
        raise BrokenError(
            f'failed to execute portforward in network namespace "{path}": failed to connect to localhost:{port} '
            f'inside namespace "{sandbox.id}", IPv4: {failures[0]} IPv6 {failures[1]} '
        )


async def _connected(sandbox: Sandbox, family: socket.AddressFamily, address: tuple[str, int]) -> socket.socket:
    """A connected socket of the sandbox's network. OSError, and NoWayError if that network is gone."""
    sock = _socket(family) if sandbox.host_network else socket_inside(sandbox, family)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


def socket_inside(sandbox: Sandbox, family: socket.AddressFamily) -> socket.socket:
    """A new socket in the sandbox's network namespace."""
    there = open_namespace(sandbox)
    try:
        own = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
        try:
            try:
                kernel.setns(there, kernel.NEWNET)
            except OSError as error:
                if error.errno == errno.EINVAL:  # the path is there, and no namespace is behind it any more
                    raise closed(sandbox) from error
                what = f'failed to enter network namespace "{sandbox.netns}": {reason(error)}'
                raise NoWayError(what) from error
            try:
                return _socket(family)
            finally:
                kernel.setns(own, kernel.NEWNET)
        finally:
            os.close(own)
    finally:
        os.close(there)


def _socket(family: socket.AddressFamily) -> socket.socket:
    return socket.socket(family, socket.SOCK_STREAM)
