from __future__ import annotations

import pytest

from fairlead.protocol.spdy import frames

# (made, the bytes of SPDY Draft 3.1 section 2.6)
FRAMES = {
    "data": (frames.data(3, b"hello"), "00000003 00 000005 68656c6c6f"),
    "data fin": (frames.data(3, b"hi", fin=True), "00000003 01 000002 6869"),
    "empty fin": (frames.data(0x7FFFFFFF, fin=True), "7fffffff 01 000000"),
    "syn_stream": (frames.syn_stream(5, b"BLOCK"), "8003 0001 00 00000f 00000005 00000000 00 00 424c4f434b"),
    "syn_stream fin": (frames.syn_stream(5, b"", fin=True), "8003 0001 01 00000a 00000005 00000000 00 00"),
    "syn_reply": (frames.syn_reply(5, b"BLOCK"), "8003 0002 00 000009 00000005 424c4f434b"),
    "rst_stream": (frames.rst_stream(7, frames.Status.CANCEL), "8003 0003 00 000008 00000007 00000005"),
    "ping": (frames.ping(9), "8003 0006 00 000004 00000009"),
    "goaway": (frames.goaway(11), "8003 0007 00 000008 0000000b 00000000"),
    "goaway status": (frames.goaway(11, 2), "8003 0007 00 000008 0000000b 00000002"),
}


@pytest.mark.parametrize(("made", "wire"), FRAMES.values(), ids=FRAMES)
def test_frames_are_laid_out_as_spdy_says(made: bytes, wire: str) -> None:
    assert made == bytes.fromhex(wire)


@pytest.mark.parametrize("kind", [bytearray, lambda data: memoryview(bytearray(data))], ids=["bytearray", "memoryview"])
def test_data_header_is_written_in_place(kind: type[bytearray]) -> None:
    buffer = kind(b"-" * 12)
    frames.data_header_into(buffer, 2, 5, 0x012345, frames.FLAG_FIN)
    assert bytes(buffer) == b"--" + bytes.fromhex("00000005 01 012345") + b"--"


def test_the_longest_data_frame_has_all_ones_for_its_length() -> None:
    made = frames.data(1, bytes(frames.MAX_LENGTH))
    assert made[:8] == bytes.fromhex("00000001 00 ffffff")


def test_a_longer_data_frame_is_refused_and_not_written_with_other_flags() -> None:
    with pytest.raises(ValueError, match="cannot have 16777216 bytes"):
        frames.data(1, bytes(frames.MAX_LENGTH + 1))
    with pytest.raises(ValueError, match="cannot have 16777216 bytes"):
        frames.data_header_into(bytearray(8), 0, 1, frames.MAX_LENGTH + 1)


def test_numbers_are_the_drafts() -> None:
    assert [kind.value for kind in frames.FrameType] == [1, 2, 3, 4, 6, 7, 8, 9]
    assert [status.value for status in frames.Status] == list(range(1, 12))
