"""WebSocket framing (RFC 6455, section 5), both roles.

Payload is passed on as it arrives, whatever its fragmentation; nothing but control frames (125 bytes at most) is ever
held. In a tunnel, message boundaries mean nothing, and text messages are refused: Kubernetes' has none. Where they mean
something, a MessageListener is told of them.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Callable
from enum import IntEnum
from typing import Protocol

from fairlead.errors import ProtocolError

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_U16 = struct.Struct(">H")
_U64 = struct.Struct(">Q")


def accept_value(key: str) -> str:
    """The Sec-WebSocket-Accept that answers this Sec-WebSocket-Key (section 4.2.2)."""
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()


class Opcode(IntEnum):
    """Frame types (section 5.2)."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class CloseCode(IntEnum):
    """Status codes of a Close frame (section 7.4.1)."""

    NORMAL = 1000
    PROTOCOL_ERROR = 1002
    UNSUPPORTED = 1003


class WebSocketListener(Protocol):
    """What comes out of the framing."""

    def on_payload(self, data: memoryview) -> None:
        """Bytes of the tunnel, valid until ``receive`` returns."""

    def on_close(self, code: int, reason: str) -> None:
        """The peer closed; 1005 when it gave no code. Nothing follows."""


class MessageListener(Protocol):
    """Where messages are more than pieces of a byte stream."""

    def on_begin(self, *, text: bool) -> None:
        """A message begins; its payload follows, in any number of pieces or none. Text is not checked to be UTF-8."""

    def on_end(self) -> None:
        """It is complete."""


