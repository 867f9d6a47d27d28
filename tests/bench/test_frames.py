"""The floor client's frames against our own engine in the server's role."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bench import frames
from bench.errors import BenchError
from fairlead.protocol.spdy.session import Role, Session, StreamListener


class Server:
    """Accepts every stream and keeps what it is told."""

    def __init__(self) -> None:
        self.opened: list[tuple[int, dict[str, str]]] = []
        self.data: dict[int, int] = {}
        self.ended: list[int] = []
        self.reset: list[int] = []
        self.session = Session(Role.SERVER, self)

    def on_open(self, stream: int, headers: Mapping[str, str], *, fin: bool) -> StreamListener:
        self.opened.append((stream, dict(headers)))
        self.data[stream] = 0
        self.session.reply(stream)
        return Stream(self, stream)

    def on_pong(self, ident: int) -> None: ...
    def on_goaway(self, last_good: int, status: int) -> None: ...


class Stream:
    def __init__(self, server: Server, ident: int) -> None:
        self.server, self.ident = server, ident

    def on_reply(self, headers: Mapping[str, str]) -> None: ...

    def on_data(self, data: memoryview) -> None:
        self.server.data[self.ident] += len(data)

    def on_fin(self) -> None:
        self.server.ended.append(self.ident)

    def on_reset(self, status: int) -> None:
        self.server.reset.append(self.ident)


def test_connections_are_two_streams_each_and_end() -> None:
    server, script = Server(), frames.Script()
    for number in range(100):
        stream, opening = script.open(80, b"hello")
        server.session.receive(memoryview(opening))
        error = stream - 2
        common = {"port": "80", "requestid": str(number)}
        kinds = [(error, {"streamtype": "error", **common}), (stream, {"streamtype": "data", **common})]
        assert server.opened[-2:] == kinds
        assert server.ended[-1] == error
        assert server.data[stream] == 5
        server.session.receive(memoryview(frames.end(stream)))
        assert server.reset[-2:] == [stream, error]
    assert server.session.streams == 0


@pytest.mark.parametrize("size", [16 * 1024, 64 * 1024, 256 * 1024, frames.BLOCK])
def test_upload_block_is_whole_frames(size: int) -> None:
    server = Server()
    stream, opening = frames.Script().open(7002, b"1\n")
    server.session.receive(memoryview(opening + frames.upload_block(stream, size) * 2))
    assert server.data[stream] == 2 + 2 * frames.BLOCK


def answers(*payloads: tuple[int, int]) -> bytes:
    """What a server sends: replies to both streams, then (stream, bytes) of payload."""
    server, script = Server(), frames.Script()
    for _ in range(4):
        server.session.receive(memoryview(script.open(80, b"x")[1]))
    for stream, size in payloads:
        server.session.send_data(stream, bytes(size))
    server.session.ping()
    return server.session.take_outgoing()


@pytest.mark.parametrize("step", [1, 3, 8, 1000, 10**6])
def test_walk_counts_payload_however_it_is_cut(step: int) -> None:
    data, walk = memoryview(answers((3, 10), (7, 500), (3, 40_000), (3, 0))), frames.Walk()
    touched = set()
    for at in range(0, len(data), step):
        touched |= walk.feed(data[at : at + step])
    assert walk.received == {3: 40_010, 7: 500}
    assert touched == {3, 7}


def test_text_on_an_error_stream_is_a_failure() -> None:
    server, walk = Server(), frames.Walk()
    server.session.receive(memoryview(frames.Script().open(81, b"x")[1]))
    server.session.take_outgoing()
    server.session.send_data(5, b"connection refused")
    with pytest.raises(BenchError, match="could not connect"):
        walk.feed(memoryview(server.session.take_outgoing()))


def test_goaway_is_a_failure() -> None:
    server, walk = Server(), frames.Walk()
    server.session.goaway()
    with pytest.raises(BenchError, match="ended the session"):
        walk.feed(memoryview(server.session.take_outgoing()))
