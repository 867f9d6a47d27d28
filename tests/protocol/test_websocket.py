from __future__ import annotations

import itertools
import random
import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Frame
from websockets.frames import Opcode as TheirOpcode
from websockets.protocol import CLIENT, SERVER
from websockets.protocol import Protocol as TheirProtocol

from fairlead.errors import ProtocolError
from fairlead.protocol.websocket import CloseCode, Opcode, WebSocket, accept_value, apply_mask
from tests.support.engines import Pair, pieces
from tests.support.frames import KEY, frame, masked

SIDES = pytest.mark.parametrize("client", [True, False], ids=["client", "server"])
SIZES = pytest.mark.parametrize("size", [0, 1, 3], ids=["whole", "bytewise", "threes"])


class Told:
    def __init__(self) -> None:
        self.payload = b""
        self.closed: tuple[int, str] | None = None

    def on_payload(self, data: memoryview) -> None:
        assert self.closed is None
        assert len(data)
        self.payload += data

    def on_close(self, code: int, reason: str) -> None:
        assert self.closed is None
        self.closed = code, reason


class End:
    def __init__(self, client: bool, mask: bytes = KEY) -> None:
        self.told = Told()
        self.socket = WebSocket(self.told, client=client, mask=lambda: mask)
        self.peers_key = None if client else KEY
        """With what the other side masks its frames."""

    def receive(self, *parts: bytes, size: int = 0) -> bytes:
        for piece in pieces(b"".join(parts), size):
            self.socket.receive(memoryview(piece))
        return self.socket.take_outgoing()

    def peer(self, opcode: int, payload: bytes = b"", *, final: bool = True, form: int | None = None) -> bytes:
        return frame(opcode, payload, key=self.peers_key, final=final, form=form)


