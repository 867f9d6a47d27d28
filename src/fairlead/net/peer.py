"""What the kernel knows of a connection's other end."""

from __future__ import annotations

import asyncio
import socket
import sys

from fairlead.policy.silence import TCP_INFO_LENGTH, Kernel, kernel_state


def peer_state(transport: asyncio.BaseTransport) -> Kernel:
    """Whether the peer acknowledges, by TCP_INFO on Linux; UNKNOWN elsewhere, and where there is no TCP."""
    sock = transport.get_extra_info("socket")
    if sock is None or sys.platform != "linux":
        return Kernel.UNKNOWN
    try:
        return kernel_state(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_LENGTH))
    except OSError:
        return Kernel.UNKNOWN
