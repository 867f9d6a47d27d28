"""A run of ``services``: what the clusters have becomes names, addresses and listeners, and stays so."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Iterable
from typing import Any

from fairlead.dial.laptop import localhost
from fairlead.entry.listener import Listeners
from fairlead.entry.named import Endpoint
from fairlead.errors import NotRunningError
from fairlead.features.names.context import NamedContext
from fairlead.features.names.own_ports import OwnPorts
from fairlead.features.names.plans import Plans
from fairlead.features.names.watch import ServiceName
from fairlead.features.services.hosts import HostsFile
from fairlead.features.services.served import ServedGroup
from fairlead.features.services.sockets import TRY_AGAIN, Got, Sockets, most_of_one
from fairlead.host.addresses import AddressBook
from fairlead.host.privilege import NO_PORT, LowPort
from fairlead.host.ready_file import Listening
from fairlead.kit.tasks import Background, stop, together
from fairlead.model.events import Note
from fairlead.model.named import GroupKey
from fairlead.model.service_events import HostsLine, Ready, ServiceEvent
from fairlead.model.summary import Summary
from fairlead.net.buffer import ReadBuffer
from fairlead.policy.addresses import reserved
from fairlead.policy.claims import Claims
from fairlead.policy.hostnames import names_of
from fairlead.policy.hostsblock import Entry
from fairlead.policy.nothing import narrowed_by, nothing_forwarded
from fairlead.policy.own_clash import own_clashes
from fairlead.policy.unmatched import unmatched
from fairlead.policy.unwritten import Withheld, nobody_alone
from fairlead.settings import ServicesSettings


class ServicesRun:
    """Everything that one run owns; ``stop`` undoes it, but for the hosts file, which is the helper's."""

    def __init__(
        self,
        settings: ServicesSettings,
        hosts: HostsFile,
        book: AddressBook,
        tasks: Background,
        report: Callable[[ServiceEvent], None],
    ) -> None:
        self.settings = settings
        self.hosts = hosts
        self.buffer = ReadBuffer()
        self.tasks = tasks
        self.report = report
        self.own = localhost
        self.listeners = Listeners(self.buffer, lambda text: report(Note(text, warning=True)))
        self.contexts: list[NamedContext] = []
        self._book = book
        self._wake = asyncio.Event()
        self._own = OwnPorts({rule.local for rule in settings.local}, self._own_changed)
        self._plans = Plans(settings, self._own.server, mappings=settings.mappings, most=most_of_one())
        self._claims = Claims()
        self._withheld = Withheld()
        self._served: dict[GroupKey, ServedGroup] = {}
        self._sockets = Sockets(report)
        self._again = False
        """Whether ports are tried again that could not be bound."""
        self._following: list[asyncio.Task[None]] = []
        self._fresh: dict[GroupKey, None] = {}
        """Planned, and not served yet."""
        self._leaving: dict[GroupKey, ServedGroup] = {}
        """Not wanted any more, and still named in the hosts file."""

    async def read(self) -> None:
        """Read what there is, and plan it; raises what a server refuses."""
        await together([(context.read(), f"read context {context.name}") for context in self.contexts])
        self._fresh = self._plans.update(self.contexts.index)

    @property
    def lowest_port(self) -> LowPort:
        """The lowest port that is to be listened on."""
        ports = [(key.service, port) for key, group in self._plans.groups.items() for port in group.ports if port.ours]
        found = (LowPort(port.number, service, 0 if port.direct else port.port) for service, port in ports)
        return min(found, default=NO_PORT)

    async def start(self) -> None:
        """Serve what was read, and follow the clusters from now on. Raises what the hosts file does not take.

        Raises NotRunningError where nothing is served that a command or a ready file waits for.
        """
        self._follow(self.hosts.run(), "write the hosts file")
        await self._reconcile()
        await self.hosts.written()
        self.hosts.check()
        self._tell_unmatched()
        found = self.listening()
        if not found and (self.settings.command or self.settings.ready_file):
            raise self._nothing()
        for context in self.contexts:
            context.watch.start(self.tasks)
            context.cluster.server.on_unreachable = context.cluster.reach.suspect
        names = sum(len(each.names) for each in found)
        places, narrowed = self._namespaces(), narrowed_by(self.settings)
        self.report(Ready(names, len(found), self.settings.hosts_file, len(self._plans), places, narrowed))
        self._follow(self._keep(), "follow the clusters")
        self._follow(self._try_again(), "try ports again")
        self._follow(self._own.run(), "look at the laptop's own servers")

    def _follow(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._following.append(self.tasks.start(work, name=name))

    async def preview(self) -> None:
        """Tell what would be served of what was read, and change nothing."""
        await self._name(self._plans.groups)
        self._tell_unserved()
        self._tell_unmatched()
        for key, served in self._served.items():
            served.preview(self._plans.groups[key])
        for key, served in self._served.items():
            if served.names:
                ports = tuple(port.number for port in self._plans.groups[key].ports)
                self.report(HostsLine(served.address, served.names, ports))
        if not any(served.names for served in self._served.values()):
            self.report(Note(str(self._nothing()), warning=True))

    def _nothing(self) -> NotRunningError:
        what, remedy = nothing_forwarded(len(self._plans), self._namespaces(), narrowed_by(self.settings))
        return NotRunningError(what, remedy=remedy)

    def _namespaces(self) -> tuple[str, ...]:
        """Those that are looked in; () is all."""
        return tuple(dict.fromkeys(each for context in self.contexts for each in context.namespaces))

    def _tell_unmatched(self) -> None:
        services = [service for context in self.contexts for service in context.watch]
        given = self.settings
        wrong = unmatched(
            given, services, self._claims, self._namespaces(), mappings=given.mappings, reserve=given.reserve
        )
        for text in (*wrong, *own_clashes(self._plans.groups.values())):
            self.report(Note(text, warning=True))
        main = self.contexts[0]
        if text := nobody_alone(main.scope, main.namespaces):
            self.report(Note(text))

    def _tell_unserved(self) -> None:
        for each in self._plans.news():
            self.report(each)

    def summary(self) -> Summary:
        """How all of it stands now."""
        states = Counter(served.known for served in self._served.values())
        relay = {unserved.key for unserved in self._plans.unserved() if unserved.relay}
        return Summary(
            ready=states["ready"],
            proved=states["proved"],
            waiting=states["waiting"],
            failing=states["failing"],
            relay=len(relay),
            open=self.listeners.open,
            lost=any(not context.cluster.reach.up for context in self.contexts),
        )

    def listening(self) -> list[Listening]:
        """Every address that has names in the hosts file and is listened on."""
        return [
            Listening(served.address, tuple(served.ports), names)
            for served in self._served.values()
            if served.listens and (names := self.hosts.standing.get(served.address))
        ]

    def changed(self, context: NamedContext, service: ServiceName) -> None:
        """This service may be another now."""
        self._plans.changed(context, service)
        self._wake.set()

    def _own_changed(self, ports: Collection[int]) -> None:
        self._plans.changed_servers(ports)
        self._wake.set()

    def server_back(self, context: NamedContext) -> None:
        """Its API server answers again."""
        context.watch.kick()
        for served in self._served.values():
            if served.key.context == context.name:
                served.wake()

    async def halt(self) -> None:
        """Follow the clusters no more: from now on all stays as it is, until ``stop``."""
        await stop(*self._following)

    async def stop(self, timeout: float) -> None:
        """Close listeners and connections, in ``timeout`` seconds at most."""
        for served in self._served.values():
            served.gone()
        await self.listeners.close(timeout)
        for served in self._served.values():
            served.cut()

    async def _keep(self) -> None:
        while True:
            await self._wake.wait()
            await self._reconcile()

    async def _try_again(self) -> None:
        """A port that something else held may be free by now."""
        while True:
            await asyncio.sleep(TRY_AGAIN)
            self._try()
            if self._leaving:
                self._wake.set()
            await self._book.refresh()

    def _try(self) -> None:
        if self._sockets.worth_trying():
            self._again = True
            self._wake.set()

    # -- one pass --

    async def _reconcile(self) -> None:
        """Bring what is served in line with what the clusters have; one pass at a time."""
        self._wake.clear()
        groups = self._plans.groups
        touched, self._fresh = self._fresh | self._plans.update(self.contexts.index), {}
        self._tell_unserved()
        gone = [self._served.pop(key) for key in touched if key not in groups and key in self._served]
        for served in gone:
            self._claims.claim(served.key, ())
            self._sockets.keep(served.address)
            self._leaving[served.key] = served
        named = await self._name(key for key in touched if key in groups)
        if touched or self._again:
            touched |= await self._listen([key for key in touched if key in groups])
            self._write_hosts()
        for served in gone:
            served.gone()
        if self._leaving:
            await self.hosts.written()
            self._stop_leaving()
        for key in touched | named:
            if key in self._served:
                self._served[key].tell()

    def _stop_leaving(self) -> None:
        """Stop listening where no name leads any more: a stranger could listen there instead."""
        for key, served in list(self._leaving.items()):
            if served.address not in self.hosts.standing:
                del self._leaving[key]
                served.stop()
                self._book.release([key])
                # What it gave up another one may take.
                self._try()

    async def _name(self, keys: Iterable[GroupKey]) -> dict[GroupKey, None]:
        """Give names to these groups, and addresses to those that have none; whose names are others now."""
        around = {context.name: context for context in self.contexts}
        new: dict[GroupKey, str | None] = {}
        for key in keys:
            claims = names_of(key, around[key.context].scope, self._plans.groups[key].hostname)
            self._claims.claim(key, claims)
            if key not in self._served:
                new[key] = reserved((name.text for name in claims), self.settings.reserve)
        if text := self._withheld.news((key, around[key.context].scope) for key in new):
            self.report(Note(text))
        # Two may claim a reserved name while one takes the other's place.
        taken = {served.address for served in (*self._served.values(), *self._leaving.values())}
        fixed: dict[GroupKey, str] = {}
        for key, address in new.items():
            if address and address not in taken:
                fixed[key] = address
                taken.add(address)
        fleeting = [key for key in new if not self._plans.groups[key].lasting]
        for key, address in (await self._book.allot(new, fixed, fleeting=fleeting)).items():
            # One that was leaving, and is back, still listens there.
            back = self._leaving.pop(key) if key in self._leaving else None
            self._served[key] = ServedGroup(key, address, around[key.context], self.listeners) if back is None else back
        return self._settle()

    def _settle(self) -> dict[GroupKey, None]:
        """Give each name to the one group that has it; the groups that have others now."""
        changed = self._claims.changed()
        for key in changed:
            self._served[key].take_names(self._claims.won(key))
        return dict.fromkeys(changed)

    async def _listen(self, touched: Collection[GroupKey]) -> dict[GroupKey, None]:
        """Listen on what these groups are to have, and on what could not be had before; all groups concerned."""
        wanted: dict[Endpoint, GroupKey] = {}
        for key in touched:
            group, served = self._plans.groups[key], self._served[key]
            # What one service gives up another one may take.
            served.keep_only(group)
            missing = served.missing(group)
            self._sockets.keep(served.address, missing)
            wanted.update({(served.address, number): key for number in missing})
        got: Got = {}
        try:
            await self._sockets.bind(wanted, self.hosts.helper, got)
            if self._again:
                self._again = False
                await self._sockets.again(self.hosts.helper, got)
            concerned = dict.fromkeys((*touched, *got))
            for key in concerned:
                served = self._served[key]
                refused = self._sockets.refused(served.address)
                await served.apply(self._plans.groups[key], got.pop(key, {}), refused)
        finally:
            for bound in got.values():
                for each in bound.values():
                    each.close()
        return concerned

    def _write_hosts(self) -> None:
        served = self._served.values()
        self.hosts.want([Entry(each.address, each.names) for each in served if each.names and each.listens])