def test_accept_value_is_the_rfcs_example() -> None:
    assert accept_value("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


# -- receiving --

LENGTHS = [0, 1, 2, 125, 126, 127, 4096, 65535, 65536, 70000]


@SIDES
@pytest.mark.parametrize("length", LENGTHS)
def test_message_of_any_length(client: bool, length: int) -> None:
    payload = random.Random(length).randbytes(length)
    for size in (0, 1) if length < 5000 else (0, 1000):
        end = End(client)
        assert end.receive(end.peer(Opcode.BINARY, payload), end.peer(Opcode.BINARY, b"next"), size=size) == b""
        assert end.told.payload == payload + b"next"


@SIDES
@pytest.mark.parametrize(("length", "form"), [(0, 16), (5, 16), (125, 64), (0, 64), (300, 64)])
def test_lengths_in_a_longer_form_than_needed_are_taken(client: bool, length: int, form: int) -> None:
    """Section 5.2 asks for the shortest; gorilla, which Kubernetes uses, does not check it either."""
    end = End(client)
    end.receive(end.peer(Opcode.BINARY, bytes(length), form=form), end.peer(Opcode.BINARY, b"next"))
    assert end.told.payload == bytes(length) + b"next"


@SIDES
@SIZES
def test_fragments_with_control_frames_between(client: bool, size: int) -> None:
    end = End(client)
    answer = end.receive(
        end.peer(Opcode.BINARY, b"one ", final=False),
        end.peer(Opcode.PING, b"are you there"),
        end.peer(Opcode.CONTINUATION, b"", final=False),
        end.peer(Opcode.PONG),
        end.peer(Opcode.CONTINUATION, b"two", final=False),
        end.peer(Opcode.CONTINUATION),
        end.peer(Opcode.BINARY, b" three"),
        size=size,
    )
    assert end.told.payload == b"one two three"
    assert answer == frame(Opcode.PONG, b"are you there", key=KEY if client else None)


@SIDES
@SIZES
def test_empty_messages_say_nothing(client: bool, size: int) -> None:
    end = End(client)
    empty = end.peer(Opcode.BINARY)
    assert end.receive(empty, empty, end.peer(Opcode.BINARY, b"x"), empty, size=size) == b""
    assert end.told.payload == b"x"


@pytest.mark.parametrize("key", [bytes(4), KEY, b"\xff\xff\xff\xff", b"\x00\x00\x00\x01"])
@pytest.mark.parametrize("size", range(1, 12))
def test_masks_in_pieces_of_any_size(key: bytes, size: int) -> None:
    end = End(client=False)
    payload = bytes(range(256))
    end.receive(frame(Opcode.BINARY, payload, key=key), frame(Opcode.BINARY, b"next", key=key), size=size)
    assert end.told.payload == payload + b"next"


def test_unmasked_payload_is_not_copied() -> None:
    for end, key in (End(True), None), (End(False), bytes(4)):
        seen: list[object] = []
        end.told.on_payload = lambda data: seen.append(data.obj)  # type: ignore[method-assign]  # noqa: B023
        buffer = bytearray(frame(Opcode.BINARY, b"payload", key=key))
        end.socket.receive(memoryview(buffer))
        assert seen[0] is buffer


@SIDES
def test_a_message_that_never_ends_holds_nothing(client: bool) -> None:
    end = End(client)
    end.receive(frame(Opcode.BINARY, length=(1 << 63) - 1, form=64, key=end.peers_key))
    for _ in range(100):
        end.told.payload = b""
        end.receive(bytes(1000))
        assert len(end.told.payload) == 1000
    assert not end.socket._head
    assert not end.socket._control_body


@SIDES
@SIZES
@pytest.mark.parametrize("payload", [b"", b"x", bytes(125)])
def test_pings_are_answered_with_their_payload(client: bool, size: int, payload: bytes) -> None:
    end = End(client)
    answer = end.receive(end.peer(Opcode.PING, payload), size=size)
    assert answer == frame(Opcode.PONG, payload, key=KEY if client else None)
    assert end.socket.take_outgoing() == b""


@SIDES
def test_a_flood_of_pings_is_answered_once(client: bool) -> None:
    end = End(client)
    answer = end.receive(*(end.peer(Opcode.PING, b"%d" % n) for n in range(10_000)))
    assert answer == frame(Opcode.PONG, b"9999", key=KEY if client else None)


CLOSES = {
    "normal": (struct.pack(">H", 1000), (1000, "")),
    "with a reason": (struct.pack(">H", 1001) + b"going away", (1001, "going away")),
    "without a code": (b"", (1005, "")),
    "reason that is no text": (struct.pack(">H", 4000) + b"\xff", (4000, "\ufffd")),
    "longest": (struct.pack(">H", 1011) + b"x" * 123, (1011, "x" * 123)),
}


@SIDES
@SIZES
@pytest.mark.parametrize(("body", "told"), CLOSES.values(), ids=CLOSES)
def test_a_close_is_told_with_its_code_and_nothing_behind_it_is_read(
    client: bool, size: int, body: bytes, told: tuple[int, str]
) -> None:
    end = End(client)
    junk = end.peer(Opcode.BINARY, b"behind"), b"\xff\xff junk \xff"
    end.receive(end.peer(Opcode.BINARY, b"before"), end.peer(Opcode.CLOSE, body), *junk, size=size)
    assert end.told.closed == told
    assert end.told.payload == b"before"


@SIDES
def test_a_close_may_come_in_the_middle_of_a_message(client: bool) -> None:
    end = End(client)
    end.receive(end.peer(Opcode.BINARY, b"half", final=False), end.peer(Opcode.CLOSE))
    assert (end.told.payload, end.told.closed) == (b"half", (1005, ""))


ERRORS: dict[str, tuple[Callable[[bytes | None], bytes], str]] = {
    "text": (lambda key: frame(1, b"hello", key=key), "text message"),
    **{f"opcode {n}": (lambda key, n=n: frame(n, key=key), f"unknown type {n}") for n in (3, 4, 5, 6, 7)},  # type: ignore[misc]
    **{f"opcode {n}": (lambda key, n=n: frame(n, key=key), f"unknown type {n}") for n in range(11, 16)},  # type: ignore[misc]
    **{f"rsv {n}": (lambda key, n=n: frame(2, b"x", reserved=n, key=key), "extensions") for n in range(1, 8)},  # type: ignore[misc]
    "rsv on a ping": (lambda key: frame(9, reserved=4, key=key), "extensions"),
    "wrong side masks": (lambda key: frame(2, b"x", key=KEY if key is None else None), "wrong side"),
    "wrong side masks a ping": (lambda key: frame(9, key=KEY if key is None else None), "wrong side"),
    "fragmented ping": (lambda key: frame(9, final=False, key=key), "fragmented or longer"),
    "fragmented close": (lambda key: frame(8, final=False, key=key), "fragmented or longer"),
    "long ping": (lambda key: frame(9, bytes(126), key=key), "fragmented or longer"),
    "long close": (lambda key: frame(8, length=1 << 40, form=64, key=key), "fragmented or longer"),
    "half a close code": (lambda key: frame(8, b"\x03", key=key), "half a status code"),
    "continuation first": (lambda key: frame(0, b"x", key=key), "out of order"),
    "message in a message": (lambda key: frame(2, b"x", final=False, key=key) + frame(2, key=key), "out of order"),
    "two ends": (lambda key: frame(2, final=False, key=key) + 2 * frame(0, key=key), "out of order"),
    "highest length bit": (lambda key: frame(2, length=1 << 63, form=64, key=key), "highest bit"),
    "an HTTP answer": (lambda key: b"HTTP/1.1 400 Bad Request\r\n" + bytes(99), "extensions"),
}


@SIDES
@SIZES
@pytest.mark.parametrize(("make", "message"), ERRORS.values(), ids=ERRORS)
def test_a_broken_frame_breaks_the_session_for_good(
    client: bool, size: int, make: Callable[[bytes | None], bytes], message: str
) -> None:
    end = End(client)
    with pytest.raises(ProtocolError, match=message):
        end.receive(make(end.peers_key), size=size)
    with pytest.raises(ProtocolError, match="broken already"):
        end.receive(end.peer(Opcode.PING))


# -- sending --


@SIDES
@pytest.mark.parametrize("length", LENGTHS)
def test_messages_are_framed_by_their_length_and_masked_by_clients(client: bool, length: int) -> None:
    payload = random.Random(length).randbytes(length)
    end = End(client)
    assert end.socket.message(payload) == frame(Opcode.BINARY, payload, key=KEY if client else None)
    header = end.socket.header(length)
    assert header + payload == frame(Opcode.BINARY, payload, key=bytes(4) if client else None)
    assert len(header) <= 14


@SIDES
def test_a_close_is_sent_once_and_nothing_after_it(client: bool) -> None:
    end = End(client)
    end.socket.close()
    end.receive(end.peer(Opcode.PING, b"x"))
    end.socket.close(CloseCode.PROTOCOL_ERROR)
    key = KEY if client else None
    assert end.socket.take_outgoing() == frame(8, struct.pack(">H", 1002), key=key)
    assert end.socket.take_outgoing() == b""


def test_pong_goes_before_a_close() -> None:
    """Nothing may follow a Close (section 5.5.1)."""
    end = End(client=False)
    end.socket.close()
    assert end.receive(end.peer(Opcode.PING)) == frame(10) + frame(8, struct.pack(">H", 1000))


@settings(deadline=None)
@given(st.binary(max_size=100), st.binary(min_size=4, max_size=4))
def test_apply_mask_is_the_rfcs_and_undoes_itself(data: bytes, key: bytes) -> None:
    assert apply_mask(data, key) == masked(data, key)
    assert apply_mask(memoryview(apply_mask(data, key)), key) == data


@settings(deadline=None)
@given(
    st.lists(st.binary(max_size=300), max_size=8), st.integers(1, 50), st.booleans(), st.binary(min_size=4, max_size=4)
)
def test_one_role_reads_what_the_other_sends_in_any_pieces(
    messages: list[bytes], size: int, client: bool, key: bytes
) -> None:
    sender, receiver = End(client, key), End(not client)
    receiver.receive(*(sender.socket.message(message) for message in messages), size=size)
    assert receiver.told.payload == b"".join(messages)


# -- an independent implementation --


def theirs(client: bool) -> TheirProtocol:
    return TheirProtocol(CLIENT if client else SERVER, max_size=None)


@SIDES
@pytest.mark.parametrize("length", LENGTHS)
def test_the_websockets_library_reads_us(client: bool, length: int) -> None:
    peer, end = theirs(not client), End(client)
    payload = random.Random(length).randbytes(length)
    end.socket.close()
    peer.receive_data(end.socket.message(payload) + end.socket.header(length) + payload + end.socket.take_outgoing())
    got = [(event.opcode, event.data) for event in peer.events_received() if isinstance(event, Frame)]
    assert got == [(TheirOpcode.BINARY, payload)] * 2 + [(TheirOpcode.CLOSE, struct.pack(">H", 1000))]
    assert peer.parser_exc is None


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("message"), st.binary(max_size=200)),
        st.tuples(st.just("start"), st.binary(max_size=20)),
        st.tuples(st.just("more"), st.binary(max_size=20)),
        st.tuples(st.just("end"), st.binary(max_size=20)),
        st.tuples(st.just("ping"), st.binary(max_size=125)),
        st.tuples(st.just("pong"), st.binary(max_size=125)),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(STEPS, st.integers(1, 64), st.booleans())
