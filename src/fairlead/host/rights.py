"""Descriptors that come along with bytes on a Unix socket (unix(7), SCM_RIGHTS)."""

from __future__ import annotations

import socket
from array import array


def receive(sock: socket.socket, most: int, descriptors: int) -> tuple[bytes, list[int]]:
    """Bytes, and descriptors that no child inherits; socket.recv_fds drops its flags in Python 3.11.

    The kernel drops those that this process may not open any more.
    """
    found = array("i")
    room = socket.CMSG_SPACE(descriptors * found.itemsize)
    data, extra, _, _ = sock.recvmsg(most, room, socket.MSG_CMSG_CLOEXEC)
    for level, kind, payload in extra:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            found.frombytes(payload[: len(payload) - len(payload) % found.itemsize])
    return data, found.tolist()
