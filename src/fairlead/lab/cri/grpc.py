"""gRPC over HTTP/2, unary calls alone: one message there and one back. Both roles, pure over the h2 package.

Bytes in by ``receive``, calls out to a listener, bytes to send from ``take_outgoing``. Limits: MOST_CALLS at once,
MOST_MESSAGE bytes of a message; no compression. Raises ProtocolError when the connection cannot go on; what
``take_outgoing`` has then is the reason for the peer.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol
from urllib.parse import quote, unquote

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

from fairlead.errors import ProtocolError
from fairlead.lab.cri.errors import Code

MOST_CALLS = 100
"""Calls at once; more wait on the client's side."""
MOST_MESSAGE = 16 * 1024 * 1024
"""Bytes, as the kubelet has it: a list of all sandboxes with their annotations."""
_WINDOW = 1024 * 1024
"""Bytes that a peer may send before it is told that they were taken."""
_MESSAGE_HEAD = struct.Struct(">BI")
_UNITS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_PRINTABLE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")

Headers = Sequence[tuple[str, str]]


class _Incoming:
    """What comes on one stream."""

    def __init__(self, path: str = "", timeout: float | None = None) -> None:
        self.path = path
        self.timeout = timeout
        self.body = bytearray()
        self.refused: tuple[int, str] | None = None
        self.status: tuple[int, str] | None = None


class _Engine:
    """What both roles share: the connection, and bytes that wait for the peer's windows."""

    def __init__(self, *, client: bool) -> None:
        config = h2.config.H2Configuration(client_side=client, header_encoding=None)
        self._h2 = h2.connection.H2Connection(config)
        self._h2.local_settings = h2.settings.Settings(
            client=client,
            initial_values={
                h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: _WINDOW,
                h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: MOST_CALLS,
                h2.settings.SettingCodes.ENABLE_PUSH: 0,
            },
        )
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(_WINDOW)
        self._streams: dict[int, _Incoming] = {}
        self._waiting: dict[int, tuple[memoryview, Headers | None]] = {}
        """Data, and the trailers that follow it."""

    def receive(self, data: bytes) -> None:
        """Take what was read."""
        try:
            for event in self._h2.receive_data(data):
                self._handle(event)
            for stream in list(self._waiting):
                self._pump(stream)
        except h2.exceptions.ProtocolError as error:
            raise ProtocolError(f"HTTP/2: {error}") from None

    def take_outgoing(self) -> bytes:
        """What is to be sent."""
        return self._h2.data_to_send()

    def _handle(self, event: h2.events.Event) -> None:
        raise NotImplementedError

    def _take(self, event: h2.events.DataReceived) -> None:
        stream = event.stream_id
        self._h2.acknowledge_received_data(event.flow_controlled_length, stream)
        incoming = self._streams.get(stream)
        if incoming is None:
            return
        incoming.body += event.data
        if len(incoming.body) > MOST_MESSAGE + _MESSAGE_HEAD.size:
            incoming.body.clear()
            incoming.refused = (Code.RESOURCE_EXHAUSTED, f"message is larger than {MOST_MESSAGE} bytes")

    def _send(self, stream: int, message: bytes, trailers: Headers | None) -> None:
        self._waiting[stream] = (memoryview(_MESSAGE_HEAD.pack(0, len(message)) + message), trailers)
        self._pump(stream)

    def _pump(self, stream: int) -> None:
        data, trailers = self._waiting[stream]
        while data:
            size = min(len(data), self._h2.local_flow_control_window(stream), self._h2.max_outbound_frame_size)
            if size <= 0:
                self._waiting[stream] = (data, trailers)
                return
            self._h2.send_data(stream, bytes(data[:size]), end_stream=trailers is None and size == len(data))
            data = data[size:]
        del self._waiting[stream]
        if trailers is not None:
            self._h2.send_headers(stream, trailers, end_stream=True)

    def _forget(self, stream: int) -> _Incoming | None:
        self._waiting.pop(stream, None)
        return self._streams.pop(stream, None)


class CallListener(Protocol):
    """Who serves calls."""

    def on_call(self, stream: int, path: str, message: bytes, timeout: float | None) -> None:
        """A call, to be answered by ``answer`` or ``fail``; ``timeout`` in seconds, if the client named one."""

    def on_cancel(self, stream: int) -> None:
        """The client does not wait for it any more."""


class GrpcServer(_Engine):
    """The server's side of one connection."""

    def __init__(self, listener: CallListener) -> None:
        self._listener = listener
        super().__init__(client=False)

    def answer(self, stream: int, message: bytes) -> None:
        """Answer a call; one that was cancelled is none any more."""
        if self._streams.pop(stream, None) is None:
            return
        with _unless_it_goes():
            self._h2.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
            self._send(stream, message, [("grpc-status", "0")])

    def fail(self, stream: int, code: int, text: str) -> None:
        """Refuse it."""
        if self._streams.pop(stream, None) is None:
            return
        headers = [
            (":status", "200"),
            ("content-type", "application/grpc"),
            ("grpc-status", str(int(code))),
            ("grpc-message", quote(text, safe=_PRINTABLE)),
        ]
        with _unless_it_goes():
            self._h2.send_headers(stream, headers, end_stream=True)

    def _handle(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.RequestReceived):
            self._begin(event.stream_id, _decoded(event.headers))
        elif isinstance(event, h2.events.DataReceived):
            self._take(event)
        elif isinstance(event, h2.events.StreamEnded):
            self._complete(event.stream_id)
        elif isinstance(event, h2.events.StreamReset) and self._forget(event.stream_id) is not None:
            self._listener.on_cancel(event.stream_id)

    def _begin(self, stream: int, headers: dict[str, str]) -> None:
        if headers.get(":method") != "POST" or not headers.get("content-type", "").startswith("application/grpc"):
            self._h2.send_headers(stream, [(":status", "415")], end_stream=True)
            return
        incoming = self._streams[stream] = _Incoming(
            headers.get(":path", ""), parse_timeout(headers.get("grpc-timeout"))
        )
        if headers.get("grpc-encoding", "identity") != "identity":
            incoming.refused = (Code.UNIMPLEMENTED, "messages are not decompressed here")

    def _complete(self, stream: int) -> None:
        incoming = self._streams.get(stream)
        if incoming is None:
            return
        try:
            message = _message(incoming)
        except _RefusedError as error:
            self.fail(stream, error.code, error.text)
        else:
            self._listener.on_call(stream, incoming.path, message, incoming.timeout)


