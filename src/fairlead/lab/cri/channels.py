"""Several byte streams in WebSocket messages: the first byte of each is the number of its channel. Server's role, pure.

Binary: v4.channel.k8s.io, v5.channel.k8s.io, and whatever names no subprotocol. base64: messages are text, a digit for
the channel and then base64. From v5 on, the client's message ``FF nn`` ends channel nn.
"""

from __future__ import annotations

import base64
import binascii
from typing import Protocol

from fairlead.errors import ProtocolError
from fairlead.protocol.websocket import CloseCode, WebSocket

MOST_CHANNELS = 127
_CLOSE = 255


class ChannelListener(Protocol):
    """What the client says."""

    def on_channel(self, channel: int, data: memoryview) -> None:
        """Bytes on a channel, valid until ``receive`` returns."""

    def on_channel_end(self, channel: int) -> None:
        """The client is done with a channel (v5)."""

    def on_close(self, code: int, reason: str) -> None:
        """The client closed. Nothing follows."""


class Channels:
    """The channels of one connection. A long message is passed on in pieces, so nothing of it is held."""

    def __init__(self, listener: ChannelListener, protocol: str) -> None:
        self.text = "base64." in protocol
        self._closes = protocol.startswith("v5.")
        self._listener = listener
        self._socket = WebSocket(self, client=False, mask=lambda: b"", messages=self)
        self._channel: int | None = None
        self._rest = b""

    # -- sending --

    def header_into(self, buffer: memoryview, at: int, channel: int, length: int) -> int:
        """For binary messages: write all that goes before ``length`` bytes at ``at``, and return where it begins."""
        header = self._socket.header(length + 1) + bytes((channel,))
        start = at - len(header)
        buffer[start:at] = header
        return start

    def message(self, channel: int, data: bytes) -> bytes:
        """A whole message."""
        payload = b"%c" % (ord("0") + channel) + base64.b64encode(data) if self.text else b"%c" % channel + data
        return self._socket.header(len(payload), text=self.text) + payload

    def close(self, code: int = CloseCode.NORMAL) -> None:
        """Queue a Close frame."""
        self._socket.close(code)

    def take_outgoing(self) -> bytes:
        """Pongs and Close frames."""
        return self._socket.take_outgoing()

    # -- receiving --

    def receive(self, data: memoryview) -> None:
        """Take what was read; ProtocolError."""
        self._socket.receive(data)

    def on_begin(self, *, text: bool) -> None:
        """A message begins."""
        if text != self.text:
            raise ProtocolError(f"WebSocket message is {'text' if text else 'binary'}, against the subprotocol")
        self._channel = None
        self._rest = b""

    def on_payload(self, data: memoryview) -> None:
        """A piece of it."""
        if self._channel is None:
            self._channel = data[0] - (ord("0") if self.text else 0)
            data = data[1:]
            if not 0 <= self._channel <= _CLOSE:
                raise ProtocolError("WebSocket message for a channel that is no digit")
        if not data:
            return
        if self.text:
            data = memoryview(self._decoded(bytes(data)))
        if self._channel == _CLOSE and self._closes:
            for channel in data:
                self._listener.on_channel_end(channel)
        elif data:
            self._listener.on_channel(self._channel, data)

    def on_end(self) -> None:
        """The message is complete."""
        if self._rest:
            raise ProtocolError("WebSocket message has base64 that is not complete")

    def on_close(self, code: int, reason: str) -> None:
        """The client closed."""
        self._listener.on_close(code, reason)

    def _decoded(self, data: bytes) -> bytes:
        """What whole groups of four characters say; the rest waits."""
        data = self._rest + data
        whole = len(data) // 4 * 4
        self._rest = data[whole:]
        try:
            return base64.b64decode(data[:whole], validate=True)
        except binascii.Error as error:
            raise ProtocolError(f"WebSocket message is no base64: {error}") from None
