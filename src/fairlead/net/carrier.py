"""How the bytes of a SPDY session travel: as they are, or inside WebSocket messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from fairlead.protocol.websocket import WebSocket


class Carrier(Protocol):
    """Between a session and its transport; knows neither."""

    name: str
    in_place: bool
    """Whether ``header_into`` may be used; otherwise payload has to go through ``wrap``."""

    def receive(self, data: memoryview) -> None:
        """Unpack what was read and pass the session's bytes on."""

    def wrap(self, data: bytes) -> bytes:
        """The bytes to write for these bytes of the session, with whatever the carrier itself wants to say."""

    def header_into(self, buffer: memoryview, at: int, length: int) -> int:
        """Write the carrier's header for ``length`` bytes that begin at ``at`` before them; return where it begins."""

    def farewell(self) -> bytes:
        """What is written last of all."""


class PlainCarrier:
    """SPDY/3.1 directly on the upgraded connection."""

    name = "SPDY"
    in_place = True

    def __init__(self, sink: Callable[[memoryview], None]) -> None:
        self.receive = sink

    receive: Callable[[memoryview], None]

    def wrap(self, data: bytes) -> bytes:
        """As it is."""
        return data

    def header_into(self, buffer: memoryview, at: int, length: int) -> int:
        """No header."""
        return at

    def farewell(self) -> bytes:
        """Nothing."""
        return b""


class WebSocketCarrier:
    """SPDY inside WebSocket (KEP-4006): one binary message a write, boundaries without meaning."""

    name = "WebSocket"

    def __init__(
        self,
        sink: Callable[[memoryview], None],
        closed: Callable[[str], None],
        mask: Callable[[], bytes] | None,
    ) -> None:
        self._sink = sink
        self._closed = closed
        # Inside TLS nothing between the ends can take a frame for HTTP, so zeros will do there (RFC 6455, 10.3).
        self.in_place = mask is None
        self._socket = WebSocket(self, client=True, mask=mask or (lambda: bytes(4)))

    def receive(self, data: memoryview) -> None:
        """Unpack messages."""
        self._socket.receive(data)

    def on_payload(self, data: memoryview) -> None:
        """Bytes of the session."""
        self._sink(data)

    def on_close(self, code: int, reason: str) -> None:
        """The server closed the WebSocket."""
        self._closed(f"the server closed the WebSocket with code {code}{': ' if reason else ''}{reason}")

    def wrap(self, data: bytes) -> bytes:
        """One message, after any pong that waits."""
        return self._socket.take_outgoing() + (self._socket.message(data) if data else b"")

    def header_into(self, buffer: memoryview, at: int, length: int) -> int:
        """The header of one message, masked with zeros."""
        header = self._socket.header(length)
        start = at - len(header)
        buffer[start:at] = header
        return start

    def farewell(self) -> bytes:
        """Close 1000."""
        self._socket.close()
        return self._socket.take_outgoing()
