"""Port-forward over SPDY, the server's side: pairs of streams, and a connection to the pod for each.

Where the original is known to fail, this does better:

- A half-close is passed on in both directions. The client's end is the pod's end of input, and the answer may take as
  long as it likes. The pod's end is told to the client at once; bytes of the client still go to the pod until it ends
  too, or is silent for GRACE seconds: kubectl before 1.32 waits for the end of both streams.
- A connection that the pod refuses or resets ends by a reset of both streams, without a word: any word on an error
  stream ends kubectl. Only what no connection could survive is told. With ``faithful_errors`` all is told, as by
  containerd.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from fairlead.kit import log
from fairlead.kit.tasks import Background
from fairlead.lab.cri.connection import SpdyConnection
from fairlead.lab.cri.drivers.driver import PodEnd, reason
from fairlead.lab.cri.errors import BrokenError, ForwardError
from fairlead.lab.cri.hold import BLOCKED, Hold
from fairlead.lab.cri.pod_side import PodSide
from fairlead.net.stream import RemoteEnd
from fairlead.protocol.portforward import Pair, Pairing
from fairlead.protocol.spdy.session import StreamListener

GRACE = 1.0
"""Seconds, as containerd waits for the other direction."""

_log = log.get(__name__)

Accept = Callable[[PodEnd], RemoteEnd | None]
Open = Callable[[int, Accept, Callable[[PodEnd], None]], Awaitable[None]]
"""Opens a connection to a port of the sandbox that this session is about; see Driver."""


class Target:
    """What a session leads to. ``sandbox_id`` is the one that the client asked for."""

    def __init__(self, sandbox_id: str, open_port: Open, tasks: Background, *, faithful_errors: bool = False) -> None:
        self.sandbox_id = sandbox_id
        self.open = open_port
        self.tasks = tasks
        self.faithful_errors = faithful_errors

    def text(self, port: int, error: ForwardError) -> str:
        """What the client is told of a failure: "" for what only this connection need know."""
        if isinstance(error, BrokenError) and not self.faithful_errors:
            return ""
        return self.told(port, error)

    def told(self, port: int, error: ForwardError) -> str:
        """A failure in the original's words."""
        return f"error forwarding port {port} to pod {self.sandbox_id}, uid : {error.what}"


class PortForwarding:
    """The service of one connection."""

    def __init__(self, connection: SpdyConnection, target: Target) -> None:
        self.connection = connection
        self.target = target
        self.forwards: set[Forwarded] = set()
        self.hold: Hold[Forwarded] = Hold(
            lambda wanted: connection.read("hold", wanted=wanted), lambda: len(self.forwards), Forwarded.give_up
        )
        self.dirty: list[Forwarded] = []
        self._data: dict[int, Forwarded] = {}
        """Those whose error stream has not come."""
        self.pairing = Pairing(connection.session, self._on_pair)

    # -- what the connection calls --

    def on_open(self, stream: int, headers: Mapping[str, str], *, fin: bool) -> StreamListener | None:
        """One of two streams."""
        if headers.get("streamtype") != "data":
            return _ErrorStream() if self.pairing.opened(stream, headers, self.connection.loop.time()) else None
        forward = self._data[stream] = Forwarded(self, stream)
        self.forwards.add(forward)
        if not self.pairing.opened(stream, headers, self.connection.loop.time()):
            forward.drop()
            return None
        if fin:
            forward.on_fin()
        return forward

    def _on_pair(self, pair: Pair) -> None:
        forward = self._data.pop(pair.data_stream, None)
        if forward is None:
            self.pairing.failed(pair, "")  # the data stream was reset before the other came
        else:
            forward.start(pair)

    def after_read(self) -> None:
        """Send to the pods."""
        for forward in self.dirty:
            forward.flush()
        self.dirty.clear()

    def next_timer(self) -> float | None:
        """Of pairs that are not complete."""
        return self.pairing.next_timer()

    def handle_timer(self, now: float) -> None:
        """Give up those that are too old."""
        self.pairing.handle_timer(now)

    def pause(self) -> None:
        """The client does not read: nothing is read from its pods."""
        for forward in self.forwards:
            forward.pause()

    def resume(self) -> None:
        """It does again."""
        for forward in list(self.forwards):
            forward.resume()

    def lost(self) -> None:
        """The client is gone: what it said to the end is delivered, the rest is broken off."""
        self.hold.end()
        for forward in list(self.forwards):
            forward.client_lost()

    def over(self, forward: Forwarded) -> None:
        """A connection is over."""
        self.forwards.discard(forward)
        self._data.pop(forward.stream, None)
        self.hold.unblock(forward)
        self.connection.flush_soon()


class _ErrorStream:
    """Clients write nothing here. What they do with it is of no interest: the data stream decides."""

    def on_reply(self, headers: Mapping[str, str]) -> None:
        """Never: the client opened it."""

    def on_data(self, data: memoryview) -> None:
        """Of no meaning."""

    def on_fin(self) -> None:
        """Clients say so at once."""

    def on_reset(self, status: int) -> None:
        """What would be said on it is dropped."""


