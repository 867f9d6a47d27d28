"""What the tokens stand for, joined from their parts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from fairlead.lab.cri import exec_spdy, exec_websocket, portforward_websocket
from fairlead.lab.cri.channel_connection import ChannelConnection
from fairlead.lab.cri.command import Command, CommandClient, Wanted
from fairlead.lab.cri.connection import IDLE, SpdyConnection
from fairlead.lab.cri.drivers.driver import Driver, PodEnd, closed
from fairlead.lab.cri.errors import NoWayError
from fairlead.lab.cri.exec_spdy import SpdyCommand
from fairlead.lab.cri.exec_websocket import ChannelCommand
from fairlead.lab.cri.portforward import Accept, PortForwarding, Target
from fairlead.lab.cri.portforward_websocket import ChannelForwarding, ports_of
from fairlead.lab.cri.process import Process
from fairlead.lab.cri.sandboxes import Sandboxes
from fairlead.lab.cri.streaming import StreamingServer
from fairlead.lab.cri.upgrade import Answer, Request
from fairlead.net.stream import RemoteEnd
from fairlead.protocol.portforward import PROTOCOL_NAME


@dataclass(frozen=True)
class Options:
    """How streams are served."""

    faithful_errors: bool = False
    """Report every failed connection as text, as containerd does, rather than let the client's session live on."""
    idle: float = IDLE
    """Seconds of silence after which a client is given up."""


DEFAULT = Options()


class PortForwardEndpoint:
    """One granted port-forward."""

    spdy = (PROTOCOL_NAME,)
    websocket = portforward_websocket.PROTOCOLS

    def __init__(
        self,
        sandbox_id: str,
        ports: Sequence[int],
        sandboxes: Sandboxes,
        driver: Driver,
        server: StreamingServer,
        options: Options,
    ) -> None:
        self._ports = ports
        self._sandbox_id = sandbox_id
        self._sandboxes = sandboxes
        self._driver = driver
        self._server = server
        self._options = options

    def over_spdy(self, protocol: str) -> SpdyConnection:
        """See Endpoint."""
        return self._server.adopt(
            SpdyConnection(
                self._server.buffer,
                lambda connection: PortForwarding(connection, self._target()),
                idle=self._options.idle,
                gone=self._server.open.discard,
            )
        )

    def over_websocket(self, protocol: str, request: Request) -> ChannelConnection | Answer:
        """See Endpoint."""
        ports = ports_of(request.query, self._ports, base64="base64" in protocol)
        if isinstance(ports, Answer):
            return ports
        return self._server.adopt(
            ChannelConnection(
                self._server.buffer,
                protocol,
                lambda connection: ChannelForwarding(connection, self._target(), ports),
                idle=self._options.idle,
                gone=self._server.open.discard,
            )
        )

    def _target(self) -> Target:
        return Target(self._sandbox_id, self._open, self._server.tasks, faithful_errors=self._options.faithful_errors)

    async def _open(self, port: int, accept: Accept, gone: Callable[[PodEnd], None]) -> None:
        """The sandbox is looked up anew for each connection: it may have ended since the token was given."""
        sandbox = self._sandboxes.get(self._sandbox_id)
        if sandbox is None:
            raise NoWayError(f'failed to find sandbox "{self._sandbox_id}" in store: not found')
        if not sandbox.ready:
            raise NoWayError("sandbox container is not running") if sandbox.host_network else closed(sandbox)

        def accepted(end: PodEnd) -> RemoteEnd | None:
            self._server.open.add(end)
            return accept(end)

        def ended(end: PodEnd) -> None:
            self._server.open.discard(end)
            gone(end)

        await self._driver.open(sandbox, port, accepted, ended)


class CommandEndpoint:
    """One granted exec, or attach."""

    spdy = exec_spdy.PROTOCOLS
    websocket = exec_websocket.PROTOCOLS

    def __init__(
        self,
        start: Callable[[], Awaitable[Process]],
        wanted: Wanted,
        server: StreamingServer,
        options: Options,
        *,
        tells_code: bool,
    ) -> None:
        self._start = start
        self._wanted = wanted
        self._server = server
        self._options = options
        self._tells_code = tells_code

    def over_spdy(self, protocol: str) -> SpdyConnection:
        """See Endpoint."""
        return self._server.adopt(
            SpdyConnection(
                self._server.buffer,
                lambda connection: SpdyCommand(connection, protocol, self._wanted, self._server.tasks, self._command),
                idle=self._options.idle,
                gone=self._server.open.discard,
            )
        )

    def over_websocket(self, protocol: str, request: Request) -> ChannelConnection | Answer:
        """See Endpoint."""
        return self._server.adopt(
            ChannelConnection(
                self._server.buffer,
                protocol,
                lambda connection: ChannelCommand(
                    connection, protocol, self._wanted, self._server.tasks, self._command
                ),
                idle=self._options.idle,
                gone=self._server.open.discard,
            )
        )

    def _command(self, client: CommandClient) -> Command:
        return Command(self._start, self._wanted, client, self._server.buffer, tells_code=self._tells_code)
