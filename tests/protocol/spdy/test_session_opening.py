"""One engine against hand-made frames: streams that either side opens or refuses, pings, and going away."""

from __future__ import annotations

import pytest

from fairlead.errors import ProtocolError
from fairlead.protocol.spdy import frames
from fairlead.protocol.spdy.frames import FLAG_FIN, Status
from fairlead.protocol.spdy.session import Role
from tests.support.engines import End, client_with_stream, server_with_stream


def test_client_ids_are_odd_and_pipelined() -> None:
    end = End(Role.CLIENT)
    assert [end.open(port="80")[0] for _ in range(3)] == [1, 3, 5]
    end.session.send_data(5, b"no waiting")
    wire = end.session.take_outgoing()
    assert wire.count(b"\x80\x03\x00\x01") == 3
    assert wire.endswith(frames.data(5, b"no waiting"))
    assert end.session.take_outgoing() == b""


def test_server_ids_are_even() -> None:
    end = End(Role.SERVER)
    assert [end.open()[0] for _ in range(3)] == [2, 4, 6]


def test_open_with_fin_may_not_send() -> None:
    end = End(Role.CLIENT)
    ident, _ = end.open(fin=True)
    assert end.session.take_outgoing()[4] == FLAG_FIN
    assert not end.session.may_send(ident)


def test_ids_are_used_up() -> None:
    end = End(Role.CLIENT)
    end.session._next_stream = frames.MAX_STREAM_ID - 8
    before = end.session.exhausted
    idents = [end.open()[0] for _ in range(5)]
    assert (before, end.session.exhausted) == (False, True)
    assert idents[-1] == frames.MAX_STREAM_ID
    with pytest.raises(ProtocolError, match="used up"):
        end.open()


def test_ping_ids_wrap_and_keep_their_parity() -> None:
    for role in Role:
        end = End(role)
        assert [end.session.ping() for _ in range(3)] == [role.value, role.value + 2, role.value + 4]
        end.session._next_ping = 0x7FFFFFF0 + (role.value & 1)
        last, first = end.session.ping(), end.session.ping()
        assert last <= frames.MAX_STREAM_ID
        assert first == role.value


@pytest.mark.parametrize("role", Role)
def test_pings_of_the_other_parity_are_echoed(role: Role) -> None:
    end = End(role)
    own, foreign = role.value + 2, role.value + 3
    assert end.receive(frames.ping(foreign)) == frames.ping(foreign)
    assert end.told.log == []
    assert end.receive(frames.ping(own)) == b""
    assert end.told.log == [("session", "pong", own)]


def test_syn_stream_with_fin() -> None:
    end = End(Role.SERVER)
    end.receive(frames.syn_stream(1, end.block(a="b"), fin=True))
    assert end.told.log == [("1", "open", {"a": "b"}, True)]
    assert end.receive(frames.data(1, b"more"), frames.data(1, fin=True)) == b""
    assert end.told.log == [("1", "open", {"a": "b"}, True)]
    assert end.session.may_send(1)


@pytest.mark.parametrize("ident", [1, 3, 2, 4])
def test_syn_stream_with_a_stale_id_or_of_our_parity(ident: int) -> None:
    """Refused, and its block is inflated all the same: later ones depend on it."""
    end = End(Role.SERVER)
    end.receive(frames.syn_stream(3, end.block(a="b")))
    end.session.reset(3)
    end.session.take_outgoing()
    assert end.receive(frames.syn_stream(ident, end.block(c="d"))) == frames.rst_stream(ident, Status.PROTOCOL_ERROR)
    end.receive(frames.syn_stream(5, end.block(c="d")))
    assert end.told.log[-1] == ("5", "open", {"c": "d"}, False)


def test_syn_stream_for_a_live_stream_ends_it_on_both_sides() -> None:
    """Our reset would end it for the peer alone: a stream of ours would wait for ever."""
    end = server_with_stream()
    assert end.receive(frames.syn_stream(1, end.block())) == frames.rst_stream(1, Status.PROTOCOL_ERROR)
    assert end.told.log == [("1", "reset", Status.PROTOCOL_ERROR)]
    assert end.session.streams == 0
    client, ident, stream = client_with_stream()
    assert client.receive(frames.syn_stream(ident, client.block())) == frames.rst_stream(ident, Status.PROTOCOL_ERROR)
    assert stream.events == [("reset", Status.PROTOCOL_ERROR)]
    assert client.session.streams == 0


def test_refused_by_the_listener() -> None:
    end = End(Role.SERVER)
    end.told.accept = lambda stream, headers: False
    assert end.receive(frames.syn_stream(1, end.block())) == frames.rst_stream(1, Status.CANCEL)
    assert end.session.streams == 0
    assert end.receive(frames.data(1, b"pipelined", fin=True)) == b""


def test_listener_may_answer_from_inside_the_call() -> None:
    end = End(Role.SERVER)

    def accept(stream: int, headers: object) -> bool:
        end.session.reply(stream)
        end.session.send_data(stream, b"all", fin=True)
        return True

    end.told.accept = accept
    answer = end.receive(frames.syn_stream(1, end.block(), fin=False), frames.data(1, b"bye", fin=True))
    assert answer.endswith(frames.data(1, b"all", fin=True))
    assert end.told.log[1:] == [("1", "data", b"bye"), ("1", "fin")]
    assert end.session.streams == 0


def test_listener_that_resets_and_accepts_sends_one_reset() -> None:
    end = End(Role.SERVER)

    def accept(stream: int, headers: object) -> bool:
        end.session.reset(stream, Status.REFUSED_STREAM)
        return True

    end.told.accept = accept
    assert end.receive(frames.syn_stream(1, end.block())) == frames.rst_stream(1, Status.REFUSED_STREAM)


def test_more_streams_than_allowed_are_refused_and_later_ones_served() -> None:
    end = server_with_stream(max_streams=2)
    end.receive(frames.syn_stream(3, end.block()))
    assert end.receive(frames.syn_stream(5, end.block())) == frames.rst_stream(5, Status.REFUSED_STREAM)
    end.session.reset(1)
    end.session.take_outgoing()
    assert end.receive(frames.syn_stream(7, end.block()))[:4] == b"\x80\x03\x00\x02"


def test_no_streams_are_served_after_our_goaway() -> None:
    """It named the last one: the peer may already be trying elsewhere."""
    end = server_with_stream()
    end.session.goaway()
    assert end.session.take_outgoing() == frames.goaway(1)
    assert end.receive(frames.syn_stream(3, end.block())) == frames.rst_stream(3, Status.REFUSED_STREAM)
    assert end.receive(frames.data(1, b"still here")) == b""
    assert end.told.log == [("1", "data", b"still here")]


def test_a_goaway_is_told_and_open_streams_go_on() -> None:
    end, ident, _ = client_with_stream()
    end.receive(frames.goaway(0x80000005, 2), frames.data(ident, b"drained"))
    assert end.session.goaway_received
    assert end.told.log == [("session", "goaway", 5, 2), ("stream", "data", b"drained")]
    assert "going away" in repr(end.session)
