"""A lane: one upgraded connection to one pod, and the forwarded connections on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol, cast

from fairlead.dial.hold import Hold
from fairlead.dial.pulse import Pulse
from fairlead.errors import ProtocolError
from fairlead.kit import log
from fairlead.net.buffer import ReadBuffer
from fairlead.net.carrier import Carrier
from fairlead.net.peer import peer_state
from fairlead.net.stream import LocalEnd
from fairlead.policy.silence import Other, Sent, Silence
from fairlead.protocol.portforward import Forward, ForwardListener
from fairlead.protocol.spdy import frames
from fairlead.protocol.spdy.session import Role, Session, StreamListener

PING_INTERVAL = 3.75
"""Seconds between two pings of a lane."""
IDLE_CLOSE = 60.0
"""Seconds without a connection after which the owner is asked whether the lane is still wanted."""
PING_DEADLINE = 3.75
"""Seconds until a ping counts as missed. With the interval, an idle lane's death is known within 7.5 s."""
REPLY_TIMEOUT = 30.0
"""Seconds for the server to accept the streams of a connection, as kubelet and kubectl have it; checked at pings."""
BULK = 256 * 1024
"""Bytes since the lane was last idle that make it a bulk lane: one read's worth."""
SMALL = 4096
"""Bytes of a payload that is gathered with others into one write, rather than written at once from where it is."""
NO_HURRY = 0.005
"""Seconds that the end of a program which has had its answer waits for company: alone it costs API server, kubelet and
runtime as much as a new connection does, and who connects again and again brings company at once."""
WRITE_HIGH_WATER = 1024 * 1024
"""Unsent bytes of a lane at which its local programs are no longer read: what the network takes in a few ms."""
MAX_UNSENT = 8 * 1024 * 1024
"""Unsent bytes at which a lane is given up. Programs are paused at WRITE_HIGH_WATER, and what they had said before is
little beside this: so much comes of answers that the server asks for, by pings, and does not take."""

_log = log.get(__name__)


class Rider(ForwardListener, Protocol):
    """One forwarded connection, as its lane sees it."""

    local: LocalEnd

    def on_no_reply(self) -> None:
        """The server did not accept the streams within REPLY_TIMEOUT."""

    def on_lane_lost(self, reason: str) -> None:
        """The lane ended under it."""

    def on_stalling(self, unread: int) -> None:
        """With ``unread`` bytes it held up the others on its lane for too long, and has been cancelled."""


class LaneOwner(Protocol):
    """Who keeps lanes: the pool."""

    def rider_done(self, lane: Lane) -> None:
        """A connection on it has nothing more to do."""

    def lane_unused(self, lane: Lane) -> None:
        """It was idle for IDLE_CLOSE; asked again with each ping."""

    def lane_closed(self, lane: Lane, reason: str) -> None:
        """The lane is over; its connections have been told. ``reason`` is "" when we closed it."""

    def lane_missed_ping(self, lane: Lane) -> None:
        """No answer in time: kill the lane or find out more; called again while none comes, PING_INTERVAL apart.

        It takes no new connections until then.
        """


