"""One engine against hand-made frames: what is fatal, chunks, replies, endings and limits."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from fairlead.errors import ProtocolError
from fairlead.protocol.spdy import frames
from fairlead.protocol.spdy.frames import FLAG_FIN, FrameType, Status
from fairlead.protocol.spdy.headers import MAX_BLOCK, HeaderDecoder
from fairlead.protocol.spdy.session import MAX_CONTROL, Role
from tests.support.engines import End, client_with_stream, control, pieces, u32

# -- what is fatal, and what is only ignored --

FATAL: dict[str, tuple[Callable[[End], bytes], str]] = {
    **{f"type {kind}": (lambda end, kind=kind: control(kind), f"unknown type {kind}") for kind in (0, 5, 10, 0xFFFF)},  # type: ignore[misc]
    "syn_stream short": (lambda end: control(1, bytes(9)), "SYN_STREAM is too short"),
    "syn_stream empty": (lambda end: control(1), "SYN_STREAM is too short"),
    "syn_stream 0": (lambda end: frames.syn_stream(0, end.block()), "for stream 0"),
    "syn_stream bad block": (lambda end: frames.syn_stream(3, b"no zlib"), "does not inflate"),
    "syn_stream no block": (lambda end: frames.syn_stream(3, b""), "middle of a pair"),
    "syn_reply short": (lambda end: control(2, bytes(3)), "SYN_REPLY is too short"),
    "syn_reply bad block": (lambda end: frames.syn_reply(1, b"no zlib"), "does not inflate"),
    "rst short": (lambda end: control(3, bytes(7)), "RST_STREAM of 7 bytes"),
    "rst long": (lambda end: control(3, bytes(9)), "RST_STREAM of 9 bytes"),
    "rst empty": (lambda end: control(3), "RST_STREAM of 0 bytes"),
    "rst status 0": (lambda end: frames.rst_stream(1, 0), "status 0"),
    "settings short": (lambda end: control(4, bytes(3)), "SETTINGS count"),
    "settings count": (lambda end: control(4, u32(2) + bytes(8)), "SETTINGS count"),
    "settings huge count": (lambda end: control(4, u32(0xFFFFFFFF)), "SETTINGS count"),
    "ping 0": (lambda end: frames.ping(0), "id 0"),
    "ping flags": (lambda end: control(6, u32(2), flags=1), "flags"),
    "ping short": (lambda end: control(6, bytes(3)), "wrong length"),
    "ping long": (lambda end: control(6, bytes(8)), "wrong length"),
    "goaway flags": (lambda end: control(7, u32(0, 0), flags=1), "flags"),
    "goaway short": (lambda end: control(7, u32(0)), "GOAWAY of 4 bytes"),
    "headers short": (lambda end: control(8, bytes(3)), "HEADERS is too short"),
    "headers bad block": (lambda end: control(8, u32(1) + b"no zlib"), "does not inflate"),
    "window_update short": (lambda end: control(9, u32(1)), "WINDOW_UPDATE of 4 bytes"),
    "control too large": (lambda end: control(4, length=MAX_CONTROL + 1), "larger than"),
    "control as large as can be": (lambda end: control(1, length=frames.MAX_LENGTH), "larger than"),
    "header bomb": (lambda end: frames.syn_stream(3, end.block(a="x" * MAX_BLOCK)), "larger than"),
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("make", "message"), FATAL.values(), ids=FATAL)
@pytest.mark.parametrize("size", [0, 1], ids=["whole", "bytewise"])
def test_what_breaks_the_session_breaks_it_for_good(
    role: Role, make: Callable[[End], bytes], message: str, size: int
) -> None:
    end = End(role)
    with pytest.raises(ProtocolError, match=message):
        end.receive(make(end), size=size)
    with pytest.raises(ProtocolError, match="broken already"):
        end.receive(frames.ping(1))
    assert "broken" in repr(end.session)


IGNORED: dict[str, Callable[[End], bytes]] = {
    "settings": lambda end: control(4, u32(1, 0x04000007, 65536)),
    "settings none": lambda end: control(4, u32(0)),
    "window_update": lambda end: control(9, u32(1, 100)),
    "window_update for nobody": lambda end: control(9, u32(99, 0)),
    "headers for nobody": lambda end: control(8, u32(99) + end.block(a="b")),
    "headers": lambda end: control(8, u32(1) + end.block(a="b")),
    "data for nobody": lambda end: frames.data(99, b"lost", fin=True),
    "data for stream 0": lambda end: frames.data(0, b"lost"),
    "data with unknown flags": lambda end: bytes.fromhex("00000063 fe 000001 00"),
    "reply for nobody": lambda end: frames.syn_reply(99, end.block()),
    "reset for nobody": lambda end: frames.rst_stream(99, 5),
    "empty data": lambda end: frames.data(1),
}


@pytest.mark.parametrize("make", IGNORED.values(), ids=IGNORED)
@pytest.mark.parametrize("size", [0, 1, 3], ids=["whole", "bytewise", "threes"])
def test_what_is_ignored_disturbs_nothing_that_follows(make: Callable[[End], bytes], size: int) -> None:
    end, ident, stream = client_with_stream()
    # What follows is still understood, header blocks included.
    rest = frames.data(ident, b"next")
    assert end.receive(make(end), rest, size=size) == b""
    assert stream.events == [("data", b"next")]
    assert end.receive(frames.syn_reply(77, end.block(after="wards")), size=size) == b""


def test_version_of_control_frames_is_not_checked() -> None:
    end = End(Role.CLIENT)
    assert end.receive(control(6, u32(2), version=2)) == frames.ping(2)


@pytest.mark.parametrize("status", [*Status, 0xFFFFFFFF])
def test_reset_carries_any_status(status: int) -> None:
    end, ident, stream = client_with_stream()
    assert end.receive(frames.rst_stream(ident, status)) == b""
    assert stream.events == [("reset", status)]
    assert end.session.streams == 0


def test_reserved_bit_of_a_stream_id_is_ignored() -> None:
    end, ident, stream = client_with_stream()
    end.receive(frames.rst_stream(ident | 0x80000000, 5))
    assert stream.dead


# -- chunks --


def script(end: End, ident: int) -> bytes:
    """Every frame type a peer may send, for a client with an open stream."""
    return b"".join((
        control(4, u32(1, 0x04000007, 1)), frames.ping(2), frames.data(ident, b"first"), frames.ping(1),
        frames.data(ident, bytes(range(256)) * 3), control(9, u32(ident, 1)), control(8, u32(ident) + end.block(x="y")),
        frames.data(99, b"nobody's"), frames.syn_stream(2, end.block(a="b")), frames.data(2, b"second", fin=True),
        frames.syn_stream(4, end.block(a="c"), fin=True), frames.rst_stream(2, 5), frames.data(ident, fin=True),
        frames.data(ident, b"too late"), frames.goaway(0, 1), frames.ping(4),
    ))  # fmt: skip


def outcome(cut: Callable[[bytes], list[bytes]]) -> tuple[list[tuple[object, ...]], bytes]:
    end, ident, _ = client_with_stream()
    answers = [end.receive(piece) for piece in cut(script(end, ident))]
    return end.told.log, b"".join(answers)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 13, 64])
def test_pieces_of_any_size_say_the_same(size: int) -> None:
    whole = outcome(lambda wire: [wire])
    assert outcome(lambda wire: list(pieces(wire, size))) == whole
    assert whole[0][-1] == ("session", "goaway", 0, 1)
    assert len(whole[0]) > 8


def test_pieces_of_random_sizes_say_the_same() -> None:
    whole = outcome(lambda wire: [wire])
    for seed in range(200):
        chance = random.Random(seed)

        def cut(wire: bytes, chance: random.Random = chance) -> list[bytes]:
            parts = []
            while wire:
                size = chance.randrange(0, 40)
                parts.append(wire[:size])
                wire = wire[size:]
            return parts

        assert outcome(cut) == whole


def test_data_views_are_parts_of_what_was_passed_in() -> None:
    """No copy on the way in: the listener sees the caller's own buffer."""
    end, ident, stream = client_with_stream()
    seen: list[object] = []
    stream.on_data = lambda data: seen.append(data.obj)  # type: ignore[method-assign]
    buffer = bytearray(frames.data(ident, b"payload"))
    end.session.receive(memoryview(buffer))
    assert seen == [buffer]
    assert seen[0] is buffer


