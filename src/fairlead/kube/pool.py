"""A few kept connections, so that the second request needs no second TLS handshake."""

from __future__ import annotations

import asyncio

from fairlead.kube.auth import Identity
from fairlead.kube.connect import CONNECT_TIMEOUT, Connector
from fairlead.kube.http import HttpConnection

IDLE_CONNECTIONS = 4
"""Kept for later requests; a run seldom has more requests at a time."""
IDLE_TIME = 60.0
"""Seconds a connection is kept; shorter than the idle limits of API servers (3 min) and of most balancers."""


class Pool:
    """Connections to one API server. Whoever takes one gives it back or drops it."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._idle: dict[HttpConnection, asyncio.TimerHandle] = {}
        self._open: set[HttpConnection] = set()

    async def take(
        self, identity: Identity, *, fresh: bool = False, tunnel: bool = False, timeout: float = CONNECT_TIMEOUT
    ) -> HttpConnection:
        """A kept connection that was opened with this identity's certificate, or a new one.

        A ``tunnel`` is never a kept connection. ``timeout``: seconds for opening a new one.
        """
        while self._idle and not (fresh or tunnel):
            connection, timer = self._idle.popitem()
            timer.cancel()
            if connection.reusable and connection.certificate == identity.certificate:
                return connection
            connection.abort()
        connection = HttpConnection(self._connector.where, identity.certificate)
        certificate = identity.certificate
        await self._connector.open(lambda: connection, timeout=timeout, certificate=certificate, tunnel=tunnel)
        self._open.add(connection)
        connection.lost.add_done_callback(lambda _: self._open.discard(connection))
        return connection

    def give_back(self, connection: HttpConnection) -> None:
        """Keep ``connection`` if another request may follow on it."""
        if not connection.reusable or len(self._idle) >= IDLE_CONNECTIONS:
            connection.abort()
            return
        loop = asyncio.get_running_loop()
        self._idle[connection] = loop.call_later(IDLE_TIME, self._expire, connection)

    def drop_idle(self) -> None:
        """Keep none of those that wait: after an outage they may lead nowhere, and only silence would tell."""
        for connection, timer in self._idle.items():
            timer.cancel()
            connection.abort()
        self._idle.clear()

    async def close(self) -> None:
        """End all connections and wait until their sockets are closed."""
        self.drop_idle()
        waiting = [connection.lost for connection in self._open]
        for connection in tuple(self._open):
            connection.abort()
        if waiting:
            await asyncio.wait(waiting)

    def _expire(self, connection: HttpConnection) -> None:
        del self._idle[connection]
        connection.abort()
