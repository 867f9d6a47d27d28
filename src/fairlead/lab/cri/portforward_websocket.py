"""Port-forward in WebSocket channels, as it was before SPDY's: ports named in the request, one connection for each.

Port i (from 0) has channel 2i for data and 2i+1 for errors. Each begins with the port's number, two bytes little
endian. There is no way to say that a half, or a port, has ended, so any failure is told as text, and the connection
ends when the last port has.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from urllib.parse import parse_qs

from fairlead.lab.cri.channel_connection import ChannelConnection
from fairlead.lab.cri.channels import MOST_CHANNELS
from fairlead.lab.cri.drivers.driver import PodEnd, reason
from fairlead.lab.cri.errors import BrokenError, ForwardError
from fairlead.lab.cri.hold import BLOCKED, Hold
from fairlead.lab.cri.pod_side import PodSide
from fairlead.lab.cri.portforward import Target
from fairlead.lab.cri.upgrade import Answer
from fairlead.net.stream import RemoteEnd

PROTOCOLS = ("v4.channel.k8s.io", "v4.base64.channel.k8s.io")
MOST_PORTS = MOST_CHANNELS // 2


def ports_of(query: str, granted: Sequence[int], *, base64: bool) -> list[int] | Answer:
    """The ports of a request: ``port`` repeated or with commas, or those that were granted. The answer if it is wrong.

    In base64 a channel is one digit, so there is room for five.
    """
    asked = [each for value in parse_qs(query).get("port", []) for each in value.split(",")]
    ports = []
    for each in asked:
        if not (each.isascii() and each.isdigit() and len(each) < 6 and 0 < int(each) < 65536):
            return Answer(400, f'unable to parse "{each}" as a port')
        ports.append(int(each))
    ports = ports or list(granted)
    if not ports:
        return Answer(400, 'query parameter "port" is required')
    most = 5 if base64 else MOST_PORTS
    return ports if len(ports) <= most else Answer(400, f"more than {most} ports")


class ChannelForwarding:
    """The service of one connection."""

    def __init__(self, connection: ChannelConnection, target: Target, ports: Sequence[int]) -> None:
        self.connection = connection
        self.target = target
        self.ports = [ChannelPort(self, 2 * index, port) for index, port in enumerate(ports)]
        self.hold: Hold[ChannelPort] = Hold(
            lambda wanted: connection.read("hold", wanted=wanted), lambda: self.running, ChannelPort.give_up
        )
        self.running = len(ports)

    def begin(self) -> None:
        """Name the ports, and dial them."""
        for port in self.ports:
            number = struct.pack("<H", port.number)
            self.connection.say(port.channel, number)
            self.connection.say(port.channel + 1, number)
        for port in self.ports:
            port.start()

    def on_channel(self, channel: int, data: memoryview) -> None:
        """Bytes for a pod; clients have nothing to say on the channels of errors."""
        if channel % 2 == 0 and channel // 2 < len(self.ports):
            self.ports[channel // 2].write(data)

    def on_channel_end(self, channel: int) -> None:
        """Not in this protocol."""

    def on_close(self, code: int, reason: str) -> None:
        """The client closes."""
        self.connection.client_closes()

    def after_read(self) -> None:
        """Send to the pods."""
        for port in self.ports:
            port.flush()

    def pause(self) -> None:
        """The client takes no more."""
        for port in self.ports:
            port.pause()

    def resume(self) -> None:
        """It does again."""
        for port in self.ports:
            port.resume()

    def lost(self) -> None:
        """The client is gone."""
        self.hold.end()
        for port in self.ports:
            port.client_lost()

    def over(self, port: ChannelPort) -> None:
        """A port has ended."""
        self.hold.unblock(port)
        self.running -= 1
        if not self.running:
            self.connection.close()


class ChannelPort:
    """One port: the remote end of its connection to the pod."""

    def __init__(self, service: ChannelForwarding, channel: int, number: int) -> None:
        self.channel = channel
        self.number = number
        self._service = service
        self._pod = PodSide()
        self._task: asyncio.Task[None] | None = None
        self._over = False

    # -- what the service calls --

    def start(self) -> None:
        """Dial."""
        self._task = self._service.target.tasks.start(self._dial(), name=f"forward to port {self.number}")

    def write(self, data: memoryview) -> None:
        """Bytes for the pod."""
        if not self._over:
            self._pod.write(data)

    def flush(self) -> None:
        """Send them, and see how much the pod leaves unread."""
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
        """The client takes no more."""
        self._pod.pause()

    def resume(self) -> None:
        """It does again."""
        self._pod.resume()

    def give_up(self) -> None:
        """It held up the others."""
        self._fail(BrokenError(f"{self.unread} bytes were not read while others waited"))

    def client_lost(self) -> None:
        """The client is gone, and there is no telling whether it had said all: the pod must not take it for that."""
        self._end()
        self._pod.abort()

    # -- the dialling --

    async def _dial(self) -> None:
        try:
            await self._service.target.open(self.number, self._accept, self._gone)
        except (ForwardError, OSError) as error:
            self._task = None
            self._fail(error if isinstance(error, ForwardError) else BrokenError(reason(error)))

    def _accept(self, local: PodEnd) -> RemoteEnd | None:
        if self._over:
            return None
        self._pod.join(local, reading=self._service.connection.writable)
        return self

    def _gone(self, local: PodEnd) -> None:
        self._pod.left()

    # -- what the pod's end calls --

    def send(self, buffer: memoryview, start: int, end: int) -> None:
        """Bytes of the pod."""
        connection = self._service.connection
        connection.send(self.channel, buffer, start, end)
        if not connection.writable:
            self._pod.pause()

    def send_eof(self) -> None:
        """The pod has ended, as far as this protocol can tell."""
        self._end()
        self._pod.close()

    def local_blocked(self) -> None:
        """Seen by ``flush``."""

    def local_drained(self) -> None:
        """It reads again."""
        self._service.hold.unblock(self)

    def local_lost(self) -> None:
        """The connection to the pod is gone."""
        if not self._over:
            self._fail(BrokenError(self._pod.failure))

    # -- the ends --

    def _fail(self, error: ForwardError) -> None:
        if self._over:
            return
        target = self._service.target
        self._service.connection.say(self.channel + 1, target.told(self.number, error).encode())
        self._end()
        self._pod.abort()

    def _end(self) -> None:
        if self._over:
            return
        self._over = True
        if self._task is not None and not self._pod.joined:
            self._task.cancel()
        self._service.over(self)
