"""A client's upgraded connection: what SPDY and WebSocket have in common, and the one that drives a SPDY session."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol, cast

from fairlead.errors import ProtocolError
from fairlead.kit import log
from fairlead.net.buffer import ReadBuffer
from fairlead.protocol.spdy.frames import HEADER_SIZE
from fairlead.protocol.spdy.session import Role, Session, StreamListener

IDLE = 4 * 3600.0
"""Seconds without a byte in either direction after which a client is given up, as containerd has it. Pings count."""
SMALL = 4096
"""Bytes of a payload that is gathered with others into one write."""
HIGH_WATER = 1024 * 1024
"""Unsent bytes at which nothing more is read for the client: what a network takes in a few ms."""
MOST_UNSENT = 4 * 1024 * 1024
"""Unsent bytes at which the client itself is not read: so much comes of questions, like pings, whose answers it does
not take."""
FAREWELL = 10.0
"""Seconds that the client has to close after a clean end, before we do."""

_log = log.get(__name__)


class Service(Protocol):
    """What is served on a connection."""

    def after_read(self) -> None:
        """All of one read was told: what was written meanwhile can be sent."""

    def pause(self) -> None:
        """The client takes no more for now."""

    def resume(self) -> None:
        """It takes more."""

    def lost(self) -> None:
        """The client is gone."""


class ClientConnection(asyncio.BufferedProtocol):
    """One client. A subclass has the engine, and the service."""

    def __init__(self, buffer: ReadBuffer, idle: float, gone: Callable[[ClientConnection], None]) -> None:
        self.loop = asyncio.get_running_loop()
        self.closed = False
        self.writable = True
        """Whether the client takes more; nothing is read for it while it does not."""
        self._buffer = buffer
        self._idle = idle
        self._gone = gone
        self._flushing = False
        self._held: set[str] = set()
        self._idle_timer: asyncio.TimerHandle | None = None
        self._farewell: asyncio.TimerHandle | None = None

    # -- what a subclass has --

    _service: Service

    def _feed(self, data: memoryview) -> None:
        """Take what was read. ProtocolError."""
        raise NotImplementedError

    def _take_outgoing(self) -> bytes:
        """What the engine wants to say."""
        raise NotImplementedError

    def _say_goodbye(self) -> None:
        """Let the engine say that we end."""

    # -- what the transport calls --

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the client to speak."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER)
        self._active = self.loop.time()
        self._idle_timer = self.loop.call_later(self._idle, self._look_idle)

    def get_buffer(self, sizehint: int) -> memoryview:
        """The loop's shared buffer."""
        return self._buffer.whole

    def buffer_updated(self, nbytes: int) -> None:
        """Feed the engine, let what it was told to write be sent in one go, and answer."""
        if self.closed:
            return
        self._active = self.loop.time()
        try:
            self._feed(self._buffer.whole[:nbytes])
        except ProtocolError as error:
            _log.decision("a client broke the protocol: %s", error)
            self.end()
            return
        self._service.after_read()
        self.flush()

    def eof_received(self) -> bool:
        """Clients that close have nothing more to read."""
        self.end()
        return False

    def pause_writing(self) -> None:
        """The client takes no more."""
        self.writable = False
        self._service.pause()

    def resume_writing(self) -> None:
        """Go on."""
        self.writable = True
        self.read("unsent", wanted=True)
        self._service.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        """The last call of all."""
        _log.request("stream connection ended: %s", exc or "end of file")
        self._lose()
        if self._farewell is not None:
            self._farewell.cancel()
        self._gone(self)

    # -- what the service calls --

    def flush_soon(self) -> None:
        """Send what the engine has to say, with what else comes of this turn of the loop."""
        if not self._flushing and not self.closed:
            self._flushing = True
            self.loop.call_soon(self._flush)

    def read(self, reason: str, *, wanted: bool) -> None:
        """Read from the client unless somebody has a reason not to."""
        before = bool(self._held)
        (self._held.discard if wanted else self._held.add)(reason)
        if before == bool(self._held) or self.closed or self._transport.is_closing():
            return
        if self._held:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def finish(self) -> None:
        """All was said: the client closes. Whatever we said now would make kubectl drop what it has not read."""
        if not self.closed and self._farewell is None:
            self.flush()
            self._farewell = self.loop.call_later(FAREWELL, self.end)

    def end(self) -> None:
        """Close, after what is unsent."""
        if not self.closed:
            self.flush()
            self._lose()
            self._transport.close()

    def abort(self) -> None:
        """Break off."""
        self._lose()
        self._transport.abort()

    def flush(self) -> None:
        """Send what the engine has to say."""
        if self.closed:
            return
        outgoing = self._take_outgoing()
        if outgoing:
            self._write(outgoing)

    # -- inside --

    def _write(self, data: bytes) -> None:
        self._transport.write(data)
        self._active = self.loop.time()
        if not self.writable and self._transport.get_write_buffer_size() > MOST_UNSENT:
            self.read("unsent", wanted=False)

    def _flush(self) -> None:
        self._flushing = False
        self.flush()

    def _look_idle(self) -> None:
        left = self._active + self._idle - self.loop.time()
        if left > 0:
            self._idle_timer = self.loop.call_later(left, self._look_idle)
            return
        _log.decision("a client was silent for %g s", self._idle)
        self._say_goodbye()
        self.end()

    def _lose(self) -> None:
        if self.closed:
            return
        self.closed = True
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._service.lost()


