"""The floor client's bytes: prebuilt on the way out, hardly looked at on the way in. Pure.

This is what a client cannot do without: two streams a connection, headers in one zlib stream, and a count of what came.
"""

from __future__ import annotations

from bench.errors import BenchError
from fairlead.protocol.spdy import frames
from fairlead.protocol.spdy.headers import HeaderEncoder

BLOCK = 1 << 20
"""Bytes of payload in one block of an upload."""


class Script:
    """What one lane sends, in order: header blocks depend on all blocks before them."""

    def __init__(self) -> None:
        self._encoder = HeaderEncoder()
        self._request = 0

    def open(self, port: int, first: bytes) -> tuple[int, bytes]:
        """A new connection and its first bytes, in one piece; and the id of its data stream."""
        error = 4 * self._request + 1
        common = {"port": str(port), "requestid": str(self._request)}
        self._request += 1
        blocks = [self._encoder.encode({"streamtype": kind, **common}) for kind in ("error", "data")]
        return error + 2, b"".join(
            (
                frames.syn_stream(error, blocks[0]),
                frames.data(error, fin=True),
                frames.syn_stream(error + 2, blocks[1]),
                frames.data(error + 2, first),
            )
        )


def end(stream: int) -> bytes:
    """End the connection whose data stream this is, at once and for good."""
    cancel = frames.Status.CANCEL
    return frames.rst_stream(stream, cancel) + frames.rst_stream(stream - 2, cancel)


def upload_block(stream: int, size: int) -> bytes:
    """BLOCK bytes of payload in DATA frames of ``size`` bytes, headers included."""
    return frames.data(stream, bytes(size)) * (BLOCK // size)


class Walk:
    """Steps from frame to frame and counts payload by stream; the payload itself is never touched."""

    def __init__(self) -> None:
        self.received: dict[int, int] = {}
        """Payload bytes of each data stream so far; streams appear with their first byte."""
        self._left = 0
        self._stream = 0
        self._head = b""

    def feed(self, data: memoryview) -> set[int]:
        """Take what was read; return the data streams that got bytes."""
        touched: set[int] = set()
        at, end = 0, len(data)
        while at < end:
            if self._left:
                step = min(self._left, end - at)
                if self._stream:
                    self.received[self._stream] = self.received.get(self._stream, 0) + step
                    touched.add(self._stream)
                self._left -= step
                at += step
            elif not self._head and end - at >= frames.HEADER_SIZE:
                self._enter(*frames.unpack_head(data, at))
                at += frames.HEADER_SIZE
            else:
                missing = frames.HEADER_SIZE - len(self._head)
                self._head += bytes(data[at : at + missing])
                at += missing
                if len(self._head) == frames.HEADER_SIZE:
                    head, self._head = self._head, b""
                    self._enter(*frames.unpack_head(head, 0))
        return touched

    def _enter(self, first: int, rest: int) -> None:
        self._left = rest & frames.MAX_LENGTH
        self._stream = 0 if first & 0x80000000 else first
        if self._stream & 3 == 1 and self._left:
            raise BenchError("the server reports that it could not connect to the port in the pod")
        if not self._stream and first & 0xFFFF == frames.FrameType.GOAWAY:
            raise BenchError("the server ended the session")
