"""The laptop's own servers, which services that their user develops lead to: looked at while the run lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from fairlead.host.own_servers import own_servers
from fairlead.model.named import OwnServer

EVERY = 1.0
"""Seconds from one look to the next: nothing tells when a program begins to listen."""


class OwnPorts:
    """What listens on these ports; ``changed`` is told of those where that is another now."""

    def __init__(self, ports: Collection[int], changed: Callable[[Collection[int]], None]) -> None:
        self._changed = changed
        self._servers = own_servers(ports)

    def server(self, port: int) -> OwnServer:
        """What was seen last."""
        return self._servers[port]

    async def run(self) -> None:
        """Look for ever, if there is anything to look at."""
        while self._servers:
            await asyncio.sleep(EVERY)
            before, self._servers = self._servers, own_servers(self._servers)
            if changed := [port for port, server in self._servers.items() if server is not before[port]]:
                self._changed(changed)
