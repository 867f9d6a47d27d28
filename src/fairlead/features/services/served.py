"""One address of the laptop as it is: its listening ports."""

from __future__ import annotations

from collections.abc import Mapping

from fairlead.entry.listener import Bound, Listeners
from fairlead.entry.named import Refused, Why
from fairlead.features.names.group import NamedGroup
from fairlead.features.names.port import Around
from fairlead.model.named import GroupKey
from fairlead.policy.plan import Group


class ServedGroup(NamedGroup):
    """A group whose ports are listened on; ``apply`` makes it what the plan says."""

    def __init__(self, key: GroupKey, address: str, around: Around, listeners: Listeners) -> None:
        super().__init__(key, address, around)
        self._listeners = listeners
        self._bound: dict[int, Bound] = {}
        self._strangers = False
        """Whether another user listens on a port that it should have."""

    @property
    def listens(self) -> bool:
        """Whether its names may be known: they lead somewhere, and none of their ports to a stranger."""
        return not self._strangers and (bool(self.ports) or any(not port.ours for port in self.group.ports))

    def missing(self, group: Group) -> list[int]:
        """The ports that it should listen on and does not."""
        return [port.number for port in group.ports if port.ours and port.number not in self.ports]

    def keep_only(self, group: Group) -> None:
        """Listen no more on ports that are not to be ours any more."""
        wanted = {port.number for port in group.ports if port.ours}
        for number in [number for number in self.ports if number not in wanted]:
            self._close(number)

    async def apply(self, group: Group, bound: dict[int, Bound], refused: Mapping[int, Refused]) -> None:
        """Serve these ports; ``bound`` are those that listen from now on, ``refused`` those that could not be had."""
        self.refused = {number: each.text for number, each in refused.items()}
        self._strangers = any(each.why is Why.STRANGER for each in refused.values())
        self.update(group)
        wanted = {port.number for port in group.ports if port.ours}
        for number, socket in bound.items():
            way = self.way(number) if number in wanted and number not in self.ports else None
            if way is None:
                socket.close()
                continue
            await self._listeners.serve(socket, way.accept, self._around.tasks)
            self._bound[number] = socket

    def stop(self) -> None:
        """Listen no more; connections go on."""
        for number in list(self.ports):
            self._close(number)

    def _close(self, number: int) -> None:
        del self.ports[number]
        self._told.pop(number, None)
        if number in self._bound:
            self._listeners.stop(self._bound.pop(number))
