"""Ports that programs inside listen on: each is listened on at the laptop's localhost too, under the same number."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from fairlead.dial.laptop import Joined, elsewhere
from fairlead.entry.listener import LOCALHOST, Address, Bound, Group, Listeners, bind, told
from fairlead.errors import ListenError, MachineError
from fairlead.host.listening import ListeningPorts
from fairlead.host.ports import describe_holders
from fairlead.kit import log
from fairlead.kit.tasks import Background
from fairlead.model.events import Note
from fairlead.net.buffer import ReadBuffer
from fairlead.net.local import LocalConnection
from fairlead.net.stream import RemoteEnd
from fairlead.policy.capture import PORT
from fairlead.policy.listeners import FIRST, reached

LOG = log.get(__name__)
EVERY = 0.1
"""Seconds from one look to the next: nothing tells when a program begins to listen, and a look costs 0.1 ms."""
TRY_AGAIN = 5.0
"""Seconds until a port is tried again that something on the laptop held."""

MOST = 1000
"""Ports that are listened on for programs inside: each takes two of the files that this process may open."""

_WHERE = [Group(LOCALHOST, any_will_do=True)]


class _Trouble(NamedTuple):
    """An address that could not be had."""

    error: OSError
    address: Address
    port: int

    @property
    def held(self) -> bool:
        """Whether somebody has it."""
        return self.error.errno == errno.EADDRINUSE

    def told(self, holder: str) -> ListenError:
        """In words."""
        return told(self.error, self.address, self.port, holder)


class InnerPorts:
    """``inside`` and ``laptop`` say who listens; ``make`` makes sockets inside, of a family (AF_INET...).

    ``own`` are the laptop's addresses.
    """

    def __init__(
        self,
        inside: ListeningPorts,
        laptop: ListeningPorts,
        make: Callable[[int], Awaitable[socket.socket]],
        own: Iterable[str],
        listeners: Listeners,
        buffer: ReadBuffer,
        tasks: Background,
        report: Callable[[Note], None],
    ) -> None:
        self._inside = inside
        self._laptop = laptop
        self._make = make
        self._own = frozenset(own)
        self._listeners = listeners
        self._buffer = buffer
        self._tasks = tasks
        self._report = report
        self._bound: dict[int, Bound] = {}
        self._refused: dict[int, float] = {}
        """Ports that could not be had here, and when to try again."""
        self._troubles: list[_Trouble] = []
        """Those that are to be told."""
        self._told_most = False

    @property
    def bound(self) -> frozenset[int]:
        """The ports that are listened on here."""
        return frozenset(self._bound)

    def address_of(self, port: int) -> str | None:
        """Where a program inside takes connections on this port at this moment; None where none does."""
        return self._now().get(port)

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Listen here on what is listened on inside, and on nothing else."""
        now = self._now()
        for port in self._bound.keys() - now.keys():
            self._listeners.stop(self._bound.pop(port))
            self._report(Note(f"port {port} inside is closed, and left this machine's localhost"))
        for port in self._refused.keys() - now.keys():
            del self._refused[port]
        for port in sorted(now.keys() - self._bound.keys() - {PORT}):
            if len(self._bound) >= MOST:
                self._tell_most()
                break
            if port not in self._refused or self._is_worth_trying(port):
                await self._listen(port)
        await self._tell_troubles()

    def _tell_most(self) -> None:
        """Once."""
        if not self._told_most:
            self._told_most = True
            text = f"of the ports that are open inside, {MOST} are on this machine's localhost, and no more"
            self._report(Note(text, warning=True))

    def _is_worth_trying(self, port: int) -> bool:
        """Whether a port may be had by now. Who holds it was said once, and to find that out takes a while."""
        time = asyncio.get_running_loop().time()
        if self._refused[port] > time:
            return False
        self._refused[port] = time + TRY_AGAIN
        try:
            return reached(self._laptop.now(), frozenset()).get(port) != FIRST
        except MachineError:
            return True

    async def _listen(self, port: int) -> None:
        troubles: list[_Trouble] = []

        def explain(error: OSError, address: Address, port: int) -> ListenError:
            troubles.append(_Trouble(error, address, port))
            return troubles[-1].told("")

        try:
            bound = bind(port, _WHERE, explain)
            await self._serve(bound)
        except (ListenError, OSError) as error:
            if isinstance(error, OSError):
                troubles = [_Trouble(error, LOCALHOST[0], port)]
            if port not in self._refused:
                self._troubles += troubles[-1:]
            self._refused[port] = asyncio.get_running_loop().time() + TRY_AGAIN
            return
        was_told = self._refused.pop(port, None) is not None
        self._report(Note(f"port {port} inside is on this machine's localhost now", warning=was_told))
        self._bound[port] = bound
        # Whoever says localhost may get another program; where there is no such address, nobody does.
        self._troubles += [trouble for trouble in troubles if trouble.held]

    async def _serve(self, bound: Bound) -> None:
        port = bound.port

        def accept(local: LocalConnection) -> RemoteEnd | None:
            # Where it listens now, which may be another address than when this began, or nowhere any more.
            host = self.address_of(port)
            if host is None:
                return None
            connect = elsewhere(self._make, host, port)
            return Joined(local, connect, self._buffer, self._tasks, self._listeners.failed)

        try:
            await self._listeners.serve(bound, accept, self._tasks)
        except OSError:
            self._listeners.stop(bound)
            raise

    async def _tell_troubles(self) -> None:
        """With who holds the ports, for all of them at once: that takes a while."""
        troubles, self._troubles = self._troubles, []
        held = [trouble for trouble in troubles if trouble.held]
        holders = dict(zip(held, await _holders([(str(each.address), each.port) for each in held]), strict=True))
        for trouble in troubles:
            error = trouble.told(holders.get(trouble, ""))
            text = f"port {trouble.port} inside is "
            if trouble.port in self._bound:
                text += f"on {self._bound[trouble.port].addresses[0]} alone: {error.what}"
            else:
                # That another port may be chosen helps nobody here.
                remedy = "" if trouble.held or not error.remedy else f" ({error.remedy})"
                text += f"not on this machine's localhost: {error.what}{remedy}"
            self._report(Note(text, warning=True))

    def _now(self) -> Mapping[int, str]:
        """The ports that a program inside is reached on as localhost, or at an address of the laptop; and where."""
        try:
            return reached(self._inside.now(), self._own)
        except MachineError as error:
            LOG.decision("what listens inside is not known: %s", error.what)
            return dict.fromkeys(self._bound, FIRST)


async def _holders(wanted: Sequence[tuple[str, int]]) -> list[str]:
    """Who holds these addresses and ports. All of /proc is looked through for it, while connections go on."""
    return await asyncio.to_thread(describe_holders, wanted) if wanted else []