class Forwarded:
    """One connection: listener of its data stream, and the remote end of its connection to the pod."""

    def __init__(self, service: PortForwarding, stream: int) -> None:
        self.stream = stream
        self._service = service
        self._connection = service.connection
        self._pair: Pair | None = None
        self._task: asyncio.Task[None] | None = None
        self._pod = PodSide()
        self._client_done = False
        self._pod_done = False
        self._over = False
        self._heard = 0.0
        self._grace: asyncio.TimerHandle | None = None

    # -- what the session calls --

    def on_reply(self, headers: Mapping[str, str]) -> None:
        """Never, for a stream that the client opened."""

    def on_data(self, data: memoryview) -> None:
        """Bytes for the pod."""
        self._heard = self._connection.loop.time()
        if self._over:
            return
        self._pod.write(data)
        dirty = self._service.dirty
        if not dirty or dirty[-1] is not self:
            dirty.append(self)

    def on_fin(self) -> None:
        """The client is done sending."""
        self._client_done = True
        if self._over:
            return
        if self._pod_done:
            self._succeed()
        else:
            self._pod.write_eof()

    def on_reset(self, status: int) -> None:
        """The client is done with this connection: kubectl says so once the pod has ended."""
        if self._over:
            return
        if self._pod_done:
            self._succeed()
        else:
            self.give_up()

    # -- what the service calls --

    def start(self, pair: Pair) -> None:
        """Both streams are there: dial."""
        self._pair = pair
        self._task = self._service.target.tasks.start(self._dial(pair.port), name=f"forward to port {pair.port}")

    def drop(self) -> None:
        """The client's stream was no valid request."""
        self._over = True
        self._service.over(self)

    def flush(self) -> None:
        """Send what was written, and see how much the pod leaves unread."""
        if self._over:
            return
        self._pod.flush()
        if self.unread > BLOCKED:
            self._service.hold.block(self)

    @property
    def unread(self) -> int:
        """Bytes that the pod has not taken."""
        return self._pod.unread

    def pause(self) -> None:
        """The client does not read."""
        self._pod.pause()

    def resume(self) -> None:
        """It does again."""
        self._pod.resume()

    def give_up(self) -> None:
        """Break off in both directions, without a word."""
        self._end_with("")
        self._pod.abort()

    def client_lost(self) -> None:
        """The client is gone."""
        if not self._client_done or self._pair is None:
            self.give_up()
        elif self._pod.joined:
            self._close()
            self._pod.close()

    # -- the dialling --

    async def _dial(self, port: int) -> None:
        try:
            await self._service.target.open(port, self._accept, self._gone)
        except (ForwardError, OSError) as failure:
            error = failure if isinstance(failure, ForwardError) else BrokenError(reason(failure))
            _log.decision("port %d of sandbox %s: %s", port, self._service.target.sandbox_id, error)
            self._task = None
            self._failed(error)

    def _accept(self, local: PodEnd) -> RemoteEnd | None:
        if self._over:
            return None
        self._pod.join(local, reading=self._connection.writable)
        if self._connection.closed:
            self._connection.loop.call_soon(self.client_lost)
        return self

    def _gone(self, local: PodEnd) -> None:
        self._pod.left()

    # -- what the pod's end calls --

    def send(self, buffer: memoryview, start: int, end: int) -> None:
        """Bytes of the pod."""
        self._connection.send(self.stream, buffer, start, end)
        if not self._connection.writable:
            self._pod.pause()

    def send_eof(self) -> None:
        """The pod is done sending."""
        self._pod_done = True
        if self._client_done:
            self._succeed()
            return
        session = self._connection.session
        if session.may_send(self.stream):
            session.fin(self.stream)
        self._connection.flush_soon()
        self._heard = self._connection.loop.time()
        self._grace = self._connection.loop.call_later(GRACE, self._look_grace)

    def local_blocked(self) -> None:
        """The pod does not read."""

    def local_drained(self) -> None:
        """It reads again."""
        self._service.hold.unblock(self)

    def local_lost(self) -> None:
        """The connection to the pod is gone."""
        if self._over:
            return
        if self._pod_done and not self._pod.failure:
            self._succeed()
        else:
            self._failed(BrokenError(self._pod.failure))

    # -- the ends --

    def _look_grace(self) -> None:
        left = self._heard + GRACE - self._connection.loop.time()
        if left > 0:
            self._grace = self._connection.loop.call_later(left, self._look_grace)
        else:
            self._succeed()

    def _succeed(self) -> None:
        assert self._pair is not None
        self._service.pairing.succeeded(self._pair)
        self._close()
        self._pod.close()

    def _failed(self, error: ForwardError) -> None:
        if not self._over:
            assert self._pair is not None
            self._end_with(self._service.target.text(self._pair.port, error))

    def _end_with(self, text: str) -> None:
        if self._over:
            return
        if self._pair is not None:
            self._service.pairing.failed(self._pair, text)
        else:
            self._connection.session.reset(self.stream)
        self._close()

    def _close(self) -> None:
        """It takes part in nothing any more."""
        self._over = True
        if self._grace is not None:
            self._grace.cancel()
        if self._task is not None and not self._pod.joined:
            self._task.cancel()
        self._service.over(self)
