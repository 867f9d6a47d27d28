"""The state table, walked on a real engine: every half in every state meets every input."""

from __future__ import annotations

from itertools import product

import pytest

from fairlead.protocol.spdy import frames
from fairlead.protocol.spdy.session import Role
from fairlead.protocol.spdy.state import TRANSITIONS, Half, Input
from tests.support.engines import End, StreamLog

IGNORED = {(Half.OPEN, Input.REPLY), (Half.DONE, Input.REPLY)}
"""Missing from the table, and yet no error: a repeated SYN_REPLY says nothing new, and spdystream ignores it too."""


def client_in(half: Half) -> tuple[End, int, StreamLog]:
    """A client with one stream whose far half is in this state, and whose own half is open."""
    end = End(Role.CLIENT)
    ident, stream = end.open()
    if half is not Half.SILENT:
        end.receive(frames.syn_reply(ident, end.block()))
    if half is Half.DONE:
        end.receive(frames.data(ident, fin=True))
    end.session.take_outgoing()
    stream.log.clear()
    return end, ident, stream


def frame(end: End, ident: int, given: Input) -> bytes:
    return {
        Input.REPLY: lambda: frames.syn_reply(ident, end.block()),
        Input.DATA: lambda: frames.data(ident, b"x"),
        Input.FIN: lambda: frames.data(ident, fin=True),
        Input.RESET: lambda: frames.rst_stream(ident, 5),
    }[given]()


TOLD: dict[Input, list[tuple[object, ...]]] = {
    Input.REPLY: [("reply", {})],
    Input.DATA: [("data", b"x")],
    Input.FIN: [("fin",)],
    Input.RESET: [("reset", 5)],
}


@pytest.mark.parametrize(("half", "given"), list(product(Half, Input)))
def test_every_input_in_every_state_of_the_far_half(half: Half, given: Input) -> None:
    end, ident, stream = client_in(half)
    answer = end.receive(frame(end, ident, given))
    if (half, given) in IGNORED:
        assert (answer, stream.events) == (b"", [])
        assert end.session.may_send(ident)
    elif (half, given) in TRANSITIONS:
        assert (answer, stream.events) == (b"", TOLD[given])
        assert end.session.may_send(ident) is (given is not Input.RESET)
    else:
        status = frames.Status.STREAM_ALREADY_CLOSED if half is Half.DONE else frames.Status.PROTOCOL_ERROR
        assert answer == frames.rst_stream(ident, status)
        assert stream.events == [("reset", status)]
        assert end.session.streams == 0


def test_every_state_is_reached_and_none_leads_back() -> None:
    """Every state is reached, a half that is done stays done, and no input leads back."""
    assert {half for half, _ in TRANSITIONS} == set(Half)
    order = list(Half)
    assert all(order.index(after) >= order.index(before) for (before, _), after in TRANSITIONS.items())
    assert all(TRANSITIONS[half, Input.RESET] is Half.DONE for half in Half)


@pytest.mark.parametrize("half", [Half.SILENT, Half.DONE])
def test_own_half_sends_only_when_open(half: Half) -> None:
    end = End(Role.SERVER)
    end.told.accept = lambda stream, headers: True
    end.receive(frames.syn_stream(1, end.block()))
    if half is Half.DONE:
        end.session.reply(1)
        end.session.fin(1)
    assert not end.session.may_send(1)
    with pytest.raises(KeyError):
        end.session.fin(1)
