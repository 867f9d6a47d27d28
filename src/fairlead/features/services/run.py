"""A run of ``services``: what the clusters have becomes names, addresses and listeners, and stays so."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable

from fairlead.entry.listener import Bound, Listeners
from fairlead.entry.named import Endpoint, listen
from fairlead.errors import ListenError, NotRunningError
from fairlead.features.services.context import ServedContext
from fairlead.features.services.hosts import HostsFile
from fairlead.features.services.served import ServedGroup
from fairlead.features.services.watch import ServiceName
from fairlead.host.addresses import AddressBook
from fairlead.host.ready_file import Listening
from fairlead.kit.tasks import Background, together
from fairlead.model.events import Note
from fairlead.model.named import GroupKey
from fairlead.model.service_events import HostsLine, NotServed, Ready, ServiceEvent
from fairlead.model.summary import Summary
from fairlead.net.buffer import ReadBuffer
from fairlead.policy.addresses import reserved
from fairlead.policy.hostnames import Name, names_of, settle
from fairlead.policy.hostsblock import Entry
from fairlead.policy.mapping import is_chosen, local_port, own_port
from fairlead.policy.nothing import nothing_forwarded
from fairlead.policy.plan import Group, Locals, ServicePlan, Unserved, plan
from fairlead.policy.unmatched import unmatched
from fairlead.settings import ServicesSettings

TRY_AGAIN = 5.0
"""Seconds until a port is tried again that something else held."""


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
        self.listeners = Listeners(self.buffer, lambda text: report(Note(text, warning=True)))
        self.contexts: list[ServedContext] = []
        self._book = book
        self._changed: dict[tuple[ServedContext, ServiceName], None] = {}
        self._wake = asyncio.Event()
        self._plans: dict[tuple[ServedContext, ServiceName], ServicePlan] = {}
        self._groups: dict[GroupKey, Group] = {}
        self._claims: dict[GroupKey, tuple[Name, ...]] = {}
        self._served: dict[GroupKey, ServedGroup] = {}
        self._held: dict[Endpoint, str] = {}
        """Ports that could not be bound, with the reason that was told."""
        self._fresh: dict[GroupKey, None] = {}
        """Planned, and not served yet."""
        self._leaving: dict[GroupKey, ServedGroup] = {}
        """Not wanted any more, and still named in the hosts file."""

    async def read(self) -> None:
        """Read what there is, and plan it; raises what a server refuses."""
        await together([(context.read(), f"read context {context.name}") for context in self.contexts])
        self._fresh = self._plan_changed()

    @property
    def lowest_port(self) -> int:
        """The lowest port that is to be listened on; 0 if there is none."""
        return min((port.number for group in self._groups.values() for port in group.ports), default=0)

    async def start(self) -> None:
        """Serve what was read, and follow the clusters from now on. Raises what the hosts file does not take.

        Raises NotRunningError where nothing is served that a command or a ready file waits for.
        """
        self.tasks.start(self.hosts.run(), name="write the hosts file")
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
        self.report(Ready(names, len(found), self.settings.hosts_file, len(self._plans), self._namespaces()))
        self.tasks.start(self._keep(), name="follow the clusters")
        self.tasks.start(self._try_again(), name="try ports again")

    def preview(self) -> None:
        """Tell what would be served of what was read, and change nothing."""
        self._name(self._groups)
        self._settle()
        self._tell_unmatched()
        for key, served in self._served.items():
            served.preview(self._groups[key])
        for key, served in self._served.items():
            if served.names:
                ports = tuple(port.number for port in self._groups[key].ports)
                self.report(HostsLine(served.address, served.names, ports))
        if not any(served.names for served in self._served.values()):
            self.report(Note(str(self._nothing()), warning=True))

    def _nothing(self) -> NotRunningError:
        what, remedy = nothing_forwarded(len(self._plans), self._namespaces())
        return NotRunningError(what, remedy=remedy)

    def _namespaces(self) -> tuple[str, ...]:
        """Those that are looked in; () is all."""
        return tuple(dict.fromkeys(each for context in self.contexts for each in context.namespaces))

    def _tell_unmatched(self) -> None:
        services = {(service.namespace, service.name) for context in self.contexts for service in context.watch}
        names = {name.text for claims in self._claims.values() for name in claims}
        for text in unmatched(self.settings, services, names):
            self.report(Note(text, warning=True))

    def summary(self) -> Summary:
        """How all of it stands now."""
        states = Counter(served.known for served in self._served.values())
        relay = {unserved.key for each in self._plans.values() for unserved in each.unserved if unserved.relay}
        return Summary(
            ready=states["ready"],
            proved=states["proved"],
            waiting=states["waiting"],
            failing=states["failing"] + states[""],
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

    def changed(self, context: ServedContext, service: ServiceName) -> None:
        """This service may be another now."""
        self._changed[context, service] = None
        self._wake.set()

    def server_back(self, context: ServedContext) -> None:
        """Its API server answers again."""
        context.watch.kick()
        for served in self._served.values():
            if served.key.context == context.name:
                served.wake()

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
            if self._held or self._leaving:
                self._wake.set()
            # Once a day this says in the table that they are still in use.
            self._book.allot(self._served)

    # -- one pass --

    async def _reconcile(self) -> None:
        """Bring what is served in line with what the clusters have; one pass at a time."""
        self._wake.clear()
        touched, self._fresh = self._fresh | self._plan_changed(), {}
        gone = [self._served.pop(key) for key in touched if key not in self._groups and key in self._served]
        # Whatever could not listen before may by now.
        held = {endpoint[0] for endpoint in self._held}
        touched |= {key: None for key, served in self._served.items() if served.address in held}
        if touched or gone:
            self._name(key for key in touched if key in self._groups)
            await self._listen(touched)
            self._write_hosts()
        for served in gone:
            served.gone()
            self._leaving[served.key] = served
        if self._leaving:
            await self.hosts.written()
            self._stop_leaving()
        for key in touched:
            served_now = self._served.get(key)
            if served_now is not None:
                served_now.tell(self._groups[key])

    def _stop_leaving(self) -> None:
        """Stop listening where no name leads any more: a stranger could listen there instead."""
        for key, served in list(self._leaving.items()):
            if served.address not in self.hosts.standing:
                del self._leaving[key]
                served.stop()
                self._book.release([key])

    def _plan_changed(self) -> dict[GroupKey, None]:
        """Plan anew what changed; the groups that are others now, or gone."""
        changed, self._changed = self._changed, {}
        touched: dict[GroupKey, None] = {}
        # Many at once are told in an order in which a reader finds them.
        for context, service in sorted(changed, key=lambda each: (self.contexts.index(each[0]), each[1])):
            touched.update(self._plan(context, service))
        return touched

    def _plan(self, context: ServedContext, name: ServiceName) -> dict[GroupKey, None]:
        """Plan one service anew; the groups that are others now, or gone."""
        service = context.watch.service(name)
        settings = self.settings
        fresh = ServicePlan()
        if service is not None and is_chosen(settings.only, settings.exclude, *name):
            wishes = Locals(
                lambda port: local_port(settings.mappings, *name, port),
                lambda port: own_port(settings.local, *name, port),
            )
            behind = context.watch.is_behind(name)
            fresh = plan(context.name, service, context.watch.slices(name), wishes, behind=behind)
        before = self._plans.pop((context, name), ServicePlan())
        if fresh != ServicePlan():
            self._plans[context, name] = fresh
        for unserved in fresh.unserved:
            if unserved not in before.unserved:
                self.report(_not_served(unserved))
        old = {group.key: group for group in before.groups}
        new = {group.key: group for group in fresh.groups}
        self._groups.update(new)
        for key in old.keys() - new.keys():
            del self._groups[key]
            self._claims.pop(key, None)
        return {key: None for key in [*new, *old] if old.get(key) != new.get(key)}

    def _name(self, keys: Iterable[GroupKey]) -> None:
        """Give names to these groups, and addresses to those that have none."""
        scopes = {context.name: context.scope for context in self.contexts}
        new = []
        for key in keys:
            self._claims[key] = names_of(key, scopes[key.context], self._groups[key].hostname)
            if key not in self._served:
                new.append(key)
        around = {context.name: context for context in self.contexts}
        fixed = {
            key: address
            for key in new
            if (address := reserved((name.text for name in self._claims[key]), self.settings.reserve))
        }
        for key, address in self._book.allot(new, fixed).items():
            # One that was leaving, and is back, still listens there.
            back = self._leaving.pop(key) if key in self._leaving else None
            self._served[key] = ServedGroup(key, address, around[key.context]) if back is None else back

    async def _listen(self, touched: Collection[GroupKey]) -> None:
        for key in touched:
            if key in self._groups and key in self._served:
                # What one service gives up another one may take.
                self._served[key].keep_only(self._groups[key])
        wanted: dict[Endpoint, GroupKey] = {}
        for key in touched:
            group, served = self._groups.get(key), self._served.get(key)
            if group is not None and served is not None:
                for port in group.ports:
                    if port.number not in served.ports:
                        wanted[served.address, port.number] = key
        found = await listen(list(wanted), self.hosts.helper) if wanted else {}
        bound: dict[GroupKey, dict[int, Bound]] = {}
        self._held = {endpoint: why for endpoint, why in self._held.items() if endpoint in wanted}
        for endpoint, result in found.items():
            key = wanted[endpoint]
            if isinstance(result, ListenError):
                self._hold(endpoint, key, result)
            else:
                self._held.pop(endpoint, None)
                bound.setdefault(key, {})[endpoint[1]] = result
        for key in touched:
            if key in self._groups and key in self._served:
                await self._served[key].apply(self._groups[key], bound.get(key, {}))

    def _hold(self, endpoint: Endpoint, key: GroupKey, error: ListenError) -> None:
        if self._held.get(endpoint) != error.what:
            self._held[endpoint] = error.what
            short = f"{key.pod}.{key.service}" if key.pod else key.service
            reason = f"{error.what}; trying again every {TRY_AGAIN:g} s"
            self.report(NotServed(short, key.namespace, key.context, str(endpoint[1]), reason, relay=False))

    def _write_hosts(self) -> None:
        self._settle()
        served = self._served.values()
        self.hosts.want([Entry(each.address, each.names) for each in served if each.names and each.listens])

    def _settle(self) -> None:
        """Give each name to the one group that has it."""
        for key, names in settle(self._claims).items():
            served = self._served[key]
            served.names = names
            shortest = min((claim for claim in self._claims[key] if claim.text in names), default=None)
            served.label = shortest.text if shortest else f"{key.service}.{key.namespace}"


def _not_served(unserved: Unserved) -> NotServed:
    key = unserved.key
    return NotServed(key.service, key.namespace, key.context, unserved.port, unserved.reason, unserved.relay)