class SpdyService(Service, Protocol):
    """What is served on a SPDY connection."""

    def on_open(self, stream: int, headers: Mapping[str, str], *, fin: bool) -> StreamListener | None:
        """The client opens a stream: its listener accepts it, None refuses it."""

    def next_timer(self) -> float | None:
        """When ``handle_timer`` wants to be called: the loop's seconds, or None."""

    def handle_timer(self, now: float) -> None:
        """That time has come."""


class SpdyConnection(ClientConnection):
    """Drives a session in the server's role. It never speaks first: kubectl loses what comes with a 101."""

    _service: SpdyService

    def __init__(
        self,
        buffer: ReadBuffer,
        make: Callable[[SpdyConnection], SpdyService],
        *,
        idle: float = IDLE,
        gone: Callable[[ClientConnection], None] = lambda connection: None,
    ) -> None:
        super().__init__(buffer, idle, gone)
        self._queued = 0
        self._timer: asyncio.TimerHandle | None = None
        self._due: float | None = None
        self.session = Session(Role.SERVER, self)
        self._service = make(self)

    # -- what the session calls --

    def on_open(self, stream: int, headers: Mapping[str, str], *, fin: bool) -> StreamListener | None:
        """The client opens a stream."""
        return self._service.on_open(stream, headers, fin=fin)

    def on_pong(self, ident: int) -> None:
        """We never ask."""

    def on_goaway(self, last_good: int, status: int) -> None:
        """The client ends, and closes right after that."""

    # -- what the service calls --

    def send(self, stream: int, buffer: memoryview, start: int, end: int) -> None:
        """Send ``buffer[start:end]`` on a stream; a header is written in place before it."""
        if self.closed or not self.session.may_send(stream):
            return
        length = end - start
        if length <= SMALL:
            self.session.send_data(stream, bytes(buffer[start:end]))
            self._queued += length
            if self._queued > SMALL:
                self.flush()
            else:
                self.flush_soon()
            return
        self.flush()
        self.session.data_header_into(buffer, start - HEADER_SIZE, stream, length)
        self._write(bytes(buffer[start - HEADER_SIZE : end]))

    # -- for the connection --

    def _feed(self, data: memoryview) -> None:
        self.session.receive(data)
        self._arm()

    def _take_outgoing(self) -> bytes:
        self._queued = 0
        return self.session.take_outgoing()

    def _say_goodbye(self) -> None:
        self.session.goaway()

    def _lose(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        super()._lose()

    def _arm(self) -> None:
        """Be woken when the service wants to be."""
        due = self._service.next_timer()
        if due == self._due or self.closed:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = None if due is None else self.loop.call_at(due, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = self._due = None
        self._service.handle_timer(self.loop.time())
        self.flush()
        self._arm()
