"""Port forwarding as a client plays it: what the owner of a connection hears, and what the server is told."""

from __future__ import annotations

import pytest

from fairlead.protocol.portforward import MAX_ERROR_TEXT, Forward, Outcome
from fairlead.protocol.spdy import frames
from fairlead.protocol.spdy.frames import Status
from fairlead.protocol.spdy.headers import HeaderDecoder
from fairlead.protocol.spdy.session import Role
from tests.support.engines import End, ForwardLog

ERROR, DATA = 1, 3
"""Stream ids of the first connection of a client."""


class Client:
    """A Forward, and the means to play its server frame by frame."""

    def __init__(self, *, replied: bool = True) -> None:
        self.end = End(Role.CLIENT)
        self.told = ForwardLog()
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
