"""Connections to one API server: TCP or through its proxy, then TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from typing import Any, cast

from fairlead import __version__
from fairlead.errors import ConfigError, FairleadError, ProtocolError, UnreachableError
from fairlead.kit.log import get
from fairlead.kube.config import ClusterConfig
from fairlead.kube.tls import ClientCertificate, TlsSettings, explain, make_context
from fairlead.net.connect import connect_tcp
from fairlead.net.descriptors import shortage
from fairlead.net.resolve import Resolver
from fairlead.policy.url import Url, basic
from fairlead.protocol.handshake import Handshake

LOG = get(__name__)
CONNECT_TIMEOUT = 10.0
"""Seconds for TCP, proxy and TLS together; an API server on the other side of the world needs about one."""

AnyProtocol = asyncio.Protocol | asyncio.BufferedProtocol


class Connector:
    """Opens connections to ``server``. The context for a client certificate is made once."""

    def __init__(
        self, server: Url, tls: TlsSettings, proxy: Url | None = None, *, name: str = "the API server", hint: str = ""
    ) -> None:
        self.server = server
        self.proxy = proxy
        self._tls = tls
        self._name = name
        self._hint = hint
        self._resolver = Resolver()
        self._made: tuple[ClientCertificate | None, ssl.SSLContext] | None = None
        self._standing: list[asyncio.Transport] = []
        self._certificate: dict[str, Any] | None = None

    @classmethod
    def of(cls, config: ClusterConfig) -> Connector:
        """The connector for a cluster."""
        cluster = config.cluster
        tls = TlsSettings(cluster.tls_server_name, cluster.insecure, cluster.ca_file, cluster.ca_data)
        return cls(config.server, tls, config.proxy, hint=_hint(config))

    @property
    def where(self) -> str:
        """The server in words, for errors."""
        via = f" through the proxy {self.proxy.scheme}://{self.proxy.address}" if self.proxy else ""
        return f"{self._name} at {self.server}{via}"

    @property
    def forwarded(self) -> bool:
        """Whether requests may go to the proxy itself, with whole addresses (RFC 9112, section 3.2.2), as Go has it."""
        return self.proxy is not None and self.proxy.scheme in ("http", "https") and not self.server.secure

    @property
    def proxy_login(self) -> tuple[tuple[str, str], ...]:
        """The header that forwarded requests need."""
        proxy = self.proxy
        return (("Proxy-Authorization", basic(proxy.username, proxy.password)),) if proxy and proxy.username else ()

    @property
    def certificate_names(self) -> tuple[str, ...]:
        """The DNS names in the server's certificate; none before a connection stood, or where it is not checked."""
        names = (self._certificate or {}).get("subjectAltName", ())
        return tuple(value for kind, value in names if kind == "DNS")

    async def open(
        self,
        factory: Callable[[], AnyProtocol],
        *,
        timeout: float = CONNECT_TIMEOUT,
        certificate: ClientCertificate | None = None,
        tunnel: bool = True,
    ) -> asyncio.Transport:
        """A connection ready for HTTP/1.1, with ``factory()`` as its protocol.

        Without ``tunnel`` it ends at the proxy, for requests that are ``forwarded``.
        Raises UnreachableError (address, reason), CredentialsError when the server refuses the client certificate,
        ConfigError for certificates that cannot be used, MachineError when there are no descriptors.
        """
        context = self._context(certificate) if self.server.secure else None
        async with self._limited(timeout):
            transport = await self._finish(await self._reach(), factory, context, tunnel or not self.forwarded)
            LOG.request("connected to %s", self.where)
            return transport

    async def probe(self, timeout: float = 1.0) -> None:
        """One TCP connect to the server, through its proxy if it has one; raises what ``open`` does."""
        async with self._limited(timeout):
            sock = await self._reach()
            if self.proxy is None:
                sock.close()
            else:
                (await self._finish(sock, _Talk, None, tunnel=True)).abort()

    def abandon(self) -> None:
        """Abort whatever still stands: the last act of a run, for what was cancelled on its way to an owner."""
        for transport in self._standing:
            transport.abort()
        self._standing.clear()

    @asynccontextmanager
    async def _limited(self, timeout: float) -> AsyncIterator[None]:
        """Connecting, with a limit in seconds; every failure in the words of a user."""
        try:
            async with asyncio.timeout(timeout):
                yield
        except TimeoutError as error:
            raise self._unreachable(f"no answer within {timeout:g} s") from error
        except ssl.SSLError as error:
            raise explain(error, self.where) from error
        except OSError as error:
            raise shortage(error) or self._unreachable(reason(error)) from error

    async def _reach(self) -> socket.socket:
        hop = self.proxy or self.server
        return await connect_tcp(hop.host, hop.port, self._resolver)

    async def _finish(
        self, sock: socket.socket, factory: Callable[[], AnyProtocol], context: ssl.SSLContext | None, tunnel: bool
    ) -> asyncio.Transport:
        """From a TCP connection to ``factory``'s protocol, with what the proxy wants to hear and TLS in between.

        TLS is always started on a transport that stands: a ``create_connection`` with TLS that is cancelled before its
        first turn leaves a transport behind that nobody can reach.
        """
        loop = asyncio.get_running_loop()
        transport: asyncio.Transport
        transport, talk = await loop.create_connection(_Talk, sock=sock)
        self._standing = [other for other in self._standing if not other.is_closing()] + [transport]
        with ExitStack() as undo:
            undo.callback(transport.abort)
            if self.proxy is not None:
                if self.proxy.secure:
                    transport = await self._start_tls(transport, talk, self._proxy_context(), self.proxy.host)
                    talk.connection_made(transport)
                if tunnel:
                    await self._ask_proxy(talk)
            if talk.spoken:
                raise self._unreachable("it speaks before it is asked", remedy="check its port")
            protocol = factory()
            if context is None:
                transport.set_protocol(protocol)
            else:
                # a trailing dot is for the resolver only (RFC 6066, section 3)
                name = (self._tls.server_name or self.server.host).rstrip(".")
                transport = await self._start_tls(transport, protocol, context, name)
                self._certificate = transport.get_extra_info("peercert")
            protocol.connection_made(transport)
            undo.pop_all()
        return transport

    async def _start_tls(
        self, transport: asyncio.Transport, protocol: AnyProtocol, context: ssl.SSLContext, name: str
    ) -> asyncio.Transport:
        loop = asyncio.get_running_loop()
        try:
            started = await loop.start_tls(transport, protocol, context, server_hostname=name)
        except ssl.SSLError:  # a ValueError, too, when it is about a certificate
            raise
        except ValueError as error:
            raise ConfigError(f"{name!r} cannot be the name of a TLS server", remedy="check tls-server-name") from error
        if started is None:
            raise ConnectionResetError("closed during the handshake")
        return started

    def _proxy_context(self) -> ssl.SSLContext:
        """The proxy may be signed by the cluster's authority (all that kubectl accepts) or by a public one.

        It is not shown our client certificate.
        """
        return make_context(TlsSettings("", self._tls.insecure, self._tls.ca_file, self._tls.ca_data, also_system=True))

    async def _ask_proxy(self, talk: _Talk) -> None:
        assert self.proxy is not None
        try:
            handshake = self._handshake(self.proxy)
            talk.send(handshake.start())
            while not handshake.done:
                data = await talk.receive()
                if not data:
                    raise ProtocolError("it closed the connection")
                if answer := handshake.receive(data):
                    talk.send(answer)
        except ProtocolError as error:
            raise self._unreachable(error.what, remedy=error.remedy) from error

    def _handshake(self, proxy: Url) -> Handshake:
        # imported here, as few runs have a proxy
        user, secret = proxy.username, proxy.password
        if proxy.scheme.startswith("socks5"):
            from fairlead.protocol.socks5 import Socks5Connect

            return Socks5Connect(self.server.host, self.server.port, username=user, password=secret)
        from fairlead.protocol.http_connect import HttpConnect

        agent = f"fairlead/{__version__}"
        return HttpConnect(self.server.address, username=user, password=secret, agent=agent)

    def _context(self, certificate: ClientCertificate | None) -> ssl.SSLContext:
        # one is enough: plugins rotate certificates, and what was rotated out is never asked for again
        if self._made is None or self._made[0] != certificate:
            self._made = certificate, make_context(self._tls, certificate)
        return self._made[1]

    def _unreachable(self, why: str, *, remedy: str = "") -> FairleadError:
        hint = "check the proxy" if self.proxy else self._hint
        return UnreachableError(f"{self.where} cannot be reached: {why}", remedy=remedy or hint)


def _hint(config: ClusterConfig) -> str:
    if config.no_server:
        return config.no_server
    which = f'"{config.context}" the right context' if config.context else "this the right address"
    return f"is the cluster up, and is {which}?"


def reason(error: OSError) -> str:
    """An OSError in words."""
    if isinstance(error, socket.gaierror):
        return "its name cannot be resolved"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ConnectionResetError):
        return "connection reset"
    return error.strerror or str(error) or type(error).__name__


class _Talk(asyncio.Protocol):
    """The few bytes said to a proxy, awaited; replaced once the way is clear."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._ended = False
        self._waiter: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._wake()

    def eof_received(self) -> None:
        self._ended = True
        self._wake()

    def send(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)

    @property
    def spoken(self) -> bool:
        """Whether there are bytes that nobody asked for."""
        return bool(self._received)

    async def receive(self) -> bytes:
        if not self._received and not self._ended:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        data = bytes(self._received)
        self._received.clear()
        return data

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
