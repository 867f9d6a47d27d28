from __future__ import annotations

from collections.abc import Callable

import pytest

from fairlead.protocol.portforward import MAX_ERROR_TEXT, Forward, Outcome, Pair, Pairing
from fairlead.protocol.spdy import frames
from fairlead.protocol.spdy.frames import Status
from fairlead.protocol.spdy.headers import HeaderDecoder
from fairlead.protocol.spdy.session import Role
from tests.support import engines
from tests.support.engines import End

ERROR, DATA = 1, 3
"""Stream ids of the first connection of a client."""


class Told:
    """A ForwardListener that writes down what it is told."""

    def __init__(self) -> None:
        self.data = b""
        self.events: list[tuple[object, ...]] = []

    def on_data(self, data: memoryview) -> None:
        assert not any(event[0] == "end" for event in self.events)
        self.data += data

    def on_half_end(self) -> None:
        self.events.append(("half end",))

    def on_end(self, outcome: Outcome, text: str) -> None:
        self.events.append(("end", outcome, text))


class Client:
    """A Forward, and the means to play its server frame by frame."""

    def __init__(self, *, replied: bool = True) -> None:
        self.end = End(Role.CLIENT)
        self.told = Told()
        self.forward = Forward(self.end.session, 80, 7, self.told)
        self.opening = self.end.session.take_outgoing()
        if replied:
            self.play("reply error", "reply data")

    def play(self, *steps: str) -> bytes:
        """Steps such as "data fin", "error text", "data reset"; returns what the client answers to all of them."""
        return self.end.receive(*(self.frame(*step.split()) for step in steps))

    def frame(self, stream: str, what: str) -> bytes:
        if stream == "reply":
            return frames.syn_reply(ERROR if what == "error" else DATA, self.end.block())
        ident = ERROR if stream == "error" else DATA
        return {
            "fin": frames.data(ident, fin=True),
            "reset": frames.rst_stream(ident, Status.CANCEL),
            "refuse": frames.rst_stream(ident, Status.REFUSED_STREAM),
            "text": frames.data(ident, b"connection "),
            "more": frames.data(ident, b"refused\n"),
            "bytes": frames.data(ident, b"payload"),
        }[what]


def test_opens_error_then_data_without_waiting() -> None:
    wire, decoder, opened = Client(replied=False).opening, HeaderDecoder(), []
    ends = []
    while wire:
        length = int.from_bytes(wire[5:8], "big")
        frame, wire = wire[: 8 + length], wire[8 + length :]
        if frame[0] & 0x80:
            opened.append((int.from_bytes(frame[8:12], "big"), decoder.decode(frame[18:])))
        else:
            ends.append(frame)
    common = {"port": "80", "requestid": "7"}
    assert opened == [(1, {"streamtype": "error", **common}), (3, {"streamtype": "data", **common})]
    assert ends == [frames.data(1, fin=True)]


CLEAN, RESET, REFUSED = (("end", outcome, "") for outcome in (Outcome.CLEAN, Outcome.RESET, Outcome.REFUSED))
FAILED = ("end", Outcome.ERROR, "connection refused")
HALF = ("half end",)

# steps of the server -> what the owner hears; the streams that the client still had to reset
ENDINGS: dict[str, tuple[list[str], list[tuple[object, ...]], list[int]]] = {
    "fin, fin": (["data fin", "error fin"], [HALF, CLEAN], [DATA]),
    "error ends first": (["error fin", "data bytes", "data fin"], [CLEAN], [DATA]),
    "text before data's end": (["error text", "error more", "error fin", "data fin"], [FAILED], [DATA]),
    "text after data's end": (["data fin", "error text", "error more", "error fin"], [HALF, FAILED], [DATA]),
    "text ended by a reset": (["data fin", "error text", "error more", "error reset"], [HALF, FAILED], [DATA]),
    "text, then both reset": (["error text", "error more", "error reset", "data reset"], [FAILED], [DATA]),
    "data reset, then text": (["data reset", "error text", "error more", "error fin"], [HALF, FAILED], []),
    "both reset, data first": (["data reset", "error reset"], [HALF, RESET], []),
    "both reset, error first": (["error reset", "data reset"], [RESET], [DATA]),
    "data reset, error fin": (["data reset", "error fin"], [HALF, RESET], []),
    "data fin, error reset": (["data fin", "error reset"], [HALF, RESET], [DATA]),
    "error reset alone": (["error reset"], [RESET], [DATA]),
    "data fin, then reset": (["data fin", "data reset", "error fin"], [HALF, HALF, CLEAN], []),
    "data fin alone": (["data fin"], [HALF], []),
    "data reset alone": (["data reset"], [HALF], []),
    "error fin alone": (["error fin"], [], []),
    "text alone": (["error text"], [], []),
}


