"""WebSocket framing in the client role."""

from __future__ import annotations

from fuzz.harness import Feed
from fuzz.program import Program
from fuzz.targets import websocket_server

HELD, PEAK = websocket_server.HELD, websocket_server.PEAK


def play(program: Program, feed: Feed) -> None:
    websocket_server.play_role(program, feed, client=True)
