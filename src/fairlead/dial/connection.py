"""One connection from a local end to a pod: waits for a place, keeps first bytes, tries another pod if refused."""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from typing import Protocol

from fairlead.dial.lane import Lane
from fairlead.dial.pool import Lanes
from fairlead.errors import (
    ConfigError,
    CredentialsError,
    FairleadError,
    ForbiddenError,
    MachineError,
    UnreachableError,
)
from fairlead.model.target import Backend
from fairlead.net.stream import LocalEnd
from fairlead.policy.refusal import dial_was_refused
from fairlead.protocol.portforward import Forward, Outcome

KEPT = 64 * 1024
"""First bytes that are kept for another try on another pod. While a connection has no lane, its program is paused once
so many are kept; one read may then have brought FIRST more, and under uvloop the one that began with the accept too."""
SETTLE = 0.5
"""Seconds between the end of the data stream and a verdict on the error stream. On the wire they are neighbours, unless
the server is very busy; none of the known runtimes passes a pod's half-close on, so waiting costs them nothing."""
SETTLE_EMPTY = 2.0
"""The same where not one byte came from the pod: that is how a refused dial begins, and no end to hurry."""
MAX_TRIES = 8
"""Dials of one connection, all pods together."""


class Target(Protocol):
    """Where connections go, and whom they tell how it went."""

    def choose(self, tried: frozenset[Backend], connection: Connection) -> Backend | None:
        """A backend that is not in ``tried``, or None when there is none right now."""

    def has_another(self, tried: frozenset[Backend]) -> bool:
        """Whether ``choose`` would find one."""

    def wait_for_backend(self, connection: Connection) -> None:
        """Call ``connection.dial`` whenever there may be a backend that can be reached."""

    def stop_waiting(self, connection: Connection) -> None:
        """Undo ``wait_for_backend``."""

    def why_waiting(self, connection: Connection) -> str:
        """What a connection that waited in vain is told."""

    def answered(self, connection: Connection) -> None:
        """The first bytes came back; called once at most."""

    def failed(self, connection: Connection, backend: Backend | None, words: str) -> None:
        """The connection ended with a reset; ``words`` are the server's, or ours."""

    def over(self, connection: Connection, backend: Backend | None) -> None:
        """The connection is over, however it ended; called exactly once."""


class State(Enum):
    """Where a connection stands."""

    WAITING = auto()
    """For a pod or a lane; the local end is not read beyond KEPT."""
    OPEN = auto()
    OVER = auto()


