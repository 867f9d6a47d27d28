"""SPDY inside WebSocket, for servers and proxies that let nothing else through."""

from __future__ import annotations

from collections.abc import Callable

from fairlead.protocol.websocket import WebSocket


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
