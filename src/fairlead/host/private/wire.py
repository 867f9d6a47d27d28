"""What the supervisor and the agent say to each other: one JSON object a message, with descriptors beside it.

Both ends are ours, and the socket pair has no name, so that nobody else can speak on it (unix(7), SOCK_SEQPACKET).
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Sequence
from typing import Any

from fairlead.host import rights

MOST = 128 * 1024
"""Bytes of one message, less than a socket holds by default (net.core.wmem_default)."""
MOST_DESCRIPTORS = 32
"""Beside one message; the kernel's own limit is 253 (SCM_MAX_FD)."""


def send(to: socket.socket, said: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Say it; the receiver gets descriptors of its own."""
    data = json.dumps(said).encode()
    assert len(data) <= MOST
    if descriptors:
        socket.send_fds(to, [data], list(descriptors))
    else:
        to.send(data)


def receive(source: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The next message and its descriptors, which are the caller's to close, and none where this process has no room.

    Raises EOFError where nobody speaks any more, and what recvmsg(2) raises.
    """
    data, descriptors = rights.receive(source, MOST, MOST_DESCRIPTORS)
    if not data:
        for descriptor in descriptors:
            os.close(descriptor)
        raise EOFError
    said = json.loads(data)
    assert isinstance(said, dict)
    return said, descriptors
