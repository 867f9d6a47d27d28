"""How the helper and the main process speak: JSON objects, each after its length, on a Unix stream socket.

Every request has one reply. Sockets come along with the bytes of the reply that names them (unix(7), SCM_RIGHTS).
"""

from __future__ import annotations

import json
from typing import Any

from fairlead.errors import ProtocolError

LARGEST = 8 << 20
"""Bytes of one message: a few tens of thousands of names."""
MOST_SOCKETS = 250
"""Sockets in one reply; the kernel takes 253 at once (SCM_MAX_FD)."""

_HEAD = 4

Message = dict[str, Any]


def encode(message: Message) -> bytes:
    """The bytes of one message. Raises ProtocolError if it is too large."""
    data = json.dumps(message, separators=(",", ":")).encode()
    if len(data) > LARGEST:
        raise ProtocolError(f"a message of {len(data)} bytes is too large")
    return len(data).to_bytes(_HEAD, "big") + data


class Reader:
    """Bytes in, messages out."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are complete now. Raises ProtocolError."""
        self._data += data
        found = []
        while len(self._data) >= _HEAD:
            size = int.from_bytes(self._data[:_HEAD], "big")
            if size > LARGEST:
                raise ProtocolError(f"a message of {size} bytes is too large")
            if len(self._data) < _HEAD + size:
                break
            found.append(_decode(bytes(self._data[_HEAD : _HEAD + size])))
            del self._data[: _HEAD + size]
        return found


def _decode(data: bytes) -> Message:
    try:
        message = json.loads(data)
    except (ValueError, RecursionError):
        raise ProtocolError("not JSON") from None
    if not isinstance(message, dict):
        raise ProtocolError("not an object")
    return message
