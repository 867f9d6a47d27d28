"""One forwarded connection on a SPDY session: an error stream and a data stream that share a request id.

Client role: ``Forward`` opens both without waiting for replies and turns what comes back into one ending. Server role:
``Pairing`` joins the two streams that a client opens. Headers and rules: kubelet's port forward protocol
``portforward.k8s.io`` (cri-streaming), which has no other specification.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import NamedTuple, Protocol

from fairlead.protocol.spdy.frames import Status
from fairlead.protocol.spdy.session import Session, StreamListener

PROTOCOL_NAME = "portforward.k8s.io"
MAX_ERROR_TEXT = 16 * 1024
"""Bytes of an error text that are kept; containerd's are about 300."""


class Outcome(Enum):
    """How a forwarded connection ended, as far as its streams tell."""

    CLEAN = auto()
    """The pod's side is complete."""
    ERROR = auto()
    """The server sent an error text."""
    RESET = auto()
    """Streams were reset without a word."""
    REFUSED = auto()
    """The server reset a stream instead of accepting it."""


class ForwardListener(Protocol):
    """What happens on one forwarded connection; no call comes after ``on_end``."""

    def on_data(self, data: memoryview) -> None:
        """Bytes from the pod, valid until the session's ``receive`` returns."""

    def on_half_end(self) -> None:
        """The data stream ended and the error stream has not: call ``settle`` if nothing follows within a moment.

        The order is the server's: containerd ends data before it writes the reason of a failure on the error stream.
        Called again if the server, after a clean end of its half, resets ours.
        """

    def on_end(self, outcome: Outcome, text: str) -> None:
        """Over, in both directions; ``text`` is the server's own words or empty."""


class _ErrorStream:
    """The error stream of a Forward: nothing but a text and its end."""

    __slots__ = ("_forward",)

    def __init__(self, forward: Forward) -> None:
        self._forward = forward

    def on_reply(self, headers: Mapping[str, str]) -> None: ...

    def on_data(self, data: memoryview) -> None:
        text = self._forward.error_text
        text += data[: max(0, MAX_ERROR_TEXT - len(text))]

    def on_fin(self) -> None:
        self._forward.error_ended(None)

    def on_reset(self, status: int) -> None:
        self._forward.error_ended(status)


class Forward:
    """The client's side of one connection to a port of the pod. It is the listener of its own data stream."""

    __slots__ = (
        "_data_end",
        "_error_end",
        "_error_stream",
        "_listener",
        "_session",
        "data_stream",
        "error_text",
        "over",
        "replied",
    )

    def __init__(self, session: Session, port: int, request_id: int, listener: ForwardListener) -> None:
        self._session = session
        self._listener = listener
        self.error_text = bytearray()
        self.replied = False
        """The server accepted the data stream."""
        self.over = False
        # None while running, 0 for FIN, else the reset status.
        self._data_end: int | None = None
        self._error_end: int | None = None
        common = {"port": str(port), "requestid": str(request_id)}
        # Error before data: servers pair in any order, but some tools expect what kubectl does.
        self._error_stream = session.open({"streamtype": "error", **common}, _ErrorStream(self))
        session.fin(self._error_stream)
        self.data_stream = session.open({"streamtype": "data", **common}, self)

    # -- what the owner asks --

    @property
    def may_send(self) -> bool:
        """Whether bytes for the pod still have somewhere to go."""
        return self._session.may_send(self.data_stream)

    @property
    def delivered_whole(self) -> bool:
        """Whether the pod's half of the data stream has ended cleanly."""
        return self._data_end == 0

    def finish(self) -> None:
        """The local side is done sending; the pod's answer may still come."""
        if self.may_send:
            self._session.fin(self.data_stream)

    def cancel(self) -> None:
        """End both streams now; the listener is not called again."""
        self.over = True
        self._session.reset(self.data_stream)
        self._session.reset(self._error_stream)

    def settle(self) -> None:
        """Nothing more was said about a data stream that is done in both directions: end with what is known."""
        if not self.over and self._data_end is not None and not self.may_send:
            self._end()

    # -- what the streams tell --

    def on_reply(self, headers: Mapping[str, str]) -> None:
        """Data stream accepted."""
        self.replied = True

    def on_data(self, data: memoryview) -> None:
        """Bytes from the pod."""
        self._listener.on_data(data)

    def on_fin(self) -> None:
        """The data stream's far half is done."""
        self._data_ended(0)

    def on_reset(self, status: int) -> None:
        """The data stream was reset; after its far half had ended cleanly, that ends our half alone."""
        self._data_ended(status if self._data_end is None else self._data_end)

    def _data_ended(self, status: int) -> None:
        self._data_end = status
        if self.over:
            return
        if self._error_end is None:
            self._listener.on_half_end()
        else:
            self._end()

    def error_ended(self, status: int | None) -> None:
        """The error stream is complete, by FIN (None) or by a reset."""
        self._error_end = status or 0
        if self.over:
            return
        # A text is the verdict; so is a reset of the error stream, which carries no data stream to its end.
        if self.error_text or self._error_end or self._data_end is not None:
            self._end()

    def _end(self) -> None:
        self.over = True
        # The server is done with this connection; it must not keep our half of the data stream open for nothing.
        self._session.reset(self.data_stream)
        self._session.reset(self._error_stream)
        if self.error_text:
            outcome = Outcome.ERROR
        elif self._data_end or self._error_end:
            outcome = Outcome.RESET if self.replied else Outcome.REFUSED
        else:
            outcome = Outcome.CLEAN
        self._listener.on_end(outcome, self.error_text.decode("utf-8", "replace").strip())


