"""A client and a server engine back to back."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from fairlead.protocol.spdy.frames import Status
from fairlead.protocol.spdy.session import Session
from tests.support.engines import Pair, StreamLog

SIZES = pytest.mark.parametrize("size", [0, 1, 7], ids=["whole", "bytewise", "sevens"])


def joined(size: int = 0) -> tuple[Pair, int, StreamLog, StreamLog]:
    """One stream, open on both sides: (pair, id, the client's listener, the server's)."""
    pair = Pair()
    ident, near = pair.client.open(streamtype="data", port="80", requestid="0")
    pair.settle(size)
    far = pair.server.told.streams[ident]
    pair.client.told.log.clear()
    pair.server.told.log.clear()
    return pair, ident, near, far


def streams(pair: Pair) -> tuple[int, int]:
    return pair.client.session.streams, pair.server.session.streams


@SIZES
def test_data_both_ways_and_both_ends(size: int) -> None:
    pair, ident, near, far = joined(size)
    pair.client.session.send_data(ident, b"up " * 1000)
    pair.server.session.send_data(ident, b"down " * 1000)
    pair.client.session.fin(ident)
    pair.settle(size)
    assert (far.data, near.data) == (b"up " * 1000, b"down " * 1000)
    assert streams(pair) == (1, 1)
    pair.server.session.send_data(ident, b"last", fin=True)
    pair.settle(size)
    assert near.events[-1] == ("fin",)
    assert near.data.endswith(b"last")
    assert streams(pair) == (0, 0)


@SIZES
def test_half_close_by_the_server_leaves_the_way_up_open(size: int) -> None:
    pair, ident, near, far = joined(size)
    pair.server.session.fin(ident)
    pair.settle(size)
    assert near.events == [("fin",)]
    assert pair.client.session.may_send(ident)
    pair.client.session.send_data(ident, b"still going up", fin=True)
    pair.settle(size)
    assert far.events == [("data", b"still going up"), ("fin",)]
    assert streams(pair) == (0, 0)


@SIZES
def test_two_fins_that_cross_leave_no_stream(size: int) -> None:
    pair, ident, near, far = joined(size)
    pair.client.session.fin(ident)
    pair.server.session.fin(ident)
    pair.settle(size)
    assert (near.events, far.events) == ([("fin",)], [("fin",)])
    assert streams(pair) == (0, 0)


@SIZES
@pytest.mark.parametrize("status", [Status.CANCEL, Status.INTERNAL_ERROR])
def test_reset_with_data_on_its_way_in_both_directions(size: int, status: Status) -> None:
    pair, ident, near, far = joined(size)
    pair.server.session.send_data(ident, b"already sent")
    pair.client.session.send_data(ident, b"before")
    pair.client.session.reset(ident, status)
    pair.settle(size)
    assert near.events == []
    assert far.events == [("data", b"before"), ("reset", status)]
    assert streams(pair) == (0, 0)


def test_both_resets_cross_in_silence() -> None:
    pair, ident, near, far = joined()
    pair.client.session.reset(ident)
    pair.server.session.reset(ident)
    pair.settle()
    assert (near.events, far.events) == ([], [])
    assert streams(pair) == (0, 0)


def test_reset_before_the_reply() -> None:
    pair = Pair()
    ident, near = pair.client.open()
    pair.client.session.reset(ident)
    pair.settle()
    assert near.events == []
    assert pair.server.told.log[1:] == [(str(ident), "reset", Status.CANCEL)]
    assert streams(pair) == (0, 0)


def test_refused_stream_with_data_behind_it() -> None:
    pair = Pair()
    pair.server.told.accept = lambda stream, headers: False
    ident, near = pair.client.open()
    pair.client.session.send_data(ident, b"pipelined", fin=True)
    pair.settle()
    assert near.events == [("reset", Status.CANCEL)]
    assert streams(pair) == (0, 0)


def test_stream_limit_is_the_servers() -> None:
    pair = Pair(max_streams=3)
    near = [pair.client.open(str(n))[1] for n in range(5)]
    pair.settle()
    assert [stream.events for stream in near] == [[("reply", {})]] * 3 + [[("reset", Status.REFUSED_STREAM)]] * 2
    assert streams(pair) == (3, 3)


def test_a_stream_may_be_accepted_late() -> None:
    """Data that came before the server made up its mind is not lost, and the answer comes after the reply."""
    pair = Pair()
    pair.server.told.accept = lambda stream, headers: True
    ident, near = pair.client.open()
    pair.client.session.send_data(ident, b"early", fin=True)
    pair.settle()
    assert pair.server.told.streams[ident].data == b"early"
    assert near.events == []
    pair.server.session.reply(ident)
    pair.server.session.send_data(ident, b"answer", fin=True)
    pair.settle()
    assert near.events == [("reply", {}), ("data", b"answer"), ("fin",)]
    assert streams(pair) == (0, 0)


def test_replies_in_another_order() -> None:
    pair = Pair()
    pair.server.told.accept = lambda stream, headers: True
    near = [pair.client.open(str(n)) for n in range(5)]
    pair.settle()
    for ident, _ in reversed(near):
        pair.server.session.reply(ident)
    pair.settle()
    assert all(stream.accepted for _, stream in near)


@SIZES
def test_a_thousand_streams_with_bytes_of_their_own(size: int) -> None:
    pair = Pair()
    near = []
    for n in range(1000):
        ident, stream = pair.client.open(str(n), streamtype="data", port="80", requestid=str(n))
        pair.client.session.send_data(ident, b"up %d" % n, fin=True)
        near.append((ident, stream))
    pair.settle(size)
    opened = [event[2] for event in pair.server.told.log if event[1] == "open"]
    assert opened == [{"streamtype": "data", "port": "80", "requestid": str(n)} for n in range(1000)]
    for n, (ident, _) in enumerate(near):
        pair.server.session.send_data(ident, b"down %d" % n, fin=True)
    pair.settle(size)
    far = pair.server.told.streams
    told: dict[object, list[object]] = {}
    for name, *event in pair.client.told.log + pair.server.told.log:
        told.setdefault(name, []).append(tuple(event))
    assert all(told[str(n)].count(("data", b"down %d" % n)) == 1 for n in range(1000))
    assert len(far) == 1000
    assert streams(pair) == (0, 0)


@SIZES
def test_pings_of_both_ends(size: int) -> None:
    pair = Pair()
    sent = [pair.client.session.ping(), pair.client.session.ping()], [pair.server.session.ping()]
    pair.settle(size)
    assert [("session", "pong", ident) for ident in sent[0]] == pair.client.told.log
    assert [("session", "pong", ident) for ident in sent[1]] == pair.server.told.log


def test_goaway_lets_open_streams_finish_and_refuses_new_ones() -> None:
    pair, ident, near, _ = joined()
    crossing, late = pair.client.open("late")
    pair.server.session.goaway()
    pair.settle()
    assert pair.client.session.goaway_received
    assert ("session", "goaway", ident, 0) in pair.client.told.log
    assert late.events == [("reset", Status.REFUSED_STREAM)]
    pair.server.session.send_data(ident, b"drained", fin=True)
    pair.settle()
    assert near.events == [("data", b"drained"), ("fin",)]
    assert crossing > ident


def test_streams_opened_by_the_server() -> None:
    """kubectl accepts them as well; nobody opens any."""
    pair = Pair()
    ident, near = pair.server.open(hello="client")
    pair.settle()
    assert near.events == [("reply", {})]
    pair.client.session.send_data(ident, b"hi", fin=True)
    pair.server.session.fin(ident)
    pair.settle()
    assert near.data == b"hi"
    assert streams(pair) == (0, 0)


class TwoEngines(RuleBasedStateMachine):
    """Whatever two engines do, in whatever pieces it travels: no ProtocolError, no byte lost, doubled or misplaced
    before an end, and once both have heard all, they agree on which streams are left.
    """

    opened = Bundle("opened")

    def __init__(self) -> None:
        super().__init__()
        self.pair = Pair(max_streams=8)
        self.ends = (self.pair.client, self.pair.server)
        self.wires = [b"", b""]
        self.sent: dict[tuple[int, int], bytes] = {}
        self.logs: dict[tuple[int, int], StreamLog] = {}
        self.resets: set[int] = set()

    def side(self, number: int) -> Session:
        return self.ends[number].session

    @rule(target=opened, side=st.integers(0, 1), fin=st.booleans())
    def open(self, side: int, fin: bool) -> int:
        ident, log = self.ends[side].open(f"own {len(self.logs)}", fin=fin, requestid=str(len(self.logs)))
        self.logs[side, ident] = log
        return ident

    @rule(stream=opened, side=st.integers(0, 1), payload=st.binary(max_size=20), fin=st.booleans())
    def send(self, stream: int, side: int, payload: bytes, fin: bool) -> None:
        if self.side(side).may_send(stream):
            self.side(side).send_data(stream, payload, fin=fin)
            self.sent[side, stream] = self.sent.get((side, stream), b"") + payload

    @rule(stream=consumes(opened), side=st.integers(0, 1))
    def reset(self, stream: int, side: int) -> None:
        self.side(side).reset(stream)
        self.resets.add(stream)

    @rule(side=st.integers(0, 1))
    def ping(self, side: int) -> None:
        self.side(side).ping()

    @rule(side=st.integers(0, 1), size=st.integers(1, 50))
    def carry(self, side: int, size: int) -> None:
        """Some bytes reach the other end."""
        self.wires[side] += self.side(side).take_outgoing()
        piece, self.wires[side] = self.wires[side][:size], self.wires[side][size:]
        self.side(1 - side).receive(memoryview(piece))

    @precondition(lambda self: any(self.wires))
    @rule()
    def carry_all(self) -> None:
        while True:
            for side in (0, 1):
                self.wires[side] += self.side(side).take_outgoing()
                self.side(1 - side).receive(memoryview(self.wires[side]))
                self.wires[side] = b""
            if not any(self.wires) and not any(end.session._out for end in self.ends):
                break

    @invariant()
    def received_is_a_beginning_of_sent(self) -> None:
        for (side, stream), sent in self.sent.items():
            far = self.logs.get((1 - side, stream)) or self.ends[1 - side].told.streams.get(stream)
            got = far.data if far is not None else b""
            assert sent.startswith(got)
            if far is not None and far.ended and stream not in self.resets:
                assert got == sent

    def teardown(self) -> None:
        self.carry_all()
        left = [set(end.session._streams) for end in self.ends]
        assert left[0] == left[1]
        for (side, stream), sent in self.sent.items():
            far = self.logs.get((1 - side, stream)) or self.ends[1 - side].told.streams.get(stream)
            if stream in left[0]:
                assert far is not None
                assert far.data == sent


TestTwoEngines = TwoEngines.TestCase
TestTwoEngines.settings = settings(
    max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
