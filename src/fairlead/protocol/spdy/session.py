"""One SPDY/3.1 connection as an engine: bytes in, calls out, bytes to send. No I/O, no clock.

Push, because this is the hot path: ``receive`` calls the listener of a stream with views of the buffer that was passed
in, valid only until ``receive`` returns. Payload to send is never held here: ``data_header_into`` writes the eight
bytes before the caller's own payload. Everything else that wants to be sent waits in ``take_outgoing``.

Limits: a control frame body of MAX_CONTROL bytes, a header block of ``headers.MAX_BLOCK`` bytes, ``max_streams`` open
streams. What the engine answers by itself is no longer than what asked for it, and waits only until the caller takes
it, which it does after every ``receive``. Input beyond a limit is a ProtocolError; so is input that the draft or
spdystream calls fatal. After a ProtocolError the engine takes no more input.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Protocol

from fairlead.errors import ProtocolError
from fairlead.protocol.spdy import frames
from fairlead.protocol.spdy.frames import FLAG_FIN, HEADER_SIZE, FrameType, Status
from fairlead.protocol.spdy.headers import HeaderDecoder, HeaderEncoder
from fairlead.protocol.spdy.state import TRANSITIONS, Half, Input

MAX_CONTROL = 64 * 1024
"""Bytes of one control frame's body: a thousand times what Kubernetes sends, and what one lane may cost in memory."""

_U32 = struct.Struct(">I")
_2U32 = struct.Struct(">II")


class Role(Enum):
    """Which side of the connection this engine is; the value is its first stream and ping id."""

    CLIENT = 1
    SERVER = 2


class StreamListener(Protocol):
    """What happens on one stream. No call comes after ``on_reset``, or after both halves are done."""

    def on_reply(self, headers: Mapping[str, str]) -> None:
        """The peer accepted the stream."""

    def on_data(self, data: memoryview) -> None:
        """Bytes of the stream, in order; the view is valid until ``receive`` returns."""

    def on_fin(self) -> None:
        """The peer's half is done: no more ``on_data``."""

    def on_reset(self, status: int) -> None:
        """The peer, or the engine because of the peer's fault on this stream, ended both halves."""


class SessionListener(Protocol):
    """What happens on the connection itself."""

    def on_open(self, stream: int, headers: Mapping[str, str], *, fin: bool) -> StreamListener | None:
        """The peer opens a stream: its listener accepts it (call ``reply``), None refuses it."""

    def on_pong(self, ident: int) -> None:
        """A ping of ours was answered."""

    def on_goaway(self, last_good: int, status: int) -> None:
        """The peer will serve no new streams; spdystream closes the connection right after this."""


class _Stream:
    __slots__ = ("id", "listener", "ours", "theirs")

    def __init__(self, ident: int, listener: StreamListener, ours: Half, theirs: Half) -> None:
        self.id = ident
        self.listener = listener
        self.ours = ours
        self.theirs = theirs


