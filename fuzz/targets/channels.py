"""Channels in WebSocket messages, the server's role, in all subprotocols."""

from __future__ import annotations

import base64
from typing import Any

from fairlead.lab.cri.channels import Channels
from fuzz.harness import Feed, Log
from fuzz.program import Program
from fuzz.targets import websocket_server
from tests.support.frames import KEY, frame

HELD, PEAK = websocket_server.HELD, websocket_server.PEAK
PROTOCOLS = ("v4.channel.k8s.io", "v5.channel.k8s.io", "v4.base64.channel.k8s.io")


class Listener:
    def __init__(self, log: Log) -> None:
        self._log = log
        self._closed = False

    def on_channel(self, channel: int, data: memoryview) -> None:
        assert not self._closed, "data after the close"
        assert 0 <= channel < 256
        assert len(data), "empty data"
        last: tuple[Any, ...] = self._log[-1] if self._log else ()
        if last[:2] == ("data", channel):
            self._log[-1] = ("data", channel, last[2] + bytes(data))
        else:
            self._log.append(("data", channel, bytes(data)))

    def on_channel_end(self, channel: int) -> None:
        assert not self._closed, "an end after the close"
        self._log.append(("end", channel))

    def on_close(self, code: int, reason: str) -> None:
        assert not self._closed, "second close"
        self._closed = True
        self._log.append(("close", code, reason))


def message(program: Program, *, text: bool) -> bytes:
    """A message on a channel, right in most of its parts."""
    channel, payload = program.number(8), program.text()
    if program.number(8) == 0:
        return frame(1 if program.flag() else 2, payload, key=KEY)
    if text:
        return frame(1, b"%d" % channel + base64.b64encode(payload)[: None if program.number(6) else -1], key=KEY)
    return frame(2, bytes((255 if program.number(6) == 0 else channel,)) + payload, key=KEY)


def play(program: Program, feed: Feed) -> None:
    protocol = PROTOCOLS[program.number(3)]
    channels = Channels(Listener(feed.log), protocol)
    feed.measure()
    while program.more:
        if program.number(3):
            wire = message(program, text=channels.text)
        else:
            wire = websocket_server.peer_frame(program, key=KEY)
        feed(channels.receive, wire, channels.take_outgoing)
