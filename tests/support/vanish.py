"""A peer that is gone without a word, on loopback and without any rights."""

from __future__ import annotations

import ctypes
import socket
import struct
from typing import Any

_SO_ATTACH_FILTER = 26
_DROP = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
"""A socket filter (classic BPF) of one instruction: return 0, which takes nothing that arrives."""


def vanish(sock: Any) -> None:
    """What is sent to this socket is dropped from now on, unseen and not acknowledged (Linux)."""
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(_DROP)))