class Session:
    """The engine of one connection, in either role."""

    def __init__(self, role: Role, listener: SessionListener, *, max_streams: int = 8192) -> None:
        self.role = role
        self.goaway_received = False
        self._goaway_sent = False
        self._listener = listener
        self._max_streams = max_streams
        self._streams: dict[int, _Stream] = {}
        self._next_stream = role.value
        self._next_ping = role.value
        self._last_accepted = 0
        self._encoder = HeaderEncoder()
        self._decoder = HeaderDecoder()
        self._out: list[bytes] = []
        # Receiving: an unfinished 8-byte head, the body of a control frame, or the rest of a data frame.
        self._partial = bytearray()
        self._body_missing = 0
        self._control = (0, 0)
        self._data_left = 0
        self._data_fin = False
        self._data_stream: _Stream | None = None
        self._broken = False

    def __repr__(self) -> str:
        state = "broken" if self._broken else "going away" if self.goaway_received else "open"
        return f"<spdy {self.role.name.lower()} {state} streams={len(self._streams)}>"

    # -- sending ---------------------------------------------------------------------------------------------------

    @property
    def streams(self) -> int:
        """How many streams are not done in both directions."""
        return len(self._streams)

    @property
    def exhausted(self) -> bool:
        """No further stream ids: the connection can serve no new streams."""
        return self._next_stream > frames.MAX_STREAM_ID - 8

    def open(self, headers: Mapping[str, str], listener: StreamListener, *, fin: bool = False) -> int:
        """Open a stream and return its id; ``fin`` ends our half at once. Data may follow without waiting."""
        ident = self._next_stream
        if ident > frames.MAX_STREAM_ID:
            raise ProtocolError("SPDY stream ids of this connection are used up")
        self._next_stream += 2
        self._streams[ident] = _Stream(ident, listener, Half.DONE if fin else Half.OPEN, Half.SILENT)
        self._out.append(frames.syn_stream(ident, self._encoder.encode(headers), fin=fin))
        return ident

    def reply(self, ident: int) -> None:
        """Accept a stream that the peer opened."""
        stream = self._streams[ident]
        stream.ours = TRANSITIONS[stream.ours, Input.REPLY]
        self._out.append(frames.syn_reply(ident, self._encoder.encode({})))

    def data_header_into(self, buffer: bytearray | memoryview, offset: int, ident: int, length: int) -> None:
        """Write the head of a DATA frame in place; the caller sends it with its payload, after ``take_outgoing``."""
        frames.data_header_into(buffer, offset, ident, length)

    def may_send(self, ident: int) -> bool:
        """Whether our half of the stream is open."""
        stream = self._streams.get(ident)
        return stream is not None and stream.ours is Half.OPEN

    def send_data(self, ident: int, payload: bytes, *, fin: bool = False) -> None:
        """Queue ``payload`` as a DATA frame, or as several if it is too long for one; for small ones and cold paths."""
        while len(payload) > frames.MAX_LENGTH:
            self._out.append(frames.data(ident, payload[: frames.MAX_LENGTH]))
            payload = payload[frames.MAX_LENGTH :]
        if payload or fin:
            self._out.append(frames.data(ident, payload, fin=fin))
        if fin:
            self._finish_ours(ident)

    def fin(self, ident: int) -> None:
        """End our half of the stream, as an empty DATA frame."""
        self.send_data(ident, b"", fin=True)

    def reset(self, ident: int, status: int = Status.CANCEL) -> None:
        """End both halves at once; the listener is not called. A stream that is done already is left alone."""
        stream = self._streams.pop(ident, None)
        if stream is not None:
            # The rest of a half received DATA frame looks at the stream, not at the table.
            stream.ours = stream.theirs = Half.DONE
            self._out.append(frames.rst_stream(ident, status))

    def ping(self) -> int:
        """Ask the peer for a sign of life; returns the id that ``on_pong`` will carry."""
        ident = self._next_ping
        self._next_ping = ident + 2 if ident < 0x7FFFFFF0 else self.role.value
        self._out.append(frames.ping(ident))
        return ident

    def goaway(self) -> None:
        """Say that we end the session: streams that the peer opens from now on are refused."""
        self._goaway_sent = True
        self._out.append(frames.goaway(self._last_accepted))

    def take_outgoing(self) -> bytes:
        """Everything queued, for one write; empty when there is nothing."""
        if not self._out:
            return b""
        joined = self._out[0] if len(self._out) == 1 else b"".join(self._out)
        self._out.clear()
        return joined

    def _finish_ours(self, ident: int) -> None:
        stream = self._streams[ident]
        stream.ours = TRANSITIONS[stream.ours, Input.FIN]
        if stream.theirs is Half.DONE:
            del self._streams[ident]

    # -- receiving -------------------------------------------------------------------------------------------------

    def receive(self, data: memoryview) -> None:
        """Take what was read; raises ProtocolError when the connection cannot go on."""
        if self._broken:
            raise ProtocolError("SPDY connection is broken already")
        try:
            self._receive(data)
        except ProtocolError:
            self._broken = True
            self._partial.clear()
            raise

    def _receive(self, data: memoryview) -> None:
        at, end = 0, len(data)
        while at < end:
            if self._data_left:
                at = self._payload(data, at, end)
            elif self._body_missing:
                at = self._body(data, at, end)
            elif not self._partial and end - at >= HEADER_SIZE:
                first, rest = frames.unpack_head(data, at)
                at += HEADER_SIZE
                self._head(first, rest)
            else:
                take = min(HEADER_SIZE - len(self._partial), end - at)
                self._partial += data[at : at + take]
                at += take
                if len(self._partial) == HEADER_SIZE:
                    first, rest = frames.unpack_head(self._partial, 0)
                    self._partial.clear()
                    self._head(first, rest)

    def _head(self, first: int, rest: int) -> None:
        length = rest & 0xFFFFFF
        flags = rest >> 24
        if not first & 0x80000000:
            self._data_head(first, flags, length)
            return
        # The version is not checked, as in spdystream: an unknown type is fatal, an old version is not.
        kind = first & 0xFFFF
        if kind not in _HANDLERS:
            raise ProtocolError(f"SPDY control frame of unknown type {kind}")
        if length > MAX_CONTROL:
            raise ProtocolError(f"SPDY control frame of {length} bytes is larger than {MAX_CONTROL}")
        self._control = (kind, flags)
        self._body_missing = length
        if not length:
            _HANDLERS[kind](self, b"", flags)

    def _body(self, data: memoryview, at: int, end: int) -> int:
        take = min(self._body_missing, end - at)
        self._partial += data[at : at + take]
        self._body_missing -= take
        if not self._body_missing:
            body = bytes(self._partial)
            self._partial.clear()
            kind, flags = self._control
            _HANDLERS[kind](self, body, flags)
        return at + take

    # -- data --

    def _data_head(self, ident: int, flags: int, length: int) -> None:
        stream = self._streams.get(ident)
        # Data for a stream that is gone crossed our reset on the wire: it is skipped, as every implementation does.
        if stream is not None and stream.theirs is not Half.OPEN:
            # So is what kubectl says after its own end, as a server meets it: the answer is still on its way.
            if stream.theirs is Half.SILENT:
                self._fault(stream, Status.PROTOCOL_ERROR)
            elif self.role is Role.CLIENT:
                self._fault(stream, Status.STREAM_ALREADY_CLOSED)
            stream = None
        self._data_stream = stream
        self._data_left = length
        self._data_fin = bool(flags & FLAG_FIN)
        if not length:
            self._data_end()

    def _payload(self, data: memoryview, at: int, end: int) -> int:
        stop = at + self._data_left
        if stop > end:
            stop = end
        self._data_left -= stop - at
        stream = self._data_stream
        # The listener may have reset the stream in an earlier part of the same frame.
        if stream is not None and stream.theirs is Half.OPEN:
            stream.listener.on_data(data[at:stop])
        if not self._data_left:
            self._data_end()
        return stop

    def _data_end(self) -> None:
        stream, self._data_stream = self._data_stream, None
        if stream is not None and self._data_fin and self._streams.get(stream.id) is stream:
            self._finish_theirs(stream)

    def _finish_theirs(self, stream: _Stream) -> None:
        stream.theirs = TRANSITIONS[stream.theirs, Input.FIN]
        if stream.ours is Half.DONE:
            del self._streams[stream.id]
        stream.listener.on_fin()

    def _fault(self, stream: _Stream, status: Status) -> None:
        """The peer broke the rules of one stream: only that stream ends."""
        self.reset(stream.id, status)
        self._reset(stream, status)

    def _reset(self, stream: _Stream, status: int) -> None:
        stream.ours = TRANSITIONS[stream.ours, Input.RESET]
        stream.theirs = TRANSITIONS[stream.theirs, Input.RESET]
        stream.listener.on_reset(status)

    # -- control frames --

    def _on_syn_stream(self, body: bytes, flags: int) -> None:
        if len(body) < 10:
            raise ProtocolError("SPDY SYN_STREAM is too short")
        ident = _U32.unpack_from(body)[0] & frames.MAX_STREAM_ID
        headers = self._decoder.decode(body[10:])
        if ident == 0:
            raise ProtocolError("SPDY SYN_STREAM for stream 0")
        if ident <= self._last_accepted or ident & 1 == self.role.value & 1:
            stream = self._streams.get(ident)
            if stream is not None:
                self._fault(stream, Status.PROTOCOL_ERROR)
            else:
                self._out.append(frames.rst_stream(ident, Status.PROTOCOL_ERROR))
            return
        self._last_accepted = ident
        if len(self._streams) >= self._max_streams or self._goaway_sent or self.goaway_received:
            self._out.append(frames.rst_stream(ident, Status.REFUSED_STREAM))
            return
        fin = bool(flags & FLAG_FIN)
        # In the table before the listener is asked, so that it can answer from inside the call.
        stream = _Stream(ident, _REFUSED, Half.SILENT, Half.DONE if fin else Half.OPEN)
        self._streams[ident] = stream
        listener = self._listener.on_open(ident, headers, fin=fin)
        if listener is None:
            self.reset(ident, Status.CANCEL)
        else:
            stream.listener = listener

    def _on_syn_reply(self, body: bytes, flags: int) -> None:
        if len(body) < 4:
            raise ProtocolError("SPDY SYN_REPLY is too short")
        headers = self._decoder.decode(body[4:])
        stream = self._streams.get(_U32.unpack_from(body)[0] & frames.MAX_STREAM_ID)
        # Late or repeated: spdystream ignores them, and our own time limit for a reply makes late ones normal.
        if stream is None or stream.theirs is not Half.SILENT:
            return
        stream.theirs = TRANSITIONS[stream.theirs, Input.REPLY]
        stream.listener.on_reply(headers)
        if flags & FLAG_FIN and self._streams.get(stream.id) is stream and stream.theirs is Half.OPEN:
            self._finish_theirs(stream)

    def _on_rst_stream(self, body: bytes, _flags: int) -> None:
        ident, status = self._two(body, "RST_STREAM")
        if status == 0:
            raise ProtocolError("SPDY RST_STREAM with status 0")
        stream = self._streams.pop(ident & frames.MAX_STREAM_ID, None)
        if stream is not None:
            self._reset(stream, status)

    def _on_ping(self, body: bytes, flags: int) -> None:
        if len(body) != 4 or flags:
            raise ProtocolError("SPDY PING with a wrong length or flags")
        (ident,) = _U32.unpack(body)
        if ident == 0:
            raise ProtocolError("SPDY PING with id 0")
        if ident & 1 == self.role.value & 1:
            self._listener.on_pong(ident)
        else:
            self._out.append(frames.ping(ident))

    def _on_goaway(self, body: bytes, flags: int) -> None:
        if flags:
            raise ProtocolError("SPDY GOAWAY with flags")
        last_good, status = self._two(body, "GOAWAY")
        self.goaway_received = True
        self._listener.on_goaway(last_good & frames.MAX_STREAM_ID, status)

    def _on_settings(self, body: bytes, _flags: int) -> None:
        if len(body) < 4 or len(body) - 4 != 8 * _U32.unpack_from(body)[0]:
            raise ProtocolError("SPDY SETTINGS count does not fit its length")

    def _on_headers(self, body: bytes, _flags: int) -> None:
        if len(body) < 4:
            raise ProtocolError("SPDY HEADERS is too short")
        self._decoder.decode(body[4:])

    def _on_window_update(self, body: bytes, _flags: int) -> None:
        self._two(body, "WINDOW_UPDATE")

    @staticmethod
    def _two(body: bytes, name: str) -> tuple[int, int]:
        if len(body) != 8:
            raise ProtocolError(f"SPDY {name} of {len(body)} bytes instead of 8")
        first, second = _2U32.unpack(body)
        return first, second


class _Refused:
    """Stands in for a listener while the session listener decides."""

    def on_reply(self, headers: Mapping[str, str]) -> None: ...
    def on_data(self, data: memoryview) -> None: ...
    def on_fin(self) -> None: ...
    def on_reset(self, status: int) -> None: ...


_REFUSED = _Refused()


_HANDLERS: dict[int, Callable[[Session, bytes, int], None]] = {
    FrameType.SYN_STREAM: Session._on_syn_stream,
    FrameType.SYN_REPLY: Session._on_syn_reply,
    FrameType.RST_STREAM: Session._on_rst_stream,
    FrameType.SETTINGS: Session._on_settings,
    FrameType.PING: Session._on_ping,
    FrameType.GOAWAY: Session._on_goaway,
    FrameType.HEADERS: Session._on_headers,
    FrameType.WINDOW_UPDATE: Session._on_window_update,
}
"""Not of a session's own: it would refer to itself, and its compressors would wait for the garbage collector."""