@pytest.mark.parametrize(("steps", "events", "resets"), ENDINGS.values(), ids=ENDINGS)
def test_what_the_owner_hears_of_each_ending(
    steps: list[str], events: list[tuple[object, ...]], resets: list[int]
) -> None:
    client = Client()
    answer = client.play(*steps)
    assert client.told.events == events
    assert answer == b"".join(frames.rst_stream(ident, Status.CANCEL) for ident in resets)
    assert client.forward.over is (bool(events) and events[-1][0] == "end")
    if client.forward.over:
        assert client.end.session.streams == 0


REFUSALS: dict[str, tuple[list[str], list[tuple[object, ...]]]] = {
    "both": (["error refuse", "data refuse"], [REFUSED]),
    "data alone": (["reply error", "data refuse", "error fin"], [HALF, REFUSED]),
    "error alone": (["error refuse", "reply data"], [REFUSED]),
    "with a text": (["reply error", "error text", "error more", "error fin", "data refuse"], [FAILED]),
    "text behind the refusal": (
        ["reply error", "data refuse", "error text", "error more", "error fin"],
        [HALF, FAILED],
    ),
}


@pytest.mark.parametrize(("steps", "events"), REFUSALS.values(), ids=REFUSALS)
def test_what_the_owner_hears_of_each_refusal(steps: list[str], events: list[tuple[object, ...]]) -> None:
    client = Client(replied=False)
    client.play(*steps)
    assert client.told.events == events
    assert client.end.session.streams == 0


def test_bytes_arrive_before_the_end() -> None:
    client = Client()
    client.play("data bytes", "data bytes", "data fin", "error fin")
    assert client.told.data == b"payload" * 2
    assert client.forward.delivered_whole
    assert client.told.events == [HALF, CLEAN]


def test_clean_end_after_our_own_half_sends_nothing() -> None:
    client = Client()
    client.forward.finish()
    client.forward.finish()
    assert client.end.session.take_outgoing() == frames.data(DATA, fin=True)
    assert not client.forward.may_send
    assert client.play("data bytes", "data fin", "error fin") == b""
    assert client.told.events == [HALF, CLEAN]


def test_cancel_silences_both_streams() -> None:
    client = Client()
    client.forward.cancel()
    reset = frames.rst_stream(DATA, Status.CANCEL) + frames.rst_stream(ERROR, Status.CANCEL)
    assert client.end.session.take_outgoing() == reset
    assert client.play("data bytes", "data fin", "error text", "error fin") == b""
    assert (client.told.data, client.told.events) == (b"", [])
    client.forward.finish()
    client.forward.settle()
    assert client.end.session.take_outgoing() == b""


def test_cancel_from_inside_on_data_silences_the_rest_of_the_frame() -> None:
    client = Client()
    seen: list[bytes] = []

    def cancel(data: memoryview) -> None:
        seen.append(bytes(data))
        client.forward.cancel()

    client.told.on_data = cancel  # type: ignore[method-assign]
    client.end.receive(frames.data(DATA, b"one two"), size=11)
    assert seen == [b"one"]


SETTLED: dict[str, tuple[list[str], bool, list[tuple[object, ...]]]] = {
    "nothing happened": ([], False, []),
    "data reset": (["data reset"], False, [HALF, RESET]),
    "half a text": (["data reset", "error text"], False, [HALF, ("end", Outcome.ERROR, "connection")]),
    "data fin, we still send": (["data fin"], False, [HALF]),
    "data fin, we are done": (["data fin"], True, [HALF, CLEAN]),
    "data fin, then reset": (["data fin", "data reset"], False, [HALF, HALF, CLEAN]),
    "data fin, then more data": (["data fin", "data bytes"], False, [HALF, HALF, CLEAN]),
    "we are done, the pod is not": ([], True, []),
    "over already": (["data fin", "error fin"], False, [HALF, CLEAN]),
}