def test_we_read_the_websockets_library(steps: list[tuple[str, bytes]], size: int, client: bool) -> None:
    """Whatever it sends, in whatever pieces: the same bytes come out, and it hears a pong to its last ping."""
    peer, end = theirs(not client), End(client)
    sent, inside, pings = b"", False, []
    for what, body in steps:
        if what in ("ping", "pong"):
            (peer.send_ping if what == "ping" else peer.send_pong)(body)
            if what == "ping":
                pings.append(body)
            continue
        if inside != (what in ("more", "end")):
            continue
        if what == "message":
            peer.send_binary(body)
        elif what == "start":
            peer.send_binary(body, fin=False)
            inside = True
        else:
            peer.send_continuation(body, fin=what == "end")
            inside = what == "more"
        sent += body
    answer = end.receive(*peer.data_to_send(), size=size)
    assert end.told.payload == sent
    peer.receive_data(answer)
    pongs = [bytes(event.data) for event in peer.events_received() if isinstance(event, Frame)]
    assert pongs == pings[-1:]
    assert peer.parser_exc is None


DIFFERENT = {
    "text": "it serves text as well",
    "long close": "it reads the whole body before it looks at its length",
    "highest length bit": "it waits for as many bytes",
}


@SIDES
@pytest.mark.parametrize("name", ERRORS)
def test_what_we_refuse_the_websockets_library_refuses(client: bool, name: str) -> None:
    peer = theirs(client)
    make, _ = ERRORS[name]
    peer.receive_data(make(None if client else KEY))
    assert (peer.parser_exc is None) is (name in DIFFERENT)


