"""The streaming server: a URL for each request that was granted, and the stream of whoever comes with it in time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from fairlead.kit.tasks import Background
from fairlead.lab.cri import upgrade
from fairlead.lab.cri.channel_connection import ChannelConnection
from fairlead.lab.cri.connection import ClientConnection, SpdyConnection
from fairlead.lab.cri.http import Accepted, HttpFront
from fairlead.lab.cri.tokens import Tokens
from fairlead.lab.cri.upgrade import Answer, Request
from fairlead.net.buffer import ReadBuffer

HOST = "127.0.0.1"
"""Who connects from elsewhere has no business here: the node's API passes its clients' bytes on."""


C = TypeVar("C", bound=ClientConnection)


class Live(Protocol):
    """Something that is open and can be broken off: a connection of a client, or to a pod."""

    def abort(self) -> None:
        """Break off."""


class Open:
    """What is open, so that it can be ended together."""

    def __init__(self) -> None:
        self._all: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self._all)

    def add(self, each: Live) -> None:
        """It is open."""
        self._all[id(each)] = each

    def discard(self, each: Live) -> None:
        """It is not any more."""
        self._all.pop(id(each), None)

    def abort(self) -> None:
        """End all."""
        for each in list(self._all.values()):
            each.abort()


class Endpoint(Protocol):
    """What a token stands for."""

    @property
    def spdy(self) -> Sequence[str]:
        """The protocols that it speaks over SPDY; the client's order decides."""

    @property
    def websocket(self) -> Sequence[str]:
        """The subprotocols that it speaks over WebSocket."""

    def over_spdy(self, protocol: str) -> SpdyConnection:
        """What serves a client."""

    def over_websocket(self, protocol: str, request: Request) -> ChannelConnection | Answer:
        """What serves a client, or why none can be served."""


class StreamingServer:
    """Listens while its block runs, and ends what is open with it."""

    def __init__(self, chance: Callable[[int], bytes], *, buffer: ReadBuffer | None = None) -> None:
        self.buffer = buffer or ReadBuffer()
        self.tasks = Background()
        self.open = Open()
        """Clients' connections, and those to pods."""
        self._tokens: Tokens[tuple[str, Endpoint]] = Tokens(chance)
        self._port = 0

    async def __aenter__(self) -> Self:
        await self.tasks.__aenter__()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._front, HOST, self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.open.abort()
        await self.tasks.__aexit__(kind, error, trace)
        self.open.abort()

    def url(self, kind: str, endpoint: Endpoint) -> str:
        """Where this stream can be had, once. CallError if too many wait."""
        token = self._tokens.insert((kind, endpoint), asyncio.get_running_loop().time())
        return f"http://{HOST}:{self._port}/{kind}/{token}"

    def adopt(self, connection: C) -> C:
        """End it with us."""
        self.open.add(connection)
        return connection

    def _front(self) -> HttpFront:
        front = HttpFront(self.buffer, self._route, self.open.discard)
        self.open.add(front)
        return front

    def _route(self, request: Request) -> Answer | Accepted:
        kind, _, token = request.path.strip("/").partition("/")
        if kind not in ("exec", "attach", "portforward") or not token:
            return upgrade.NOT_FOUND
        if request.method not in ("GET", "POST"):
            return Answer(405, "405: Method Not Allowed", (("Allow", "GET, POST"),))
        found = self._tokens.take(token, asyncio.get_running_loop().time())
        if found is None or found[0] != kind:
            return upgrade.NOT_FOUND
        return _upgraded(request, found[1])


def _upgraded(request: Request, endpoint: Endpoint) -> Answer | Accepted:
    if request.wants_websocket:
        agreed = upgrade.websocket(request, endpoint.websocket)
        if isinstance(agreed, Answer):
            return agreed
        made = endpoint.over_websocket(agreed.protocol, request)
        return made if isinstance(made, Answer) else Accepted(agreed, made, made.begin)
    agreed = upgrade.spdy(request, endpoint.spdy)
    return agreed if isinstance(agreed, Answer) else Accepted(agreed, endpoint.over_spdy(agreed.protocol))