@pytest.mark.parametrize(("steps", "finished", "events"), SETTLED.values(), ids=SETTLED)
def test_what_the_owner_hears_when_no_more_is_waited_for(
    steps: list[str], finished: bool, events: list[tuple[object, ...]]
) -> None:
    client = Client()
    if finished:
        client.forward.finish()
    client.play(*steps)
    client.forward.settle()
    client.forward.settle()
    assert client.told.events == events


def test_error_text_is_cut_and_decoded_whatever_it_is() -> None:
    client = Client()
    client.end.receive(*(frames.data(ERROR, b"\xff" * 5000) for _ in range(10)))
    assert len(client.forward.error_text) == MAX_ERROR_TEXT
    client.play("error fin")
    assert client.told.events == [("end", Outcome.ERROR, "\ufffd" * MAX_ERROR_TEXT)]


def test_protocol_fault_of_the_server_ends_the_connection_alone() -> None:
    """Data before its reply: the engine resets the stream, the Forward hears of it as of any reset."""
    client = Client(replied=False)
    client.play("reply error", "data bytes", "error fin")
    assert client.told.events == [HALF, REFUSED]
    assert client.end.receive(frames.ping(2)) == frames.ping(2)


# -- server --


class Server:
    """A Pairing on a server engine, with a client engine in front of it."""

    def __init__(self) -> None:
        self.both = engines.Pair()
        self.pairs: list[Pair] = []
        self.now = 100.0
        self.session = self.both.server.session
        self.pairing = Pairing(self.session, self.pairs.append)
        self.both.server.told.accept = lambda stream, headers: self.pairing.opened(stream, headers, self.now)

    def open(self, **headers: str) -> engines.StreamLog:
        stream = engines.StreamLog(str(headers))
        self.both.client.session.open(headers, stream)
        self.both.settle()
        return stream

    @property
    def pending(self) -> bool:
        return self.pairing.next_timer() is not None


def headers(kind: str, request: str | None = "0", port: str = "80") -> dict[str, str]:
    both = {"streamtype": kind, "port": port}
    return both if request is None else {**both, "requestid": request}


def test_pairs_in_either_order() -> None:
    server = Server()
    for request in ("0", "1"):
        kinds = ["error", "data"] if request == "0" else ["data", "error"]
        for kind in kinds:
            assert server.open(**headers(kind, request)).events == [("reply", {})]
    assert server.pairs == [Pair("0", 80, 1, 3), Pair("1", 80, 7, 5)]
    assert not server.pending


def test_pairs_that_are_interleaved() -> None:
    server = Server()
    for request in "2", "0", "1":
        server.open(**headers("data", request, "80" + request))
    for request in "1", "2", "0":
        server.open(**headers("error", request, "1"))
    assert [(pair.request_id, pair.port) for pair in server.pairs] == [("1", 801), ("2", 802), ("0", 800)]


def test_request_id_may_be_used_again() -> None:
    server = Server()
    for _ in range(3):
        server.open(**headers("error"))
        server.open(**headers("data"))
    assert [(pair.error_stream, pair.data_stream) for pair in server.pairs] == [(1, 3), (5, 7), (9, 11)]


def test_clients_without_request_ids() -> None:
    server = Server()
    for kind in "error", "data", "error", "data":
        server.open(**headers(kind, None))
    assert [(pair.request_id, pair.error_stream, pair.data_stream) for pair in server.pairs] == [
        ("1", 1, 3),
        ("5", 5, 7),
    ]


INVALID = {
    "no headers": {},
    "no port": {"streamtype": "data", "requestid": "0"},
    "no streamtype": {"port": "80", "requestid": "0"},
    "streamtype": headers("stdin"),
    "streamtype in capitals": headers("DATA"),
    **{
        f"port {port!r}": headers("data", port=port)
        for port in ("", "0", "65536", "-1", "+80", "8 0", "0x50", "٣", "http")
    },
    "long port": headers("data", port="9" * 1000),
    "long request id": headers("data", "1" * (Pairing.MAX_REQUEST_ID + 1)),
}


@pytest.mark.parametrize("bad", INVALID.values(), ids=INVALID)
def test_invalid_requests_are_reset_and_the_session_goes_on(bad: dict[str, str]) -> None:
    server = Server()
    if all(char < "\u0100" for text in bad.values() for char in text):
        assert server.open(**bad).events == [("reset", Status.CANCEL)]
    else:
        assert not server.pairing.opened(1, bad, 0.0)
    assert not server.pending
    server.open(**headers("error"))
    server.open(**headers("data"))
    assert len(server.pairs) == 1


