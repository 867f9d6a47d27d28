"""WebSocket frames as right or as wrong as a test wants them, made without the code under test (RFC 6455, 5.2)."""

from __future__ import annotations

import struct
from functools import cache

KEY = bytes.fromhex("37fa213d")


def masked(payload: bytes, key: bytes) -> bytes:
    out = bytearray(payload)
    for lane in range(4):
        out[lane::4] = payload[lane::4].translate(_salted(key[lane]))
    return bytes(out)


@cache
def _salted(salt: int) -> bytes:
    return bytes(byte ^ salt for byte in range(256))


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    key: bytes | None = None,
    final: bool = True,
    reserved: int = 0,
    length: int | None = None,
    form: int | None = None,
) -> bytes:
    """One frame; ``key`` masks it, ``length`` lies about its payload, ``form`` forces the 16 or 64 bit length."""
    size = len(payload) if length is None else length
    if form is None:
        form = 7 if size < 126 else 16 if size < 65536 else 64
    mask = 0 if key is None else 0x80
    head = bytes([(0x80 if final else 0) | reserved << 4 | opcode])
    head += {
        7: lambda: bytes([mask | size]),
        16: lambda: struct.pack(">BH", mask | 126, size),
        64: lambda: struct.pack(">BQ", mask | 127, size),
    }[form]()
    return head + (payload if key is None else key + masked(payload, key))