class Pair(NamedTuple):
    """Two streams of one request, ready to be served: ``port`` is the data stream's (1-65535)."""

    request_id: str
    port: int
    error_stream: int
    data_stream: int


class _Pending:
    __slots__ = ("port", "since", "streams")

    def __init__(self, since: float) -> None:
        self.since = since
        self.streams: dict[str, int] = {}
        self.port = 0


class Pairing:
    """The server's side: joins streams by request id, in any order, each within 30 s of the other."""

    CREATION_TIMEOUT = 30.0
    """Seconds, as the kubelet waits (stream creation timeout)."""
    MAX_PENDING = 4096
    MAX_REQUEST_ID = 64
    """Characters; clients send a decimal number. Kept until the pair is complete, and repeated in error texts."""

    def __init__(self, session: Session, on_pair: Callable[[Pair], None]) -> None:
        self._session = session
        self._on_pair = on_pair
        self._pending: dict[str, _Pending] = {}

    def next_timer(self) -> float | None:
        """When ``handle_timer`` wants to be called: the clock's seconds, or None."""
        first = next(iter(self._pending.values()), None)
        return None if first is None else first.since + self.CREATION_TIMEOUT

    def handle_timer(self, now: float) -> None:
        """Give up pairs that are too old: the error stream, if it is the one that came, is told why."""
        for request_id, pending in list(self._pending.items()):
            if now < pending.since + self.CREATION_TIMEOUT:
                return
            del self._pending[request_id]
            error = pending.streams.get("error")
            if error is not None and self._session.may_send(error):
                text = f"(request={request_id}) timed out waiting for streams"
                self._session.send_data(error, text.encode(), fin=True)

    def opened(self, stream: int, headers: Mapping[str, str], now: float) -> bool:
        """Take a new stream and reply to it, or return False when its headers are no valid request."""
        kind = headers.get("streamtype", "")
        port = _port(headers.get("port", ""))
        # Clients older than request ids open error then data, two stream ids apart.
        request_id = headers.get("requestid") or str(stream if kind == "error" else stream - 2)
        if port is None or kind not in ("error", "data") or len(request_id) > self.MAX_REQUEST_ID:
            return False
        pending = self._pending.get(request_id)
        if pending is None:
            if len(self._pending) >= self.MAX_PENDING:
                return False
            pending = self._pending[request_id] = _Pending(now)
        self._session.reply(stream)
        if kind in pending.streams:
            self._duplicate(pending, kind, request_id)
            return True
        pending.streams[kind] = stream
        if kind == "data":
            pending.port = port
        if len(pending.streams) == 2:
            # Dropped at once, so that a client may use the id again.
            del self._pending[request_id]
            self._on_pair(Pair(request_id, pending.port, pending.streams["error"], pending.streams["data"]))
        return True

    def _duplicate(self, pending: _Pending, kind: str, request_id: str) -> None:
        error = pending.streams.get("error")
        if error is not None and self._session.may_send(error):
            text = f"error forwarding port: {kind} stream for request {request_id} exists already"
            self._session.send_data(error, text.encode())

    def succeeded(self, pair: Pair) -> None:
        """End both streams cleanly; kubectl waits for the end of the error stream."""
        for stream in (pair.data_stream, pair.error_stream):
            if self._session.may_send(stream):
                self._session.fin(stream)

    def failed(self, pair: Pair, text: str) -> None:
        """End with a text on the error stream; with none, both streams are reset and the session lives on."""
        if text and self._session.may_send(pair.error_stream):
            self._session.send_data(pair.error_stream, text.encode())
        self._session.reset(pair.data_stream, Status.CANCEL)
        self._session.reset(pair.error_stream, Status.CANCEL)


def _port(text: str) -> int | None:
    if not (text.isascii() and text.isdigit()) or len(text) > 5:
        return None
    port = int(text)
    return port if 0 < port < 65536 else None


__all__ = [
    "MAX_ERROR_TEXT",
    "PROTOCOL_NAME",
    "Forward",
    "ForwardListener",
    "Outcome",
    "Pair",
    "Pairing",
    "StreamListener",
]
