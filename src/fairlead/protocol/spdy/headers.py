"""Header blocks: name/value pairs in one zlib stream per direction (SPDY Draft 3.1, section 2.6.10).

Every block of a connection shares one compression state, so blocks are made in the order in which they are sent, and
every received block is inflated even when its stream is refused.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

from fairlead.errors import ProtocolError
from fairlead.protocol.spdy.dictionary import DICTIONARY

MAX_BLOCK = 64 * 1024
"""Bytes of one uncompressed block. Kubernetes needs about 60; a block that inflates without end stops here."""

MAX_PAIRS = 256

_U32 = struct.Struct(">I")


class HeaderEncoder:
    """Compresses the blocks of one direction."""

    def __init__(self) -> None:
        # Memory level 5 instead of 8: a lane's blocks are tiny, and hundreds of lanes may be open.
        self._deflate = zlib.compressobj(9, zlib.DEFLATED, 15, 5, zlib.Z_DEFAULT_STRATEGY, DICTIONARY)

    def encode(self, headers: Mapping[str, str]) -> bytes:
        """One block; names in lower case."""
        parts = [_U32.pack(len(headers))]
        for name, value in headers.items():
            for text in (name.encode("latin-1"), value.encode("latin-1")):
                parts += (_U32.pack(len(text)), text)
        return self._deflate.compress(b"".join(parts)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)


class HeaderDecoder:
    """Inflates the blocks of one direction; holds no more than MAX_BLOCK bytes of a block."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(15, DICTIONARY)

    def decode(self, block: bytes) -> dict[str, str]:
        """Raise ProtocolError if the block is no complete, well-formed list of pairs."""
        try:
            raw = self._inflate.decompress(block, MAX_BLOCK)
        except zlib.error as error:
            raise ProtocolError(f"SPDY header block does not inflate: {error}") from None
        if self._inflate.unconsumed_tail or self._inflate.unused_data:
            raise ProtocolError(f"SPDY header block is larger than {MAX_BLOCK} bytes or has bytes behind its end")
        return parse_block(raw)


def parse_block(raw: bytes) -> dict[str, str]:
    """Pairs of an inflated block; values that are several stay joined by NUL."""
    headers: dict[str, str] = {}
    try:
        (count,) = _U32.unpack_from(raw, 0)
        if count > MAX_PAIRS:
            raise ProtocolError(f"SPDY header block has {count} pairs, more than {MAX_PAIRS}")
        at = 4
        for _ in range(count):
            name, at = _text(raw, at)
            value, at = _text(raw, at)
            if not name or name in headers:
                raise ProtocolError("SPDY header block has an empty or repeated name")
            headers[name] = value
    except struct.error:
        raise ProtocolError("SPDY header block ends in the middle of a pair") from None
    if at != len(raw):
        raise ProtocolError("SPDY header block has bytes behind its last pair")
    return headers


def _text(raw: bytes, at: int) -> tuple[str, int]:
    (size,) = _U32.unpack_from(raw, at)
    end = at + 4 + size
    if end > len(raw):
        raise ProtocolError("SPDY header block ends in the middle of a pair")
    # Latin-1 maps every byte, so that a strange value is refused by its meaning and never by its encoding.
    return raw[at + 4 : end].decode("latin-1"), end