# -- replies --


def test_a_reply_may_end_the_far_half() -> None:
    end = End(Role.CLIENT)
    ident, stream = end.open()
    end.receive(control(2, u32(ident) + end.block(), flags=FLAG_FIN))
    assert stream.events == [("reply", {}), ("fin",)]
    end.session.fin(ident)
    assert end.session.streams == 0


def test_replies_in_any_order() -> None:
    end = End(Role.CLIENT)
    streams = dict(end.open(str(n)) for n in range(4))
    for ident in (5, 1, 7, 3):
        end.receive(frames.syn_reply(ident, end.block()))
    assert all(stream.accepted for stream in streams.values())


def test_late_reply_and_late_data_are_ignored_and_inflated() -> None:
    end = End(Role.CLIENT)
    ident, stream = end.open()
    end.session.reset(ident)
    end.session.take_outgoing()
    assert (
        end.receive(frames.syn_reply(ident, end.block(a="b")), frames.data(ident, b"late"), frames.rst_stream(ident, 5))
        == b""
    )
    assert stream.events == []
    second, other = end.open()
    end.receive(frames.syn_reply(second, end.block(a="b")))
    assert other.events == [("reply", {"a": "b"})]


def test_repeated_reply_is_ignored() -> None:
    end, ident, stream = client_with_stream()
    end.receive(frames.syn_reply(ident, end.block()), control(2, u32(ident) + end.block(), flags=FLAG_FIN))
    assert stream.events == []