@pytest.mark.parametrize("port", ["1", "080", "65535"])
def test_a_pair_has_the_port_of_its_data_stream(port: str) -> None:
    server = Server()
    server.open(**headers("error", port="9"))
    server.open(**headers("data", port=port))
    assert [pair.port for pair in server.pairs] == [int(port)]


def test_what_is_kept_of_unfinished_requests_is_bounded() -> None:
    server = Server()
    kept = [server.pairing.opened(n, headers("error", "x" * 60000), 0.0) for n in range(10)]
    assert kept == [False] * 10
    server.pairing.MAX_PENDING = 3
    streams = [server.open(**headers("error", str(n))) for n in range(4)]
    assert [stream.dead for stream in streams] == [False, False, False, True]
    server.open(**headers("data", "0"))
    assert not server.open(**headers("error", "9")).dead


def test_timer_gives_up_what_waited_for_30_s() -> None:
    server = Server()
    error = server.open(**headers("error", "0"))
    server.now = 110.0
    data = server.open(**headers("data", "1"))
    assert server.pairing.next_timer() == 130.0
    server.pairing.handle_timer(129.9)
    server.both.settle()
    assert error.events == [("reply", {})]
    server.pairing.handle_timer(130.0)
    server.both.settle()
    assert error.events[1:] == [("data", b"(request=0) timed out waiting for streams"), ("fin",)]
    assert server.pairing.next_timer() == 140.0
    server.pairing.handle_timer(200.0)
    server.both.settle()
    assert data.events == [("reply", {})]
    assert not server.pending
    # Too late: it waits for a partner of its own now.
    server.open(**headers("data", "0"))
    assert server.pairs == []
    assert server.pending


@pytest.mark.parametrize("kind", ["error", "data"])
def test_duplicate_type_is_told_on_the_error_stream_and_the_pair_survives(kind: str) -> None:
    server = Server()
    first = server.open(**headers(kind))
    second = server.open(**headers(kind))
    assert second.events == [("reply", {})]
    if kind == "error":
        assert b"error stream for request 0 exists already" in first.data
    server.open(**headers("data" if kind == "error" else "error"))
    assert len(server.pairs) == 1
    assert server.pairs[0].error_stream == (1 if kind == "error" else 5)


def served(*, client_done: bool = False) -> tuple[Server, Pair, Told, Forward]:
    server, told = Server(), Told()
    forward = Forward(server.both.client.session, 80, 0, told)
    server.both.settle()
    if client_done:
        forward.finish()
        server.both.settle()
    (pair,) = server.pairs
    server.session.send_data(pair.data_stream, b"answer")
    return server, pair, told, forward


def succeed(server: Server, pair: Pair) -> None:
    server.pairing.succeeded(pair)


def fail(server: Server, pair: Pair) -> None:
    server.pairing.failed(pair, "connection refused")


def fail_silently(server: Server, pair: Pair) -> None:
    server.pairing.failed(pair, "")


@pytest.mark.parametrize(
    ("act", "verdict"),
    [
        (succeed, ("end", Outcome.CLEAN, "")),
        (fail, ("end", Outcome.ERROR, "connection refused")),
        (fail_silently, ("end", Outcome.RESET, "")),
    ],
)
@pytest.mark.parametrize("client_done", [False, True])
@pytest.mark.parametrize("size", [0, 1])
def test_both_sides_agree_on_the_end(
    act: Callable[[Server, Pair], None], verdict: tuple[object, ...], client_done: bool, size: int
) -> None:
    server, pair, told, _ = served(client_done=client_done)
    act(server, pair)
    server.both.settle(size)
    assert told.data == b"answer"
    assert told.events[-1] == verdict
    assert (server.session.streams, server.both.client.session.streams) == (0, 0)
    act(server, pair)
    assert server.session.take_outgoing() == b""


def test_client_cancels_before_the_verdict() -> None:
    server, pair, told, forward = served()
    forward.cancel()
    server.both.settle()
    for act in succeed, fail, fail_silently:
        act(server, pair)
    server.both.settle()
    assert (told.data, told.events) == (b"", [])
    assert (server.session.streams, server.both.client.session.streams) == (0, 0)