class WebSocket:
    """The framing of one connection after its handshake.

    With ``messages``, text is taken too, and the borders of messages are told.

    ``mask`` gives four bytes for each frame in the client role. Within TLS nothing between the two ends can mistake a
    frame for HTTP, which is what masking is for (section 10.3), so there it may be four zero bytes: the frame is then
    sent without touching its payload.
    """

    def __init__(
        self,
        listener: WebSocketListener,
        *,
        client: bool,
        mask: Callable[[], bytes],
        messages: MessageListener | None = None,
    ) -> None:
        self._listener = listener
        self._messages = messages
        self._client = client
        self._mask = mask
        self._out: list[bytes] = []
        self._pong = b""
        self._head = bytearray()
        self._left = 0
        self._key = b""
        self._key_at = 0
        self._control: int | None = None
        self._control_body = bytearray()
        self._in_message = False
        self._closed = False
        self._broken = False

    # -- sending --

    def header(self, length: int, *, text: bool = False) -> bytes:
        """The header of one final message of ``length`` bytes, masked with zeros in the client role."""
        return _header(Opcode.TEXT if text else Opcode.BINARY, length, bytes(4) if self._client else b"")

    def message(self, payload: bytes) -> bytes:
        """One binary message, masked as the role demands."""
        return self._frame(Opcode.BINARY, payload)

    def close(self, code: int = CloseCode.NORMAL) -> None:
        """Queue a Close frame."""
        self._out.append(self._frame(Opcode.CLOSE, _U16.pack(code)))

    def take_outgoing(self) -> bytes:
        """Pongs and Close frames that wait to be sent."""
        joined = self._pong + b"".join(self._out)
        self._pong = b""
        self._out.clear()
        return joined

    def _frame(self, opcode: int, payload: bytes) -> bytes:
        if not self._client:
            return _header(opcode, len(payload), b"") + payload
        key = self._mask()
        return _header(opcode, len(payload), key) + (apply_mask(payload, key) if any(key) else payload)

    # -- receiving --

    def receive(self, data: memoryview) -> None:
        """Take what was read; raises ProtocolError when the connection cannot go on."""
        if self._broken:
            raise ProtocolError("WebSocket connection is broken already")
        try:
            self._receive(data)
        except ProtocolError:
            self._broken = True
            raise

    def _receive(self, data: memoryview) -> None:
        at, end = 0, len(data)
        while at < end and not self._closed:
            if self._left:
                stop = min(at + self._left, end)
                self._payload(data[at:stop])
                at = stop
                continue
            need = _header_size(self._head)
            if len(self._head) < need:
                take = min(need - len(self._head), end - at)
                self._head += data[at : at + take]
                at += take
            if len(self._head) == _header_size(self._head):
                self._start(self._head)
                self._head.clear()

    def _start(self, head: bytearray) -> None:
        opcode, final, masked = head[0] & 0x0F, bool(head[0] & 0x80), bool(head[1] & 0x80)
        if head[0] & 0x70:
            raise ProtocolError("WebSocket frame uses extensions that were not agreed on")
        if masked == self._client:
            raise ProtocolError("WebSocket frame is masked by the wrong side")
        length = head[1] & 0x7F
        if length == 126:
            (length,) = _U16.unpack_from(head, 2)
        elif length == 127:
            (length,) = _U64.unpack_from(head, 2)
            if length >> 63:
                raise ProtocolError("WebSocket frame length has its highest bit set")
        self._key = bytes(head[-4:]) if masked else b""
        self._key_at = 0
        self._left = length
        if opcode & 0x8:
            if opcode not in (Opcode.CLOSE, Opcode.PING, Opcode.PONG):
                raise ProtocolError(f"WebSocket control frame of unknown type {opcode}")
            if not final or length > 125:
                raise ProtocolError("WebSocket control frame is fragmented or longer than 125 bytes")
            self._control = opcode
            self._control_body.clear()
            if not length:
                self._control_end()
            return
        if opcode == Opcode.TEXT and self._messages is None:
            raise ProtocolError("WebSocket text message where only binary ones belong")
        if opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONTINUATION):
            raise ProtocolError(f"WebSocket data frame of unknown type {opcode}")
        if (opcode == Opcode.CONTINUATION) != self._in_message:
            raise ProtocolError("WebSocket continuation frame out of order")
        self._in_message = not final
        if self._messages is not None:
            if opcode != Opcode.CONTINUATION:
                self._messages.on_begin(text=opcode == Opcode.TEXT)
            if not length and final:
                self._messages.on_end()

    def _payload(self, part: memoryview) -> None:
        self._left -= len(part)
        if self._key and any(self._key):
            key = self._key[self._key_at :] + self._key[: self._key_at]
            self._key_at = (self._key_at + len(part)) % 4
            part = memoryview(apply_mask(part, key))
        if self._control is None:
            self._listener.on_payload(part)
            if self._messages is not None and not self._left and not self._in_message:
                self._messages.on_end()
            return
        self._control_body += part
        if not self._left:
            self._control_end()

    def _control_end(self) -> None:
        opcode, self._control = self._control, None
        body = bytes(self._control_body)
        if opcode == Opcode.PING:
            # The last one may stand for all that are unanswered (section 5.5.3), so a flood of pings holds nothing.
            self._pong = self._frame(Opcode.PONG, body)
        elif opcode == Opcode.CLOSE:
            if len(body) == 1:
                raise ProtocolError("WebSocket Close frame with half a status code")
            self._closed = True
            code = _U16.unpack_from(body)[0] if body else 1005
            self._listener.on_close(code, body[2:].decode("utf-8", "replace"))


def _header(opcode: int, length: int, key: bytes) -> bytes:
    masked = 0x80 if key else 0
    if length < 126:
        return bytes((0x80 | opcode, masked | length)) + key
    if length < 65536:
        return bytes((0x80 | opcode, masked | 126)) + _U16.pack(length) + key
    return bytes((0x80 | opcode, masked | 127)) + _U64.pack(length) + key


def _header_size(head: bytearray) -> int:
    """How long the header that begins like this is, as far as its first bytes tell."""
    if len(head) < 2:
        return 2
    return 2 + {126: 2, 127: 8}.get(head[1] & 0x7F, 0) + (4 if head[1] & 0x80 else 0)


def apply_mask(data: bytes | memoryview, key: bytes) -> bytes:
    """XOR with a repeated four-byte key (section 5.3), as one long integer: 1 GB/s, a hundred times a loop."""
    size = len(data)
    pad = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "little") ^ int.from_bytes(pad, "little")).to_bytes(size, "little")
