"""Header blocks: what is read is, written again, the same bytes; and any well-formed headers survive the way."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

from fairlead.protocol.spdy.dictionary import DICTIONARY
from fairlead.protocol.spdy.headers import MAX_BLOCK, HeaderDecoder, HeaderEncoder
from fuzz.harness import Feed
from fuzz.program import Program

HELD = 64 * 1024  # the windows of zlib
PEAK = 6 * MAX_BLOCK + 128 * 1024


def written(headers: Mapping[str, str]) -> bytes:
    parts = [struct.pack(">I", len(headers))]
    for pair in headers.items():
        parts += (struct.pack(">I", len(text)) + text.encode("latin-1") for text in pair)
    return b"".join(parts)


def play(program: Program, feed: Feed) -> None:
    decoder, encoder = HeaderDecoder(), HeaderEncoder()
    deflate = zlib.compressobj(program.number(10), zlib.DEFLATED, 15, 8, zlib.Z_DEFAULT_STRATEGY, DICTIONARY)
    raw = b""

    def decode(block: memoryview) -> None:
        headers = decoder.decode(bytes(block))
        assert not raw or written(headers) == raw
        feed.log.append(headers)

    feed.measure()
    ours = program.flag()
    while program.more:
        if ours:
            headers = {program.text().decode("latin-1") or "x": program.text().decode("latin-1")}
            block, raw = encoder.encode(headers), written(headers)
        elif program.number(4):
            raw = b"".join(struct.pack(">I", program.number(4)) if program.flag() else program.text() for _ in range(4))
            raw *= 1 << (4 * program.number(4))
            block = deflate.compress(raw) + deflate.flush(zlib.Z_SYNC_FLUSH)
        else:
            block, raw = program.text(), b""
        # A block is decoded whole, whatever pieces its frame came in.
        decode(memoryview(block))
        feed(lambda piece: None, block, lambda: b"")
