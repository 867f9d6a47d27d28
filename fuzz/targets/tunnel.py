"""SPDY inside WebSocket: the server engine hears in messages of any borders what it hears without them."""

from __future__ import annotations

from fairlead.protocol.websocket import WebSocket
from fuzz.harness import Feed
from fuzz.program import Program
from fuzz.targets import spdy_server, websocket_server
from fuzz.wire import Peer
from tests.support.frames import KEY, frame

HELD, PEAK = spdy_server.HELD + websocket_server.HELD, spdy_server.PEAK + websocket_server.PEAK


class Into:
    """Hands the payload to the engine."""

    def __init__(self, server: spdy_server.Server) -> None:
        self._session = server.session

    def on_payload(self, data: memoryview) -> None:
        self._session.receive(data)

    def on_close(self, code: int, reason: str) -> None:
        raise AssertionError("nobody closed")


def play(program: Program, feed: Feed) -> None:
    server, peer = spdy_server.Server(program, feed), Peer(program)
    socket = WebSocket(Into(server), client=False, mask=lambda: b"")
    feed.measure()
    while program.more:
        if program.number(4) == 0:
            server.act()
        wire = wrapped(program, peer.frame())
        feed(socket.receive, wire, lambda: socket.take_outgoing() + server.session.take_outgoing())


def wrapped(program: Program, payload: bytes) -> bytes:
    """In one message or two, the second in two fragments with a ping and nothing between them."""
    cut = program.number()
    if cut >= len(payload):
        return frame(2, payload, key=KEY)
    half = (cut + len(payload)) // 2
    return b"".join((
        frame(2, payload[:cut], key=KEY),
        frame(2, payload[cut:half], key=KEY, final=False),
        frame(9, b"", key=KEY),
        frame(0, b"", key=KEY, final=False),
        frame(0, payload[half:], key=KEY),
    ))  # fmt: skip