def test_data_before_the_reply_ends_that_stream_only() -> None:
    end = End(Role.CLIENT)
    early, stream = end.open("early")
    good, other = end.open("good")
    end.session.take_outgoing()
    answer = end.receive(frames.data(early, b"x"), frames.syn_reply(good, end.block()), frames.data(good, b"y"))
    assert answer == frames.rst_stream(early, Status.PROTOCOL_ERROR)
    assert stream.events == [("reset", Status.PROTOCOL_ERROR)]
    assert other.events == [("reply", {}), ("data", b"y")]


# -- endings --


def test_largest_data_frame_in_pieces() -> None:
    end, ident, stream = client_with_stream()
    payload = random.Random(1).randbytes(frames.MAX_LENGTH)
    for piece in pieces(frames.data(ident, payload, fin=True), 1 << 20):
        end.receive(piece)
    assert stream.data == payload
    assert stream.ended


def test_a_payload_that_is_too_long_for_one_frame_is_sent_in_several() -> None:
    end, ident, _ = client_with_stream()
    payload = random.Random(2).randbytes(frames.MAX_LENGTH + 5)
    end.session.send_data(ident, payload, fin=True)
    first = frames.data(ident, payload[: frames.MAX_LENGTH])
    assert end.session.take_outgoing() == first + frames.data(ident, payload[frames.MAX_LENGTH :], fin=True)


def test_reset_within_a_data_frame_silences_the_rest_of_it() -> None:
    end, ident, stream = client_with_stream()
    stream.on_piece = lambda piece: end.session.reset(ident)
    wire = frames.data(ident, b"one two three", fin=True) + frames.ping(2)
    assert end.receive(wire, size=11) == frames.rst_stream(ident, Status.CANCEL) + frames.ping(2)
    assert stream.events == [("data", b"one")]


def test_fin_from_inside_the_last_data() -> None:
    end, ident, stream = client_with_stream()
    stream.on_piece = lambda piece: end.session.fin(ident)
    assert end.receive(frames.data(ident, b"x", fin=True)) == frames.data(ident, fin=True)
    assert stream.events == [("data", b"x"), ("fin",)]
    assert end.session.streams == 0


def test_reset_of_a_stream_that_is_done_says_nothing() -> None:
    end, ident, _ = client_with_stream()
    end.session.fin(ident)
    end.receive(frames.data(ident, fin=True))
    end.session.take_outgoing()
    end.session.reset(ident)
    assert end.session.take_outgoing() == b""
    assert not end.session.may_send(ident)


def test_send_data_of_nothing_is_nothing() -> None:
    end, ident, _ = client_with_stream()
    end.session.send_data(ident, b"")
    assert end.session.take_outgoing() == b""


def test_data_header_is_what_the_hot_path_puts_before_its_payload() -> None:
    end, ident, _ = client_with_stream()
    buffer = bytearray(b"........payload")
    end.session.data_header_into(buffer, 0, ident, 7)
    assert bytes(buffer) == frames.data(ident, b"payload")


# -- blocks and limits --


def test_a_thousand_opens_decode_in_order() -> None:
    end = End(Role.CLIENT)
    for n in range(1000):
        end.open(port="80", requestid=str(n), streamtype="data")
    decoder, wire = HeaderDecoder(), end.session.take_outgoing()
    for n in range(1000):
        length = int.from_bytes(wire[5:8], "big")
        assert decoder.decode(wire[18 : 8 + length])["requestid"] == str(n)
        wire = wire[8 + length :]
    assert not wire


def test_what_it_answers_by_itself_is_no_longer_than_what_asked() -> None:
    end = End(Role.SERVER, max_streams=0)
    asked = b"".join(frames.syn_stream(n, end.block()) + frames.ping(n) for n in range(1, 401, 2))
    assert len(end.receive(asked)) <= len(asked)


def test_a_control_frame_of_the_largest_size() -> None:
    end = End(Role.CLIENT)
    count = (MAX_CONTROL - 4) // 8
    end.receive(control(FrameType.SETTINGS, u32(count) + bytes(8 * count)), size=1000)
    end.receive(frames.ping(2))
    assert end.session.streams == 0


def test_repr_is_a_status_line() -> None:
    end, _, _ = client_with_stream()
    assert repr(end.session) == "<spdy client open streams=1>"