# -- SPDY inside --


@pytest.mark.parametrize("cut", [1, 4, 7, 1000])
@SIZES
def test_spdy_in_messages_of_any_border(cut: int, size: int) -> None:
    pair = Pair()
    to_server = WebSocket(Into(pair, "server"), client=False, mask=lambda: b"")
    to_client = WebSocket(Into(pair, "client"), client=True, mask=lambda: KEY)
    ident, near = pair.client.open(streamtype="data")
    pair.client.session.send_data(ident, b"up" * 100, fin=True)
    for _ in range(10):
        for sender, reader, session in (
            (to_client, to_server, pair.client.session),
            (to_server, to_client, pair.server.session),
        ):
            # kubectl sends a message for every write, empty ones among them.
            messages = (*pieces(session.take_outgoing(), cut), b"")
            for piece in pieces(b"".join(map(sender.message, messages)), size):
                reader.receive(memoryview(piece))
        if pair.server.session.may_send(ident):
            pair.server.session.send_data(ident, b"down" * 100, fin=True)
    assert near.data == b"down" * 100
    assert pair.server.told.streams[ident].data == b"up" * 100
    assert pair.client.session.streams == pair.server.session.streams == 0


class Into:
    """Feeds one side of a pair with what its WebSocket carries."""

    def __init__(self, pair: Pair, side: str) -> None:
        self.session = (pair.client if side == "client" else pair.server).session

    def on_payload(self, data: memoryview) -> None:
        self.session.receive(data)

    def on_close(self, code: int, reason: str) -> None:
        raise AssertionError(f"closed: {code} {reason}")


def test_a_spdy_fault_breaks_the_websocket_too() -> None:
    pair = Pair()
    socket = WebSocket(Into(pair, "server"), client=False, mask=lambda: b"")
    with pytest.raises(ProtocolError, match="unknown type"):
        socket.receive(memoryview(frame(Opcode.BINARY, bytes.fromhex("8003000500000000"), key=KEY)))
    with pytest.raises(ProtocolError, match="broken already"):
        socket.receive(memoryview(b"x"))


def test_random_pieces_say_the_same() -> None:
    wire = b"".join(
        frame(opcode, payload, key=KEY, final=final)
        for opcode, payload, final in itertools.chain(
            [(2, bytes(200), False), (9, b"ping", True), (0, b"", True), (2, bytes(70000), True), (2, b"", True)],
            [(10, b"pong", True), (2, b"last", True), (8, struct.pack(">H", 1000) + b"bye", True)],
        )
    )
    for seed in range(100):
        chance, end, at = random.Random(seed), End(client=False), 0
        answer = b""
        while at < len(wire):
            step = chance.choice([1, 2, 5, 100, 5000])
            answer += end.receive(wire[at : at + step])
            at += step
        assert end.told.payload == bytes(70200) + b"last"
        assert answer == frame(10, b"ping")
        assert end.told.closed == (1000, "bye")
