"""Two connections joined: what one says, the other is told, and the end of one is the end of both.

There is no half end here, as in the API server's own proxy: the streams inside have ends of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

from fairlead.errors import ProtocolError
from fairlead.net.buffer import ReadBuffer
from fairlead.protocol.websocket import CloseCode, WebSocket

HIGH_WATER = 512 * 1024
"""Unsent bytes at which the other side is not read any more."""


class Wrapping(Protocol):
    """How bytes travel on one of the two connections."""

    def unwrap(self, data: memoryview, told: Callable[[memoryview], None]) -> bytes:
        """Tell of what is inside; what is to be answered at once. ProtocolError ends both."""

    def wrap(self, data: memoryview) -> bytes:
        """As it is to be sent."""

    def goodbye(self) -> bytes:
        """What is said before the end."""


class Plain:
    """As they are."""

    def unwrap(self, data: memoryview, told: Callable[[memoryview], None]) -> bytes:
        """Tell of all of it."""
        told(data)
        return b""

    def wrap(self, data: memoryview) -> bytes:
        """A copy: the view is of a buffer that is read into again."""
        return bytes(data)

    def goodbye(self) -> bytes:
        """Nothing."""
        return b""


class Messages:
    """In the binary messages of a WebSocket, whose borders mean nothing (KEP-4006); we are its server."""

    def __init__(self) -> None:
        self._told: Callable[[memoryview], None] = lambda data: None
        self._closed = False
        self._socket = WebSocket(self, client=False, mask=lambda: bytes(4))

    def unwrap(self, data: memoryview, told: Callable[[memoryview], None]) -> bytes:
        """Unpack messages."""
        self._told = told
        self._socket.receive(data)
        return self._socket.take_outgoing()

    def wrap(self, data: memoryview) -> bytes:
        """One message."""
        return self._socket.message(bytes(data))

    def goodbye(self) -> bytes:
        """Close 1000, if the client has not."""
        if not self._closed:
            self._closed = True
            self._socket.close(CloseCode.NORMAL)
        return self._socket.take_outgoing()

    def on_payload(self, data: memoryview) -> None:
        """Bytes of the tunnel."""
        self._told(data)

    def on_close(self, code: int, reason: str) -> None:
        """The client ends, and with it all."""
        raise ProtocolError("the client closed the WebSocket")


class Half(asyncio.BufferedProtocol):
    """One of the two."""

    def __init__(self, buffer: ReadBuffer, wrapping: Wrapping) -> None:
        self.other: Half
        self._buffer = buffer
        self._wrapping = wrapping
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It stands, and the other does."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER)

    def get_buffer(self, sizehint: int) -> memoryview:
        """The loop's shared buffer."""
        return self._buffer.whole

    def buffer_updated(self, nbytes: int) -> None:
        """Pass it on."""
        self.take(self._buffer.whole[:nbytes])

    def take(self, data: memoryview) -> None:
        """What was read here."""
        try:
            answer = self._wrapping.unwrap(data, self.other.send)
        except ProtocolError:
            self.end()
            return
        if answer and not self._transport.is_closing():
            self._transport.write(answer)

    def send(self, data: memoryview) -> None:
        """What the other side says."""
        if not self._transport.is_closing():
            self._transport.write(self._wrapping.wrap(data))

    def pause_writing(self) -> None:
        """The other side has to wait."""
        self.other.wait()

    def resume_writing(self) -> None:
        """It may go on."""
        self.other.go_on()

    def wait(self) -> None:
        """Read no more for now."""
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def go_on(self) -> None:
        """Read again."""
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def eof_received(self) -> bool:
        """The end of both."""
        self.end()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The end of both."""
        self.other.close()

    def end(self) -> None:
        """Close both, after what is unsent."""
        self.close()
        self.other.close()

    def close(self) -> None:
        """Close this one, after what is unsent."""
        if not self._transport.is_closing():
            self._transport.write(self._wrapping.goodbye())
            self._transport.close()


def join(
    buffer: ReadBuffer,
    one: tuple[asyncio.Transport, Wrapping, bytes],
    two: tuple[asyncio.Transport, Wrapping, bytes],
) -> None:
    """Join two connections; the bytes are what was read of each already. Both are read from now on."""
    halves = [Half(buffer, wrapping) for _, wrapping, _ in (one, two)]
    halves[0].other, halves[1].other = halves[1], halves[0]
    for half, (transport, _, _) in zip(halves, (one, two), strict=True):
        transport.set_protocol(half)
        half.connection_made(transport)
    for half, (_, _, rest) in zip(halves, (one, two), strict=True):
        if rest:
            half.take(memoryview(rest))
    for transport, _, _ in (one, two):
        if transport.is_closing():
            halves[0].end()
            return
        transport.resume_reading()
