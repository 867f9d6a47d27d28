"""A client's WebSocket with channels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from fairlead.lab.cri.channels import ChannelListener, Channels
from fairlead.lab.cri.connection import IDLE, ClientConnection, Service
from fairlead.net.buffer import ReadBuffer


class ChannelService(Service, ChannelListener, Protocol):
    """What is served on such a connection."""

    def begin(self) -> None:
        """The client can be spoken to."""


class ChannelConnection(ClientConnection):
    """Drives the channels."""

    _service: ChannelService

    def __init__(
        self,
        buffer: ReadBuffer,
        protocol: str,
        make: Callable[[ChannelConnection], ChannelService],
        *,
        idle: float = IDLE,
        gone: Callable[[ClientConnection], None] = lambda connection: None,
    ) -> None:
        super().__init__(buffer, idle, gone)
        self._said_close = False
        self._service = make(self)
        self._channels = Channels(self._service, protocol)

    def begin(self) -> None:
        """The transport is there."""
        self._service.begin()
        self.flush()

    # -- what the service calls --

    def send(self, channel: int, buffer: memoryview, start: int, end: int) -> None:
        """Send ``buffer[start:end]``; what goes before it is written in place."""
        if self.closed or self._said_close:
            return
        if self._channels.text:
            self.say(channel, bytes(buffer[start:end]))
            return
        self.flush()
        self._write(bytes(buffer[self._channels.header_into(buffer, start, channel, end - start) : end]))

    def say(self, channel: int, data: bytes) -> None:
        """Send one message."""
        if not self.closed and not self._said_close:
            self.flush()
            self._write(self._channels.message(channel, data))

    def close(self) -> None:
        """All was said. What the client still says is read, lest the kernel drop our last words with it."""
        if not self.closed and not self._said_close:
            self._said_close = True
            self._channels.close()
            self.finish()

    def client_closes(self) -> None:
        """It said so, first or in answer."""
        self.close()
        self.end()

    # -- for the connection --

    def _feed(self, data: memoryview) -> None:
        self._channels.receive(data)

    def _take_outgoing(self) -> bytes:
        return self._channels.take_outgoing()
