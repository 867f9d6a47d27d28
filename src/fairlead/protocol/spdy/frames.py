"""SPDY/3.1 frames: numbers, layouts and the bytes of each frame that Kubernetes uses (SPDY Draft 3.1, section 2).

Control frame: u16 0x8003, u16 type, u8 flags, u24 length, body. Data frame: u32 stream, u8 flags, u24 length, bytes.
"""

from __future__ import annotations

import struct
from enum import IntEnum

HEADER_SIZE = 8
MAX_LENGTH = (1 << 24) - 1
"""Bytes after the head of a frame: what 24 bits can say."""
MAX_STREAM_ID = 0x7FFFFFFF
FLAG_FIN = 0x01

_CONTROL = 0x80030000
_HEAD = struct.Struct(">II")
_CONTROL_U32 = struct.Struct(">III")
_CONTROL_2U32 = struct.Struct(">IIII")
_SYN_STREAM = struct.Struct(">IIIIBB")

unpack_head = _HEAD.unpack_from
"""(first word, flags << 24 | length) of the 8 bytes at an offset."""


class FrameType(IntEnum):
    """Control frame types (section 2.6)."""

    SYN_STREAM = 1
    SYN_REPLY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PING = 6
    GOAWAY = 7
    HEADERS = 8
    WINDOW_UPDATE = 9


class Status(IntEnum):
    """RST_STREAM status codes (section 2.6.3)."""

    PROTOCOL_ERROR = 1
    INVALID_STREAM = 2
    REFUSED_STREAM = 3
    UNSUPPORTED_VERSION = 4
    CANCEL = 5
    INTERNAL_ERROR = 6
    FLOW_CONTROL_ERROR = 7
    STREAM_IN_USE = 8
    STREAM_ALREADY_CLOSED = 9
    INVALID_CREDENTIALS = 10
    FRAME_TOO_LARGE = 11


def data_header_into(buffer: bytearray | memoryview, offset: int, stream: int, length: int, flags: int = 0) -> None:
    """Write the 8 bytes that go before ``length`` bytes of payload, in place; MAX_LENGTH of them at most."""
    if length > MAX_LENGTH:
        raise ValueError(f"a SPDY frame cannot have {length} bytes")
    _HEAD.pack_into(buffer, offset, stream, flags << 24 | length)


def data(stream: int, payload: bytes = b"", *, fin: bool = False) -> bytes:
    """A whole DATA frame of MAX_LENGTH bytes at most; ``fin`` ends the sender's half of the stream."""
    if len(payload) > MAX_LENGTH:
        raise ValueError(f"a SPDY frame cannot have {len(payload)} bytes")
    return _HEAD.pack(stream, (FLAG_FIN if fin else 0) << 24 | len(payload)) + payload


def syn_stream(stream: int, block: bytes, *, fin: bool = False) -> bytes:
    """Open a stream; ``block`` is its compressed header block. Associated stream, priority and slot are 0."""
    flags = FLAG_FIN if fin else 0
    head = _CONTROL | FrameType.SYN_STREAM
    return _SYN_STREAM.pack(head, flags << 24 | 10 + len(block), stream, 0, 0, 0) + block


def syn_reply(stream: int, block: bytes) -> bytes:
    """Accept a stream."""
    return _CONTROL_U32.pack(_CONTROL | FrameType.SYN_REPLY, 4 + len(block), stream) + block


def rst_stream(stream: int, status: int) -> bytes:
    """End a stream at once, both halves."""
    return _CONTROL_2U32.pack(_CONTROL | FrameType.RST_STREAM, 8, stream, status)


def ping(ident: int) -> bytes:
    """Ask for an echo of a non-zero id, or answer one."""
    return _CONTROL_U32.pack(_CONTROL | FrameType.PING, 4, ident)


def goaway(last_good: int, status: int = 0) -> bytes:
    """Say that the session ends; ``last_good`` is the last stream accepted from the peer."""
    return _CONTROL_2U32.pack(_CONTROL | FrameType.GOAWAY, 8, last_good, status)
