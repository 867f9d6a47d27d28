"""Opens lanes: plain SPDY/3.1 or SPDY inside WebSocket, whichever this API server lets through.

Plain SPDY is tried first, because it is cheaper: 1.2 times the throughput and 0.7 to 0.8 of the client's CPU per GB
against the tunnel on the same cluster. What worked is used for all further lanes and remembered for a day.
"""

from __future__ import annotations

import os
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from enum import Enum
from typing import NamedTuple, Protocol, cast

from fairlead.dial.lane import Lane, LaneOwner
from fairlead.errors import ApiError, FairleadError, ForbiddenError, NoAnswerError, NotFoundError, ProtocolError
from fairlead.kit import log
from fairlead.kube.client import ApiServer
from fairlead.kube.upgrade import UpgradeResponse
from fairlead.model.target import PodRef
from fairlead.net.buffer import ReadBuffer
from fairlead.net.carrier import Carrier, PlainCarrier
from fairlead.policy.url import quote
from fairlead.protocol.portforward import PROTOCOL_NAME

PROOF = 3.0
"""Seconds for the first ping of a carrier that has not been seen to work: some proxies answer 101 and pass nothing."""

TUNNEL = f"SPDY/3.1+{PROTOCOL_NAME}"
_log = log.get(__name__)


class Way(Enum):
    """The carriers, in the order in which they are tried."""

    SPDY = "spdy"
    WEBSOCKET = "websocket"


class WayMemory(Protocol):
    """Which carrier worked for this API server, across runs."""

    def recall(self) -> str | None:
        """A ``Way`` value, or None."""

    def remember(self, way: str | None) -> None:
        """Keep it for a day; None forgets."""


class PodStreams:
    """Makes lanes to pods through one API server."""

    def __init__(self, server: ApiServer, memory: WayMemory, *, tls: bool) -> None:
        self._server = server
        self._memory = memory
        self._buffer = ReadBuffer()
        self._mask = None if tls else lambda: os.urandom(4)
        self._proved: Way | None = None
        recalled = memory.recall()
        self._order = sorted(Way, key=lambda way: way.value != recalled)

    async def open_lane(self, pod: PodRef, owner: LaneOwner) -> Lane:
        """One lane to ``pod``; raises the error of the way that says most about why there is none."""
        if self._proved is not None:
            try:
                return await self._open(self._proved, pod, owner)
            except (ForbiddenError, ProtocolError, NoAnswerError):
                self._proved = None
        errors: list[FairleadError] = []
        for way in self._order:
            try:
                lane = await self._open(way, pod, owner)
                await self._prove(lane)
            except NotFoundError:
                raise
            except (ApiError, ProtocolError, NoAnswerError) as error:
                _log.decision("%s: %s", way.value, error)
                errors.append(error)
                if self._memory.recall() == way.value:
                    self._memory.remember(None)
                continue
            self._proved = way
            if self._memory.recall() != way.value:
                self._memory.remember(way.value)
            self._order = sorted(Way, key=lambda other: other is not way)
            return lane
        raise next((error for error in errors if isinstance(error, ForbiddenError)), errors[0])

    async def _prove(self, lane: Lane) -> None:
        try:
            await lane.prove(PROOF)
        except BaseException as error:
            lane.kill("no answer to the first ping")
            if not isinstance(error, (TimeoutError, ConnectionError)):
                raise
            raise ProtocolError(
                f"the API server, or a proxy before it, accepted {lane.carrier.name} and then passed nothing on"
            ) from error

    async def _open(self, way: Way, pod: PodRef, owner: LaneOwner) -> Lane:
        path = f"/api/v1/namespaces/{quote(pod.namespace)}/pods/{quote(pod.name)}/portforward"
        handshake = _spdy() if way is Way.SPDY else _websocket(self._mask)

        def make(response: UpgradeResponse) -> Lane:
            handshake.check(response)
            return Lane(self._buffer, owner, handshake.carrier)

        transport = await self._server.upgrade(handshake.method, path, handshake.headers, make)
        _log.decision("a lane to pod %s: %s", pod.name, way.value)
        return cast("Lane", transport.get_protocol())


class _Handshake(NamedTuple):
    method: str
    headers: Sequence[tuple[str, str]]
    check: Callable[[UpgradeResponse], None]
    """Raises ProtocolError when the 101 is not what was asked for."""
    carrier: Callable[[Lane], Carrier]


def _spdy() -> _Handshake:
    def check(response: UpgradeResponse) -> None:
        chosen = response.get("X-Stream-Protocol-Version")
        if chosen != PROTOCOL_NAME:
            raise ProtocolError(f'the server chose the stream protocol "{chosen}" instead of "{PROTOCOL_NAME}"')

    headers = (
        ("Connection", "Upgrade"),
        ("Upgrade", "SPDY/3.1"),
        ("X-Stream-Protocol-Version", PROTOCOL_NAME),
    )
    return _Handshake("POST", headers, check, lambda lane: PlainCarrier(lane.session_receive))


def _websocket(mask: Callable[[], bytes] | None) -> _Handshake:
    # imported here, as few servers need it
    from fairlead.net.wscarrier import WebSocketCarrier
    from fairlead.protocol.websocket import accept_value

    key = b2a_base64(os.urandom(16), newline=False).decode()

    def check(response: UpgradeResponse) -> None:
        if response.get("Sec-WebSocket-Accept") != accept_value(key):
            raise ProtocolError("the server's answer to the WebSocket handshake is not one (Sec-WebSocket-Accept)")
        if response.get("Sec-WebSocket-Protocol") != TUNNEL:
            raise ProtocolError(f"the server does not offer the WebSocket protocol {TUNNEL}")

    headers = (
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", key),
        ("Sec-WebSocket-Protocol", TUNNEL),
    )
    return _Handshake("GET", headers, check, lambda lane: WebSocketCarrier(lane.session_receive, lane.lost, mask))
