from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.errors import ProtocolError
from fairlead.protocol.spdy.dictionary import DICTIONARY
from fairlead.protocol.spdy.headers import MAX_BLOCK, MAX_PAIRS, HeaderDecoder, HeaderEncoder, parse_block

NAMES = st.text(st.characters(max_codepoint=255), min_size=1, max_size=20)
VALUES = st.text(st.characters(max_codepoint=255), max_size=60)


def pairs(*texts: str, count: int | None = None) -> bytes:
    """An uncompressed block of name, value, name, value..."""
    parts = [struct.pack(">I", len(texts) // 2 if count is None else count)]
    parts += [struct.pack(">I", len(text)) + text.encode("latin-1") for text in texts]
    return b"".join(parts)


def go_like_blocks(*raw: bytes) -> list[bytes]:
    """As Go's compress/zlib makes them: level 9, default memory, one sync flush a block."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, 15, 8, zlib.Z_DEFAULT_STRATEGY, DICTIONARY)
    return [deflate.compress(block) + deflate.flush(zlib.Z_SYNC_FLUSH) for block in raw]


def test_first_block_names_the_dictionary_and_every_block_ends_in_a_sync_flush() -> None:
    encoder = HeaderEncoder()
    blocks = [encoder.encode({"streamtype": "data", "port": "80", "requestid": str(n)}) for n in range(3)]
    assert blocks[0].startswith(bytes.fromhex("78 f9 e3c6a7c2"))
    assert all(block.endswith(b"\x00\x00\xff\xff") for block in blocks)
    assert not blocks[1].startswith(b"\x78\xf9")
    inflate = zlib.decompressobj(15, DICTIONARY)
    assert [parse_block(inflate.decompress(block))["requestid"] for block in blocks] == ["0", "1", "2"]


def test_reads_what_a_go_peer_compresses() -> None:
    decoder = HeaderDecoder()
    for n, block in enumerate(go_like_blocks(*(pairs("port", "80", "requestid", str(n)) for n in range(1000)))):
        assert decoder.decode(block) == {"port": "80", "requestid": str(n)}


@pytest.mark.parametrize("level", range(10))
@pytest.mark.parametrize("strategy", [zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE])
def test_reads_any_level_and_strategy(level: int, strategy: int) -> None:
    deflate = zlib.compressobj(level, zlib.DEFLATED, 15, 9, strategy, DICTIONARY)
    block = deflate.compress(pairs("streamtype", "error")) + deflate.flush(zlib.Z_SYNC_FLUSH)
    assert HeaderDecoder().decode(block) == {"streamtype": "error"}


@settings(deadline=None)
@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=6), max_size=8))
def test_decoder_undoes_the_encoder_for_any_blocks_in_order(blocks: list[dict[str, str]]) -> None:
    encoder, decoder = HeaderEncoder(), HeaderDecoder()
    assert [decoder.decode(encoder.encode(block)) for block in blocks] == blocks


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_headers_or_a_protocol_error(raw: bytes) -> None:
    for decode in (parse_block, HeaderDecoder().decode):
        try:
            decode(raw)
        except ProtocolError:
            pass


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_inflated_bytes_are_headers_or_a_protocol_error(raw: bytes) -> None:
    try:
        HeaderDecoder().decode(go_like_blocks(raw)[0])
    except ProtocolError:
        pass


WELL_FORMED = {
    "none": (pairs(), {}),
    "one": (pairs("port", "80"), {"port": "80"}),
    "empty value": (pairs("a", ""), {"a": ""}),
    "several values": (pairs("a", "x\0y"), {"a": "x\0y"}),
    "upper case is kept": (pairs("Port", "80"), {"Port": "80"}),
    "any byte": (pairs("a", "\xff\x00\x80"), {"a": "\xff\x00\x80"}),
    "as many as may be": (
        pairs(*(text for n in range(MAX_PAIRS) for text in (f"n{n}", ""))),
        {f"n{n}": "" for n in range(MAX_PAIRS)},
    ),
}


@pytest.mark.parametrize(("raw", "headers"), WELL_FORMED.values(), ids=WELL_FORMED)
def test_a_well_formed_block_is_read(raw: bytes, headers: dict[str, str]) -> None:
    assert parse_block(raw) == headers


MALFORMED = {
    "nothing": (b"", "middle of a pair"),
    "half a count": (b"\0\0\0", "middle of a pair"),
    "missing pair": (pairs("a", "b", count=2), "middle of a pair"),
    "missing value": (pairs("a", count=1), "middle of a pair"),
    "long name": (struct.pack(">II", 1, 0xFFFFFFFF) + b"a", "middle of a pair"),
    "value one short": (pairs("a", "bc")[:-1], "middle of a pair"),
    "empty name": (pairs("", "b"), "empty or repeated"),
    "repeated name": (pairs("a", "b", "a", "c"), "empty or repeated"),
    "junk behind": (pairs("a", "b") + b"x", "behind its last pair"),
    "too many": (pairs(count=MAX_PAIRS + 1), "more than 256"),
    "count without end": (pairs(count=0xFFFFFFFF), "more than 256"),
}


@pytest.mark.parametrize(("raw", "message"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_block_is_refused(raw: bytes, message: str) -> None:
    with pytest.raises(ProtocolError, match=re.escape(message)):
        parse_block(raw)
    with pytest.raises(ProtocolError):
        HeaderDecoder().decode(go_like_blocks(raw)[0])


def not_compressed() -> bytes:
    return pairs("a", "b")


def other_dictionary() -> bytes:
    deflate = zlib.compressobj(9, zlib.DEFLATED, 15, 8, zlib.Z_DEFAULT_STRATEGY, b"another dictionary")
    return deflate.compress(pairs("a", "b")) + deflate.flush(zlib.Z_SYNC_FLUSH)


def finished_with_junk() -> bytes:
    deflate = zlib.compressobj(9, zlib.DEFLATED, 15, 8, zlib.Z_DEFAULT_STRATEGY, DICTIONARY)
    return deflate.compress(pairs("a", "b")) + deflate.flush(zlib.Z_FINISH) + b"junk"


def bomb() -> bytes:
    return go_like_blocks(pairs("a", "x" * (50 * MAX_BLOCK)))[0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (not_compressed, "does not inflate"),
        (other_dictionary, "does not inflate"),
        (finished_with_junk, "behind its end"),
        (bomb, "larger than"),
        (lambda: go_like_blocks(pairs("a", "b"))[0][:-8], "middle of a pair"),
        (lambda: b"", "middle of a pair"),
    ],
)
def test_bad_compression_is_refused(make: Callable[[], bytes], message: str) -> None:
    with pytest.raises(ProtocolError, match=message):
        HeaderDecoder().decode(make())


def test_a_block_of_the_largest_size_is_read() -> None:
    value = "x" * (MAX_BLOCK - len(pairs("a", "")))
    assert HeaderDecoder().decode(go_like_blocks(pairs("a", value))[0]) == {"a": value}
    with pytest.raises(ProtocolError):
        HeaderDecoder().decode(go_like_blocks(pairs("a", value + "x"))[0])
