"""What a SPDY peer may send, from a program's choices."""

from __future__ import annotations

from fairlead.protocol.spdy import frames
from fairlead.protocol.spdy.headers import HeaderEncoder
from fuzz.program import Program
from tests.support.engines import control, u32

NAMES = ("streamtype", "port", "requestid", "x")
VALUES = ("error", "data", "80", "0", "1", "2", "", "65536", "\xff")


class Peer:
    """Makes frames; its header blocks share one compression state, as a real peer's do."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._encoder = HeaderEncoder()
        self._next = 1
        self._rest = b""

    def frame(self) -> bytes:
        """The next frame, or the end of one that was sent in two parts."""
        if self._rest:
            rest, self._rest = self._rest, b""
            return rest
        makers = (
            self._raw, self._syn_stream, self._data, self._pair, self._syn_reply, self._rst_stream, self._ping,
            self._goaway, self._headers, self._settings, self._control, self._bomb, self._lie, self._flood,
            self._accept, self._part,
        )  # fmt: skip
        return makers[self._program.number(len(makers))]()

    def ident(self) -> int:
        """Mostly one of the first streams, seldom any number."""
        number = self._program.number()
        return number % 16 if number < 250 else self._program.number(1 << 32)

    def _block(self) -> bytes:
        headers = {}
        for _ in range(self._program.number(5)):
            choice = self._program.number(len(NAMES) * len(VALUES))
            headers[NAMES[choice % len(NAMES)]] = VALUES[choice // len(NAMES)]
        return self._encoder.encode(headers)

    def _raw(self) -> bytes:
        return self._program.text()

    def _syn_stream(self) -> bytes:
        return frames.syn_stream(self.ident(), self._block(), fin=self._program.flag())

    def _pair(self) -> bytes:
        """A well-formed request, in the order kubectl uses."""
        request = str(self._program.number(4))
        wire = b""
        for kind in "error", "data":
            headers = {"streamtype": kind, "port": "80", "requestid": request}
            wire += frames.syn_stream(self._next, self._encoder.encode(headers))
            self._next += 2
        return wire

    def _data(self) -> bytes:
        return frames.data(self.ident() & frames.MAX_STREAM_ID, self._program.text(), fin=self._program.flag())

    def _syn_reply(self) -> bytes:
        flags = self._program.number(3)
        return control(2, u32(self.ident()) + self._block(), flags=flags)

    def _rst_stream(self) -> bytes:
        return frames.rst_stream(self.ident(), self._program.number(13))

    def _ping(self) -> bytes:
        return control(6, u32(self.ident()), flags=self._program.number(16) == 1)

    def _goaway(self) -> bytes:
        return frames.goaway(self.ident(), self._program.number(3))

    def _headers(self) -> bytes:
        return control(8, u32(self.ident()) + self._block())

    def _settings(self) -> bytes:
        return control(4, u32(self._program.number(4)) + bytes(8 * self._program.number(4)))

    def _control(self) -> bytes:
        kind, flags, version = self._program.number(12), self._program.number(), self._program.number(5)
        return control(kind, self._program.text(), flags=flags, version=version)

    def _accept(self) -> bytes:
        """Replies for the two streams of one connection."""
        first = 1 + 4 * self._program.number(4)
        return b"".join(frames.syn_reply(ident, self._encoder.encode({})) for ident in (first, first + 2))

    def _part(self) -> bytes:
        """Half of a frame with data for a connection; our side may act before the other half."""
        whole = frames.data(3 + 4 * self._program.number(4), b"in two parts", fin=self._program.flag())
        self._rest = whole[14:]
        return whole[:14]

    def _bomb(self) -> bytes:
        """Small frames that inflate to as much as is allowed and more, in one header or in many."""
        size, many = self._program.number() << self._program.number(10), self._program.number(300)
        if self._program.flag():
            many = 0
        wire = b""
        for n in range(1 + self._program.number(24)):
            headers = {"streamtype": "error", "port": "80", "requestid": f"{n}" + "x" * size}
            wire += frames.syn_stream(self._next, self._encoder.encode(headers | {f"{n}": "" for n in range(many)}))
            self._next += 2
        return wire

    def _lie(self) -> bytes:
        """A frame whose length is not what follows."""
        length, body = self._program.number(1 << 24), self._program.text()
        if self._program.flag():
            return control(self._program.number(10), body, length=length)
        return u32(self.ident() & frames.MAX_STREAM_ID, length) + body

    def _flood(self) -> bytes:
        """The same small frame a few hundred times."""
        frame = (self._ping, self._rst_stream, self._data, self._settings)[self._program.number(4)]()
        return frame * self._program.number(300)