class Lane(asyncio.BufferedProtocol):
    """Drives one SPDY session over one transport."""

    def __init__(self, buffer: ReadBuffer, owner: LaneOwner, make_carrier: Callable[[Lane], Carrier]) -> None:
        self._loop = asyncio.get_running_loop()
        self.session = Session(Role.CLIENT, self)
        self.riders: dict[Rider, Forward] = {}
        self.moved = 0
        """Bytes, both ways, since the lane was last idle."""
        self.spoke = False
        """Whether a pod's bytes came since this was looked at last, by whoever resets it."""
        self._used_at = self.heard_at = self._loop.time()
        self._unaccepted: dict[Rider, float] = {}
        self._ending: set[Rider] = set()
        self.closed = False
        self.suspect = False
        """A ping was missed."""
        self._buffer = buffer
        self._owner = owner
        self._dirty: list[LocalEnd] = []
        self.hold: Hold[Rider] = Hold(self.riders, self._read, self._give_up)
        self._writing = True
        self._flushing = False
        self._due = False
        """Something waits for ``_flush`` that no write has taken along meanwhile."""
        self._lingering: asyncio.TimerHandle | None = None
        self._queued = 0
        self._request_id = 0
        self._pulse = Pulse()
        self._timer: asyncio.TimerHandle | None = None
        self._pongs: dict[int, asyncio.Future[None]] = {}
        """Who waits for the answer to which ping."""
        self.gone: asyncio.Future[None] = self._loop.create_future()
        """Done when the transport is gone, with everything that was written to it."""
        self.carrier = make_carrier(self)

    def __repr__(self) -> str:
        state = "closed" if self.closed else "suspect" if self.suspect else "open" if self.hold.reading else "held"
        return f"<lane {self.carrier.name} {state} connections={len(self.riders)}>"

    # -- what the transport calls --

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to watch over the connection. Nothing is sent: the first stream or ping speaks first."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=WRITE_HIGH_WATER)
        # A TLS transport encrypts within write(): CPython's sslproto (3.11 to 3.13) and uvloop's do, whose SSL object
        # writes to memory, which always takes all. Only a renegotiation could hold it up, and kube.tls allows none.
        # A plain transport may keep the view that it is given, so it gets a copy.
        self._encrypts = transport.get_extra_info("ssl_object") is not None
        self._timer = self._loop.call_later(PING_INTERVAL, self._on_timer)

    def get_buffer(self, sizehint: int) -> memoryview:
        """The loop's shared buffer; what is read is handed on before it is used again."""
        return self._buffer.whole

    def buffer_updated(self, nbytes: int) -> None:
        """Feed the session, then let every touched local end send in one go."""
        if self.closed:
            return
        self.moved += nbytes
        self._pulse.heard = True
        self.heard_at = self._loop.time()
        try:
            self.carrier.receive(self._buffer.whole[:nbytes])
        except ProtocolError as error:
            self._lose(str(error))
        dirty = self._dirty
        if dirty:
            for local in dirty:
                local.flush()
            dirty.clear()
            if self.hold.blocked:
                self.hold.consider()
        self._write_outgoing()

    def eof_received(self) -> bool:
        """The server closed."""
        self._lose("the server closed the connection to the pod")
        return False

    def pause_writing(self) -> None:
        """The network takes no more: stop reading from every program on the lane."""
        self._writing = False
        for rider in self.riders:
            rider.local.pause_reading()

    def resume_writing(self) -> None:
        """Go on."""
        self._writing = True
        self._pulse.restart(self._loop.time())
        for rider in list(self.riders):
            rider.local.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is gone."""
        _log.request("%r: %s", self, exc or "end of file")
        if not self.gone.done():
            self.gone.set_result(None)
        # Without the kernel's words: those of a program in the pod that broke off are the same.
        self._lose("the connection to the API server broke" if exc else "the server closed the connection to the pod")
        # Half a MiB in all, which refers to this lane in turn: the garbage collector comes late for so few objects.
        del self._transport, self.session

    # -- what the carrier and the session call --

    def session_receive(self, data: memoryview) -> None:
        """Bytes of the session, unpacked."""
        if not self.closed:
            self.session.receive(data)

    def lost(self, reason: str) -> None:
        """The carrier says that nothing more will come."""
        self._lose(reason)

    def on_open(self, stream: int, headers: Mapping[str, str], *, fin: bool) -> StreamListener | None:
        """Servers open no streams here; refused."""
        return None

    def on_pong(self, ident: int) -> None:
        """A sign of life, if we asked for it."""
        waiter = self._pongs.pop(ident, None)
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
        if self._pulse.answered(ident):
            self.suspect = False

    def on_goaway(self, last_good: int, status: int) -> None:
        """spdystream closes right after it, so nothing more can be expected."""
        self._lose("the server ended the session with the pod")

    # -- what the pool and the riders ask --

    @property
    def load(self) -> int | None:
        """Connections on the lane that still have something to do, or None when it takes no new ones at the moment."""
        usable = self._has_room and not self.suspect and self.hold.reading
        return len(self.riders) - len(self._ending) if usable else None

    @property
    def held(self) -> bool:
        """Only its sole connection's program, which does not read, is in the way of new ones.

        That it misses pings meanwhile says nothing: who joins makes it read on, and sees them answered.
        """
        return self._has_room and self.hold.alone

    @property
    def _has_room(self) -> bool:
        return not self.closed and self.writable and not self.session.exhausted

    @property
    def bulk(self) -> bool:
        """Whether a connection on it is a transfer, which may block it for the others."""
        return self.moved > BULK

    @property
    def writable(self) -> bool:
        """Whether the network takes more; programs are not read while it does not."""
        return self._writing and self._queued < WRITE_HIGH_WATER

    def silence(self, other: Other = Other.NOT_ASKED) -> Silence:
        """What is known of a missed ping, with what became of the question on another lane to the same pod."""
        sent = Sent.MUCH if self._transport.get_write_buffer_size() else self._pulse.sent
        kernel = peer_state(self._transport)
        tried = other is Other.ANSWERED and self._pulse.outlasted(self._loop.time())
        return Silence(self._overdue, bool(self.riders), self.hold.reading, sent, kernel, other, tried)

    @property
    def _overdue(self) -> bool:
        return self._pulse.overdue(self._loop.time(), PING_DEADLINE - 0.1)

    def add(self, rider: Rider, port: int) -> Forward:
        """Open the two streams of a connection and return them; ``start`` sends them with the first bytes."""
        forward = Forward(self.session, port, self._request_id, rider)
        self._request_id += 1
        self.riders[rider] = forward
        self._unaccepted[rider] = self._loop.time()
        if not self._writing:
            rider.local.pause_reading()
        if self.hold.blocked:
            self.hold.consider()
        return forward

    def start(self, forward: Forward, first: bytes) -> None:
        """Send the new streams and the first bytes of data, in one write."""
        self.session.send_data(forward.data_stream, first)
        if first:
            self.moved += len(first)
            self._queued += len(first)
            self._pulse.said += len(first)
        self._flush_soon()

    def send(self, forward: Forward, buffer: memoryview, start: int, end: int) -> bool:
        """Send ``buffer[start:end]`` on a connection; headers are written in place before it.

        False if the server has ended our half, so that the bytes have nowhere to go.
        """
        if self.closed or not forward.may_send:
            return False
        length = end - start
        self.moved += length
        self._pulse.said += length
        if length <= SMALL:
            self.session.send_data(forward.data_stream, bytes(buffer[start:end]))
            self._queued += length
            self._flush_soon()
            return True
        self._write_outgoing()
        head = start - frames.HEADER_SIZE
        self.session.data_header_into(buffer, head, forward.data_stream, length)
        if not self.carrier.in_place:
            self._transport.write(self.carrier.wrap(bytes(buffer[head:end])))
            return True
        view = buffer[self.carrier.header_into(buffer, head, end - head) : end]
        self._transport.write(view if self._encrypts else bytes(view))
        return True

    def finish(self, forward: Forward, *, hurry: bool = True) -> None:
        """The local program is done sending. Without ``hurry`` that may leave with what is sent next."""
        if self.closed:
            return
        forward.finish()
        if hurry:
            self._flush_soon()
        elif self._lingering is None:
            self._lingering = self._loop.call_later(NO_HURRY, self._write_outgoing)

    def ending(self, rider: Rider) -> None:
        """``rider`` has had its answer and only waits for the server to say so: it leaves the lane to the next one.

        containerd takes a second for that, in which a program that asks again and again would need a lane each time.
        """
        if rider in self.riders and rider not in self._ending:
            self._ending.add(rider)
            self._done()

    def not_ending(self, rider: Rider) -> None:
        """More came after all."""
        self._ending.discard(rider)

    def touch(self, local: LocalEnd) -> None:
        """``local`` was written to while the session is being fed; it is flushed when that is over."""
        self.spoke = True
        if not self._dirty or self._dirty[-1] is not local:
            self._dirty.append(local)

    def remove(self, rider: Rider) -> None:
        """A connection is over, or cancelled; sends whatever ending that made."""
        forward = self.riders.pop(rider, None)
        if forward is None:
            return
        if not forward.over:
            forward.cancel()
        self._unaccepted.pop(rider, None)
        ended_before = rider in self._ending
        self._ending.discard(rider)
        self.hold.unblock(rider)
        if not self.closed:
            self._flush_soon()
            if not ended_before:
                self._done()

    async def prove(self, timeout: float) -> None:
        """Return when a ping sent now was answered; raises TimeoutError, or ConnectionError if the lane is over."""
        if self.closed:
            raise ConnectionError("the lane is closed")
        waiter: asyncio.Future[None] = self._loop.create_future()
        ident = self.session.ping()
        self._pongs[ident] = waiter
        self._write_outgoing()
        try:
            async with asyncio.timeout(timeout):
                await waiter
        finally:
            self._pongs.pop(ident, None)

    def close(self) -> None:
        """End the session politely."""
        if self.closed:
            return
        self.session.goaway()
        self._write_outgoing()
        self._transport.write(self.carrier.farewell())
        self._lose("")

    def quiet(self) -> None:
        """Read nothing more; the lane is about to be closed."""
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def abandon(self) -> None:
        """Wait no longer for a closed lane's last bytes to leave."""
        if not self.gone.done():
            self._transport.abort()

    def kill(self, reason: str) -> None:
        """Give the connection up without a word: nobody is there to hear it."""
        if not self.closed:
            self._transport.abort()
            self._lose(reason)

    # -- inside --

    def _flush_soon(self) -> None:
        """Write when everything that is ready in this turn of the loop has had its say, all of it in one record."""
        self._due = True
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        if self._due:
            self._write_outgoing()

    def _write_outgoing(self) -> None:
        self._due = False
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None
        over, self._queued = self._queued >= WRITE_HIGH_WATER, 0
        if self.closed:
            return
        data = self.carrier.wrap(self.session.take_outgoing())
        if data:
            self._transport.write(data)
            if not self._writing and self._transport.get_write_buffer_size() > MAX_UNSENT:
                # Programs are not read while the lane is full: only answers to the server's own frames go on growing.
                self._loop.call_soon(self.kill, "the server asks for more answers than it takes")
        if over and self._writing:
            self.resume_writing()

    def _lose(self, reason: str) -> None:
        if self.closed:
            return
        self.closed = True
        self._transport.close()
        for handle in (self._timer, self._lingering):
            if handle is not None:
                handle.cancel()
        for waiter in self._pongs.values():
            if not waiter.done():
                waiter.set_exception(ConnectionError(reason or "closed"))
                waiter.exception()
        for local in self._dirty:
            local.flush()
        riders = list(self.riders)
        for forward in self.riders.values():
            forward.cancel()  # what is fed already may hold more frames
        self.riders.clear()
        self._unaccepted.clear()
        self._ending.clear()
        self.hold.end()
        _log.request("%r ends: %s", self, reason or "closed by us")
        for rider in riders:
            rider.on_lane_lost(reason)
        self._owner.lane_closed(self, reason)

    def _on_timer(self) -> None:
        now = self._loop.time()
        overdue = self._overdue
        self._pulse.heard = False
        if overdue:
            self.suspect = True
            self._owner.lane_missed_ping(self)
            if self.closed:
                return
        self._check_accepted(now)
        if self.riders:
            self._used_at = now
        elif now - self._used_at >= IDLE_CLOSE:
            self._owner.lane_unused(self)
            if self.closed:
                return
        if self._writing or not self._pulse.waiting:
            # Again and again while none is answered: TCP finds out about its peer only by sending.
            self._pulse.asked(self.session.ping(), now)
            self._write_outgoing()
        self._timer = self._loop.call_later(PING_INTERVAL, self._on_timer)

    def _done(self) -> None:
        if self.load == 0:
            self.moved = 0
        self._owner.rider_done(self)

    def _check_accepted(self, now: float) -> None:
        for rider, since in list(self._unaccepted.items()):
            forward = self.riders[rider]
            if forward.replied:
                del self._unaccepted[rider]
            elif now - since >= REPLY_TIMEOUT:
                self.remove(rider)
                rider.on_no_reply()

    def _read(self, reading: bool) -> None:
        if self.closed or self._transport.is_closing():
            return
        if reading:
            self._transport.resume_reading()
            self._pulse.restart(self._loop.time())
        else:
            self._transport.pause_reading()

    def _give_up(self, rider: Rider, unread: int) -> None:
        self.remove(rider)
        rider.on_stalling(unread)


__all__ = ["Lane", "LaneOwner", "Rider"]