class Connection:
    """The RemoteEnd of a local end, and the passenger of a lane."""

    __slots__ = (
        "_boarding",
        "_cut_short",
        "_deadline",
        "_ending",
        "_eof",
        "_forward",
        "_handle",
        "_heard",
        "_kept",
        "_lane",
        "_lanes",
        "_loop",
        "_target",
        "_tried",
        "_tries",
        "_wait",
        "_waited",
        "_words",
        "backend",
        "client",
        "local",
        "outcome",
        "state",
        "was_reset",
    )

    def __init__(self, local: LocalEnd, target: Target, lanes: Lanes, *, wait: float, client: str = "") -> None:
        self.local = local
        self.client = client
        """The address that connected, for session affinity."""
        self.state = State.WAITING
        self.backend: Backend | None = None
        self.outcome: Outcome | None = None
        """What the server said of the last dial."""
        self.was_reset = False
        """The local side was reset, because the pod's side failed or the run ended."""
        self._target = target
        self._lanes = lanes
        self._loop = asyncio.get_running_loop()
        self._kept: bytearray | None = bytearray()
        self._eof = False
        self._heard = False
        self._ending = False
        self._cut_short = False
        self._tried: frozenset[Backend] = frozenset()
        self._tries = 0
        self._waited = False
        self._words = ""
        self._boarding = False
        self._lane: Lane | None = None
        self._forward: Forward | None = None
        # Until the connection has a lane this is the end of its patience, afterwards the moment before a verdict.
        self._handle: asyncio.TimerHandle | None = None
        self._wait = wait
        self._deadline: float | None = None

    # -- finding a place --

    def dial(self) -> None:
        """Choose a backend and ask for a lane to it."""
        if self.state is not State.WAITING or self._boarding:
            return
        backend = self._target.choose(self._tried, self)
        if backend is None:
            self.backend = None
            self._waited = True
            self._target.wait_for_backend(self)
        else:
            self.backend = backend
            self._tries += 1
            self._boarding = True
            self._lanes.board(self, backend.pod)
        self._limit_the_wait()

    def _limit_the_wait(self) -> None:
        if self._handle is None and self.state is State.WAITING:
            if self._deadline is None:
                self._deadline = self._loop.time() + self._wait
            self._handle = self._loop.call_at(self._deadline, self._out_of_time)

    def _out_of_time(self) -> None:
        self._handle = None
        self._fail(self._words or self._target.why_waiting(self))

    def cut(self) -> None:
        """The run ends: reset the local side, so that it does not take what it has for everything."""
        if self.state is not State.OVER:
            self.was_reset = True
            self.local.abort()
            self._end()

    def on_lane(self, lane: Lane) -> None:
        """Open the streams and send what the local program has sent so far, all in one write."""
        assert self.backend is not None
        self._boarding = False
        self._cancel_timer()
        self._words = ""
        self.state = State.OPEN
        self._lane = lane
        self._forward = forward = lane.add(self, self.backend.port)
        lane.start(forward, bytes(self._kept or b""))
        if self._eof:
            lane.finish(forward)
        if lane.writable:
            # Also when it was paused not here but by a lane that filled up and is gone.
            self.local.resume_reading()

    def on_no_lane(self, error: FairleadError) -> None:
        """No lane to this pod: another pod may have one; a server that is down is waited for."""
        self._boarding = False
        assert self.backend is not None
        if isinstance(error, (ForbiddenError, CredentialsError, ConfigError, MachineError)):
            self._fail(str(error))
            return
        self._words = str(error)
        if isinstance(error, UnreachableError):
            # One try is much shorter than the wait.
            self._words += f"; the connection waited {self._wait:g} s"
        else:
            self._tried |= {self.backend}
            if self._target.has_another(self._tried):
                self.dial()
                return
            self._tried = frozenset()
            self._tries = 0
        self._target.wait_for_backend(self)

    # -- what the local end calls --

    def send(self, buffer: memoryview, start: int, end: int) -> None:
        """Bytes for the pod; kept while there is no lane, and the first ones in case another pod is needed."""
        kept = self._kept
        if kept is not None:
            if self.state is State.OPEN and len(kept) + end - start > KEPT:
                self._kept = None
            else:
                kept += buffer[start:end]
        if self.state is State.OPEN:
            lane = self._lane
            assert lane is not None
            assert self._forward is not None
            if not lane.send(self._forward, buffer, start, end):
                self._cut_short = True
            elif not lane.writable:
                # Pausing when the lane filled up is not enough: uvloop undoes a pause made inside connection_made.
                self.local.pause_reading()
        elif kept is not None and len(kept) >= KEPT:
            # Each time, since uvloop undoes a pause made inside connection_made.
            self.local.pause_reading()

    def send_eof(self) -> None:
        """The local program is done sending."""
        self._eof = True
        if self._lane is not None and self._forward is not None and self.state is State.OPEN:
            forward = self._forward
            answered = self._heard and not self.local.unsent
            self._lane.finish(forward, hurry=not answered)
            if forward.delivered_whole and self._handle is None:
                forward.settle()
            elif answered:
                self._ending = True
                self._lane.ending(self)

    def local_blocked(self) -> None:
        """The local program does not read."""
        if self._lane is not None:
            self._lane.hold.block(self)

    def local_drained(self) -> None:
        """It reads again."""
        if self._lane is not None:
            self._lane.hold.unblock(self)

    def local_lost(self) -> None:
        """The local program is gone."""
        if self.state is not State.OVER:
            self._end()

    # -- what the forward calls --

    def on_data(self, data: memoryview) -> None:
        """Bytes from the pod."""
        assert self._lane is not None
        if not self._heard:
            self._heard = True
            self._kept = None
            self._target.answered(self)
        elif self._ending:
            self._ending = False
            self._lane.not_ending(self)
        self.local.write(data)
        self._lane.touch(self.local)

    def on_half_end(self) -> None:
        """The data stream is done; wait a moment for the verdict."""
        if self._handle is None:
            self._handle = self._loop.call_later(SETTLE if self._heard else SETTLE_EMPTY, self._settle)

    def on_end(self, outcome: Outcome, text: str) -> None:
        """The verdict."""
        self.outcome = outcome
        if outcome is Outcome.CLEAN and self._cut_short:
            self._fail("the pod's side ended while the program was still sending, and its last bytes are lost")
        elif outcome is Outcome.CLEAN:
            self.local.close()
            self._end()
        elif self._kept is not None and dial_was_refused(text) and self.backend is not None:
            self._try_another(text)
        else:
            self._fail(text or ("the server refused the stream" if outcome is Outcome.REFUSED else ""))

    def on_lane_lost(self, reason: str) -> None:
        """The lane ended under it. While nothing was said in either direction, nobody need know."""
        self._leave_lane()
        if self.state is not State.OPEN:
            return
        if self._ending:
            # Whoever has closed its socket does not notice; whoever still waits for more must not take this for an end.
            self.cut()
        elif self._kept is not None and not self._kept and not self._eof and self._tries < MAX_TRIES:
            self.state = State.WAITING
            # However long ago it was accepted, it begins to wait only now.
            self._deadline = None
            self._loop.call_soon(self.dial)
        else:
            self._fail(reason)

    def on_no_reply(self) -> None:
        """The server was silent about the new streams."""
        self._lane = None
        self._fail("the server did not accept the connection within 30 s")

    def on_stalling(self, unread: int) -> None:
        """It held up others for too long."""
        self._lane = None
        self._fail(
            f"this connection left {unread >> 20} MiB unread for 5 s on a lane that others share; more lanes than "
            "connections avoid that (--lanes)"
        )

    # -- inside --

    def _try_another(self, text: str) -> None:
        assert self.backend is not None
        refused = self.backend
        self._tried |= {refused}
        if self._tries < MAX_TRIES and self._target.has_another(self._tried):
            self._leave_lane()
            self.state = State.WAITING
            self.dial()
        elif self._waited:
            # It came while nothing ran: a pod that has just begun to run may not listen yet.
            self._leave_lane()
            self.state = State.WAITING
            self._tried = frozenset()
            self._tries = 0
            self._words = text
            self._target.wait_for_backend(self)
            self._limit_the_wait()
        else:
            self._fail(text)

    def _settle(self) -> None:
        self._handle = None
        forward = self._forward
        if self.state is not State.OPEN or forward is None:
            return
        if forward.delivered_whole:
            # A half-close: the pod is done sending, and may go on receiving. No other pod can answer from now on.
            self._kept = None
            self.local.write_eof()
        forward.settle()

    def _fail(self, words: str) -> None:
        backend = self.backend
        self.was_reset = True
        self.local.abort()
        self._target.failed(self, backend, words)
        self._end()

    def _end(self) -> None:
        if self.state is State.OVER:
            return
        self.state = State.OVER
        self._kept = None
        self._leave_lane()
        if self._boarding and self.backend is not None:
            self._boarding = False
            self._lanes.leave(self, self.backend.pod)
        self._target.stop_waiting(self)
        self._target.over(self, self.backend)

    def _leave_lane(self) -> None:
        self._cancel_timer()
        lane, self._lane = self._lane, None
        self._forward = None
        if lane is not None:
            lane.remove(self)

    def _cancel_timer(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
