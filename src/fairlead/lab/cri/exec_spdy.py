"""Exec and attach over SPDY: a stream each for what the client asked for, and one for the end of it all.

Versions: channel.k8s.io, v2 and v3 (with resize) end with the text of an error; v4 and v5 with a Status as JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fairlead.kit import log
from fairlead.kit.tasks import Background
from fairlead.lab.cri.command import Command, CommandClient, Status, Wanted, encoded
from fairlead.lab.cri.connection import SpdyConnection
from fairlead.protocol.spdy.session import StreamListener

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io")
_WITH_RESIZE = frozenset(PROTOCOLS[:3])
_WITH_STATUS = frozenset(PROTOCOLS[:2])
CREATION_TIMEOUT = 30.0
"""Seconds for the client to open its streams, as Kubernetes has it."""

_log = log.get(__name__)


def expected_streams(protocol: str, wanted: Wanted) -> frozenset[str]:
    """The types of the streams that a client opens: an error stream always, a resize stream for a terminal."""
    asked = {"error"} | {name for name in ("stdin", "stdout", "stderr") if getattr(wanted, name)}
    if wanted.tty and protocol in _WITH_RESIZE:
        asked.add("resize")
    return frozenset(asked)


class SpdyCommand:
    """The service of one connection, and the client of one command."""

    def __init__(
        self,
        connection: SpdyConnection,
        protocol: str,
        wanted: Wanted,
        tasks: Background,
        make: Callable[[CommandClient], Command],
    ) -> None:
        self._connection = connection
        self._expected = expected_streams(protocol, wanted)
        self._as_json = protocol in _WITH_STATUS
        self._streams: dict[str, int] = {}
        self._tasks = tasks
        self._command = make(self)
        self._due: float | None = connection.loop.time() + CREATION_TIMEOUT

    # -- what the connection calls --

    def on_open(self, stream: int, headers: Mapping[str, str], *, fin: bool) -> StreamListener | None:
        """One of the streams."""
        kind = headers.get("streamtype", "").lower()
        if kind not in self._expected or kind in self._streams:
            _log.decision("unexpected stream type: %r", kind)
            return None
        self._connection.session.reply(stream)
        self._streams[kind] = stream
        listener: StreamListener = _Output()
        if kind == "stdin":
            listener = _Input(self._command.stdin, self._command.stdin_end)
            if fin:
                self._command.stdin_end()
        elif kind == "resize":
            listener = _Input(self._command.resize, lambda: None)
        if len(self._streams) == len(self._expected):
            self._due = None
            self._tasks.start(self._command.run(), name="command of a client")
        return listener

    def after_read(self) -> None:
        """Nothing waits for that."""

    def next_timer(self) -> float | None:
        """Until all streams are there."""
        return self._due

    def handle_timer(self, now: float) -> None:
        """They did not come."""
        _log.decision("timed out waiting for client to create streams")
        self._due = None
        self._connection.end()

    def pause(self) -> None:
        """The client takes no more."""
        self._command.pause()

    def resume(self) -> None:
        """It does again."""
        self._command.resume()

    def lost(self) -> None:
        """The client is gone."""
        self._command.lost()

    # -- what the command calls --

    def output(self, name: str, buffer: memoryview, start: int, end: int) -> None:
        """See CommandClient."""
        self._connection.send(self._streams[name], buffer, start, end)

    def output_end(self, name: str) -> None:
        """See CommandClient."""
        self._finish(name)

    def done(self, status: Status) -> None:
        """See CommandClient."""
        for name in ("stdout", "stderr"):
            self._finish(name)
        error = self._streams["error"]
        session = self._connection.session
        if session.may_send(error):
            session.send_data(error, encoded(status, as_json=self._as_json), fin=True)
        self._connection.finish()

    def read_input(self, *, wanted: bool) -> None:
        """See CommandClient."""
        self._connection.read("input", wanted=wanted)

    def _finish(self, name: str) -> None:
        stream = self._streams.get(name)
        if stream is not None and self._connection.session.may_send(stream):
            self._connection.session.fin(stream)
            self._connection.flush_soon()


class _Output:
    """A stream that only we write to."""

    def on_reply(self, headers: Mapping[str, str]) -> None:
        """Never: the client opened it."""

    def on_data(self, data: memoryview) -> None:
        """Of no meaning."""

    def on_fin(self) -> None:
        """Clients end their half at once, or never."""

    def on_reset(self, status: int) -> None:
        """What is written to it is dropped from now on."""


class _Input(_Output):
    def __init__(self, taken: Callable[[memoryview], None], ended: Callable[[], None]) -> None:
        self._taken = taken
        self._ended = ended

    def on_data(self, data: memoryview) -> None:
        self._taken(data)

    def on_fin(self) -> None:
        self._ended()

    def on_reset(self, status: int) -> None:
        self._ended()
