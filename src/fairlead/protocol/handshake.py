"""What a proxy and its client say before the connection is the client's."""

from __future__ import annotations

from typing import Protocol


class Handshake(Protocol):
    """Bytes in, bytes to send, and an end. Raises ProtocolError when the proxy refuses or talks nonsense."""

    def start(self) -> bytes:
        """The first bytes to send."""

    def receive(self, data: bytes) -> bytes:
        """Take bytes of the proxy; the bytes to send in turn, if any."""

    @property
    def done(self) -> bool:
        """Whether the connection now leads to the target."""
