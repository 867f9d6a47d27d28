"""One service, or one pod of a headless one: its names, where its ports lead, and what is said of that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from fairlead.features.names.port import Around, PortWay
from fairlead.model.named import GroupKey
from fairlead.model.service_events import Forwarding, ServiceState, StoppedForwarding
from fairlead.model.target import PodRef
from fairlead.policy.hostnames import Name, label
from fairlead.policy.plan import Group, Kind, NamedPort
from fairlead.policy.ways import State, Way, state_of


class Told(NamedTuple):
    """What was said of one port."""

    label: str
    to: tuple[str, ...]


class NamedGroup:
    """``key`` stands on ``address``; ``update`` makes it what the plan says, ``tell`` says what of it is news."""

    def __init__(self, key: GroupKey, address: str, around: Around) -> None:
        self.key = key
        self.address = address
        self.label = key.service
        """The shortest of its names."""
        self.names: tuple[str, ...] = ()
        self.ports: dict[int, PortWay] = {}
        """The ways of its ports, as far as they were made."""
        self.refused: Mapping[int, str] = {}
        """Why no connection can come to these ports, as it follows on "port 80 is"."""
        self.group = Group(key, Kind.SERVICE, ())
        """As it was planned last."""
        self._around = around
        self._in_use: Counter[PodRef] = Counter()
        self._told: dict[int, Told] = {}
        self._announced = False
        self._state = State("")

    @property
    def whose(self) -> tuple[str, str, str, str, str]:
        """What an event says of whom it is about, ``target`` to ``context``."""
        return self.label, self.key.service, self.key.pod, self.key.namespace, self.key.context

    @property
    def known(self) -> str:
        """The state that was told last; "" before there was one."""
        return self._state.name

    def take_names(self, won: Sequence[Name]) -> None:
        """These names are its own, in the order of a hosts file's line."""
        self.names = tuple(dict.fromkeys(name.text for name in won))
        self.label = label(self.key, won)

    def update(self, group: Group) -> None:
        """Its ports lead elsewhere from now on; connections that are open go on, also those to ports that are gone."""
        self.group = group
        planned = {port.number: port for port in group.ports}
        for number in self.ports.keys() - planned.keys():
            self.ports[number].leave()
        self.ports = {number: way for number, way in self.ports.items() if number in planned}
        self._told = {number: told for number, told in self._told.items() if number in planned}
        for number, way in self.ports.items():
            way.update(planned[number], group.affinity)

    def way(self, number: int) -> PortWay | None:
        """Where connections to a port go, made when that is first asked; None where it has no such port."""
        if number not in self.ports:
            port = next((port for port in self.group.ports if port.number == number), None)
            if port is None:
                return None
            way = self.ports[number] = PortWay(self, port, self._around, self._in_use)
            way.update(port, self.group.affinity)
        return self.ports[number]

    def tell(self) -> None:
        """Say where each port leads, where that is news, and how all of it stands."""
        for port in self.group.ports:
            if not port.direct and port.number not in self.refused:
                told = Told(self.label, _destinations(port))
                if port.leads_on and self._told.get(port.number) != told:
                    self._say(port)
                    self._announced = True
                self._told[port.number] = told if port.leads_on else Told(self.label, ())
        self.judge()

    def judge(self) -> None:
        """Say how it stands, where that is news."""
        ways = [way.way for way in self.ports.values()]
        ways += [
            Way(port.leads_on, needed=bool(port.own))
            for port in self.group.ports
            if port.number not in self.ports and port.number not in self.refused
        ]
        ways += [Way(False, failure=f"port {number} is {text}") for number, text in self.refused.items()]
        if not ways:
            return
        before, state = self._state, state_of(ways)
        if state.name == "waiting":
            state = state._replace(reason=_not_ready(self.group))
        self._state = state
        if state[:2] != before[:2]:
            self._tell_state(state)

    def preview(self, group: Group) -> None:
        """Say where each port would lead."""
        self.group = group
        for port in group.ports:
            if port.leads_on and not port.direct:
                self._say(port)
        if state_of([Way(port.leads_on, needed=bool(port.own)) for port in group.ports]).name == "waiting":
            self._tell_state(State("waiting", _not_ready(group)))

    def wake(self) -> None:
        """The API server is back: whoever waits tries again."""
        for way in self.ports.values():
            way.route.wake()

    def gone(self) -> None:
        """Say that it was stopped."""
        if self._announced:
            self._around.report(StoppedForwarding(*self.whose))
        self._told.clear()
        self._announced = False

    def cut(self) -> None:
        """The run ends: reset what is open."""
        for way in self.ports.values():
            way.route.close()

    def _say(self, port: NamedPort) -> None:
        kind = self.group.kind.value
        self._around.report(Forwarding(*self.whose, kind, self.address, port.number, _destinations(port)))

    def _tell_state(self, state: State) -> None:
        at = f"{datetime.fromtimestamp(state.proved, UTC):%Y-%m-%dT%H:%M:%SZ}" if state.proved else ""
        wait = self._around.wait if state.name == "waiting" and not _absent(self.group) else 0.0
        self._around.report(ServiceState(*self.whose, state.name, state.reason, at, wait))


def _destinations(port: NamedPort) -> tuple[str, ...]:
    """Where it leads, as a user reads it."""
    if port.own:
        return (f"localhost:{port.own}",)
    return tuple(f"{backend.pod.name}:{backend.port}" for backend in port.backends)


def _absent(group: Group) -> set[int]:
    """The ports of the laptop that it leads to, and where nothing listens."""
    return {port.own for port in group.ports if port.own and not port.leads_on}


def _not_ready(group: Group) -> str:
    if absent := _absent(group):
        return f"nothing listens on {' or '.join(f'localhost:{number}' for number in sorted(absent))} on this machine"
    return "the pod is not ready" if group.key.pod else "no pod is ready"
