"""Ports that the laptop's own programs listen on: inside, these lead there, and all others of localhost are refused.

Were all of them captured, a program that waits for its own server to listen would find that it does before it did.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Set

from fairlead.errors import MachineError
from fairlead.host.listening import ListeningPorts
from fairlead.kit import log
from fairlead.policy.capture import nft_listeners
from fairlead.policy.listeners import Listener, of_this_machine

LOG = log.get(__name__)
EVERY = 0.2
"""Seconds from one look to the next."""
MOST_AT_ONCE = 2048
"""Listeners that change with one look, which the agent is told in one message."""
_LOCALHOST = ("127.0.0.1", "::1")


class LaptopPorts:
    """Keeps the sets of the rules current; ``ours`` are ports of localhost that we listen on for a program inside."""

    def __init__(
        self,
        laptop: ListeningPorts,
        own: Collection[str],
        known: frozenset[Listener],
        change: Callable[[str], Awaitable[None]],
        ours: Callable[[], Set[int]],
    ) -> None:
        self._laptop = laptop
        self._own = frozenset(own)
        self._known = known
        self._change = change
        self._ours = ours

    async def run(self) -> None:
        """Look for ever. Raises MachineError where the rules cannot be changed any more."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Take over what changed."""
        try:
            now = of_this_machine(self._laptop.now(), self._own)
        except MachineError as error:
            LOG.decision("what listens on this laptop is not known: %s", error.what)
            return
        now -= {(address, port) for port in self._ours() for address in _LOCALHOST}
        if changed := sorted(self._known ^ now)[:MOST_AT_ONCE]:
            now = self._known ^ frozenset(changed)
            await self._change(nft_listeners(self._known, now))
            self._known = now
