"""WebSocket framing in the server role, and what both roles' fuzzers share."""

from __future__ import annotations

from typing import Any

from fairlead.protocol.websocket import CloseCode, WebSocket
from fuzz.harness import Feed, Log
from fuzz.program import Program
from tests.support.frames import KEY, frame

HELD = 2048  # a frame's header, a control frame and the answer to it
PEAK = 4096


class Listener:
    def __init__(self, log: Log) -> None:
        self._log = log
        self._closed = False

    def on_payload(self, data: memoryview) -> None:
        assert not self._closed, "payload after the close"
        assert len(data), "empty payload"
        last: tuple[Any, ...] = self._log[-1] if self._log else ()
        if last[:1] == ("payload",):
            self._log[-1] = ("payload", last[1] + bytes(data))
        else:
            self._log.append(("payload", bytes(data)))

    def on_close(self, code: int, reason: str) -> None:
        assert not self._closed, "second close"
        self._closed = True
        self._log.append(("close", code, reason))


def peer_frame(program: Program, *, key: bytes | None) -> bytes:
    """A frame, right in most of its parts."""
    choice = program.number(16)
    if choice == 0:
        return program.text()
    opcode = (2, 2, 0, 0, 9, 10, 8)[program.number(7)] if choice < 14 else program.number(16)
    payload = program.text() * (1, 1, 1, 1, 1, 6, 6, 6, 60, 60, 60, 3000)[program.number(12)]
    final, form = program.number(3) != 0, (None, None, 16, 64)[program.number(4)]
    if choice == 1:
        return frame(
            opcode, payload, key=key, final=final, form=64, length=program.number(1 << 32) << program.number(33)
        )
    if choice == 2:
        return frame(opcode, payload, key=program.take(4).ljust(4, b"\0") if program.flag() else None)
    if choice == 3:
        return frame(opcode, payload, key=key, reserved=program.number(8))
    if choice == 4:
        return frame(opcode, payload[:125], key=key) * program.number(500)
    if form == 16 and len(payload) > 65535:
        form = None
    return frame(opcode, payload, key=key, final=final, form=form)


def play_role(program: Program, feed: Feed, *, client: bool) -> None:
    socket = WebSocket(Listener(feed.log), client=client, mask=lambda: KEY)
    feed.measure()
    while program.more:
        if program.number(16) == 0:
            socket.close(CloseCode.NORMAL)
        key = None if client else bytes(4) if program.number(4) == 0 else KEY
        feed(socket.receive, peer_frame(program, key=key), socket.take_outgoing)


def play(program: Program, feed: Feed) -> None:
    play_role(program, feed, client=False)