class AnswerListener(Protocol):
    """Who waits for answers."""

    def on_answer(self, stream: int, message: bytes) -> None:
        """The call was answered."""

    def on_failure(self, stream: int, code: int, text: str) -> None:
        """It was refused, by the server or by what came back."""


class GrpcClient(_Engine):
    """The client's side of one connection."""

    def __init__(self, listener: AnswerListener) -> None:
        self._listener = listener
        super().__init__(client=True)

    @property
    def calls(self) -> int:
        """How many wait for their answers."""
        return len(self._streams)

    def call(self, path: str, message: bytes, *, timeout: float | None = None) -> int:
        """Send a call; its number. ProtocolError if the connection takes none."""
        headers = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", path),
            (":authority", "localhost"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
        ]
        if timeout is not None:
            headers.append(("grpc-timeout", f"{max(1, int(timeout * 1000))}m"))
        try:
            stream = self._h2.get_next_available_stream_id()
            self._h2.send_headers(stream, headers)
        except h2.exceptions.ProtocolError as error:
            raise ProtocolError(f"HTTP/2: {error}") from None
        self._streams[stream] = _Incoming()
        self._send(stream, message, None)
        return stream

    def cancel(self, stream: int) -> None:
        """Wait for it no more."""
        if self._forget(stream) is not None:
            try:
                self._h2.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
            except h2.exceptions.ProtocolError:
                pass  # the connection is over

    def _handle(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.ResponseReceived | h2.events.TrailersReceived):
            self._look(event.stream_id, _decoded(event.headers))
        elif isinstance(event, h2.events.DataReceived):
            self._take(event)
        elif isinstance(event, h2.events.StreamEnded):
            self._complete(event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            if self._forget(event.stream_id) is not None:
                self._listener.on_failure(
                    event.stream_id, Code.UNAVAILABLE, f"the stream was reset ({event.error_code})"
                )
        elif isinstance(event, h2.events.ConnectionTerminated):
            for stream in list(self._streams):
                if stream > (event.last_stream_id or 0):
                    self._forget(stream)
                    self._listener.on_failure(stream, Code.UNAVAILABLE, "the server goes away")

    def _look(self, stream: int, headers: dict[str, str]) -> None:
        incoming = self._streams.get(stream)
        if incoming is None:
            return
        if headers.get(":status", "200") != "200":
            incoming.status = (Code.UNKNOWN, f"HTTP status {headers[':status']}")
        elif (code := headers.get("grpc-status")) is not None:
            number = int(code) if code.isascii() and code.isdigit() and len(code) < 4 else Code.UNKNOWN
            incoming.status = (number, unquote(headers.get("grpc-message", "")))

    def _complete(self, stream: int) -> None:
        incoming = self._forget(stream)
        if incoming is None:
            return
        code, text = incoming.status or (Code.INTERNAL, "the server ended the call without a status")
        try:
            message = b"" if code else _message(incoming)
        except _RefusedError as error:
            code, text, message = error.code, error.text, b""
        if code:
            self._listener.on_failure(stream, code, text)
        else:
            self._listener.on_answer(stream, message)


@contextmanager
def _unless_it_goes() -> Iterator[None]:
    """A client that has said that it goes gets no answer."""
    try:
        yield
    except h2.exceptions.ProtocolError:
        pass


class _RefusedError(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def _message(incoming: _Incoming) -> bytes:
    """The one message on a stream."""
    if incoming.refused is not None:
        raise _RefusedError(*incoming.refused)
    body = incoming.body
    if len(body) < _MESSAGE_HEAD.size:
        raise _RefusedError(Code.INTERNAL, "there is no message")
    compressed, size = _MESSAGE_HEAD.unpack_from(body)
    if compressed:
        raise _RefusedError(Code.UNIMPLEMENTED, "messages are not decompressed here")
    if size != len(body) - _MESSAGE_HEAD.size:
        raise _RefusedError(Code.INTERNAL, "there is not exactly one message")
    return bytes(body[_MESSAGE_HEAD.size :])


def parse_timeout(text: str | None) -> float | None:
    """Seconds of a grpc-timeout header; None for none, and for nonsense."""
    if not text or text[-1] not in _UNITS or not (text[:-1].isascii() and text[:-1].isdigit()) or len(text) > 9:
        return None
    return int(text[:-1]) * _UNITS[text[-1]]


def _decoded(headers: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
