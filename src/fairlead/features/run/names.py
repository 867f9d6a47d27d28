"""What the names and addresses of the clusters mean inside: which service or pod has them, and where its ports lead."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial

from fairlead.features.names.context import NamedContext
from fairlead.features.names.group import NamedGroup
from fairlead.features.names.plans import Plans
from fairlead.features.names.watch import ServiceName
from fairlead.features.run.pod_way import PodWay
from fairlead.model.events import Note
from fairlead.model.named import GroupKey, OwnServer
from fairlead.model.objects import Service
from fairlead.model.service_events import ServiceEvent
from fairlead.model.target import PodRef
from fairlead.policy.claims import Claims
from fairlead.policy.gone import Gone
from fairlead.policy.hostnames import Scope, label, names_of
from fairlead.policy.mapping import is_chosen, numbered, own_port
from fairlead.policy.places import Place, places
from fairlead.policy.plan import Group, Kind
from fairlead.policy.stand_ins import StandIns
from fairlead.policy.unmatched import unmatched
from fairlead.policy.unwritten import Withheld, nobody_alone
from fairlead.policy.zone import Zone, ZoneEntry, ZonePort
from fairlead.settings import Chosen

MOST_POD_WAYS = 4096
"""Ways to single ports of pods that are kept while nobody uses them."""


class Names:
    """Follows ``contexts``; ``update`` takes over what changed."""

    def __init__(
        self, settings: Chosen, contexts: Sequence[NamedContext], report: Callable[[ServiceEvent], None]
    ) -> None:
        self.zone = Zone()
        self.groups: dict[GroupKey, NamedGroup] = {}
        """What has ports that can be reached."""
        self._settings = settings
        self._contexts = contexts
        self._report = report
        # Whatever listens there, or does not yet: that is seen when a connection comes.
        self._plans = Plans(settings, lambda port: OwnServer.EVERYWHERE)
        self._claims = Claims()
        self._withheld = Withheld()
        self._stand_ins = StandIns()
        self._changed: dict[tuple[NamedContext, ServiceName], None] = {}
        self._places: dict[GroupKey, Place] = {}
        self._of_service: dict[tuple[NamedContext, ServiceName], list[GroupKey]] = {}
        self._at: dict[str, dict[GroupKey, None]] = {}
        """Who has an address: services that were made anew may share one for a moment."""
        self._gone = Gone()
        """Of services."""
        self._pod_ways: dict[tuple[str, PodRef, int], PodWay] = {}

    def changed(self, context: NamedContext, service: ServiceName) -> None:
        """This service may be another now."""
        self._changed[context, service] = None
        self._plans.changed(context, service)

    def update(self) -> bool:
        """Take over what changed since the last time; whether names or their addresses are others now."""
        changed, self._changed = self._changed, {}
        touched: dict[GroupKey, None] = {}
        # What the first context has keeps its address, whichever was heard first.
        for context, service in sorted(changed, key=lambda each: self._contexts.index(each[0])):
            touched.update(dict.fromkeys(self._place(context, service)))
        for key in self._claims.changed():
            touched[key] = None
        around = {context.name: context for context in self._contexts}
        for key in touched:
            if key in self._places:
                self.zone.set(key, self._entry(key, around[key.context].scope))
        for key in self._plans.update(self._contexts.index):
            self._lead(key, self._plans.groups.get(key), around[key.context])
        for key in touched:
            if key in self.groups:
                self._name(self.groups[key])
        if text := self._withheld.news((key, around[key.context].scope) for key in touched):
            self._report(Note(text))
        for unserved in self._plans.news():
            key = GroupKey(unserved.context, unserved.namespace, unserved.service)
            if key not in self._places or not self._places[key].cname:  # an alias needs nothing but DNS
                self._report(unserved)
        return bool(touched)

    def hosts(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The lines of a hosts file: an address, and its names. Who has several addresses has several lines."""
        for key, place in self._places.items():
            names = tuple(dict.fromkeys(name.text for name in self._claims.won(key)))
            if names:
                for address in place.addresses:
                    yield address, names

    def all(self) -> set[str]:
        """Every name that anything has."""
        return {name.text for key in self._places for name in self._claims.won(key)}

    def service_at(self, address: str) -> GroupKey | None:
        """The service that has this address."""
        return next(iter(self._at.get(address, ())), None)

    def was_at(self, address: str) -> bool:
        """Whether an address that no service or pod has was one's in this run, as far as is remembered."""
        if self._stand_ins.is_stand_in(address) or address in self._gone:
            return True
        return any(context.watch.pod_was_at(address) for context in self._contexts)

    def label(self, key: GroupKey) -> str:
        """What to call it: by the shortest of its names."""
        return label(key, self._claims.won(key))

    def place(self, key: GroupKey) -> Place:
        """What is known of a service that ``service_at`` named."""
        return self._places[key]

    def pod_at(self, address: str) -> tuple[NamedContext, PodRef] | None:
        """The pod that has this address: of the context whose it is, else of the first in which one has it."""
        real = self._stand_ins.real(address)
        for context in self._contexts:
            if real is None or real[0] == context.name:
                pod = context.watch.pod_at(address if real is None else real[1])
                if pod is not None:
                    return context, pod
        return None

    def pod_way(self, context: NamedContext, pod: PodRef, port: int) -> PodWay:
        """Where connections to this port of a pod go."""
        key = (context.name, pod, port)
        way = self._pod_ways.pop(key, None) or PodWay(context.name, pod, port, context)
        self._pod_ways[key] = way  # the one that was used last is the last to go
        while len(self._pod_ways) > MOST_POD_WAYS:
            idle = next((each for each, held in self._pod_ways.items() if not held.route.busy), None)
            if idle is None:
                break
            del self._pod_ways[idle]
        return way

    def wake(self, context: NamedContext) -> None:
        """Its API server is back: whoever waits tries again."""
        for key, group in self.groups.items():
            if key.context == context.name:
                group.wake()
        for (name, _, _), way in self._pod_ways.items():
            if name == context.name:
                way.route.wake()

    def cut(self) -> None:
        """The run ends: reset what is open."""
        for group in self.groups.values():
            group.cut()
        for way in self._pod_ways.values():
            way.route.close()

    def doubtful(self, namespaces: Collection[str]) -> Iterator[str]:
        """What a user asked for and probably did not mean."""
        services = [service for context in self._contexts for service in context.watch]
        yield from unmatched(self._settings, services, self._claims, tuple(namespaces))

    def nobody_alone(self) -> str:
        """What is said where no name stands alone; "" where some do."""
        main = self._contexts[0]
        return nobody_alone(main.scope, main.namespaces)

    def _place(self, context: NamedContext, name: ServiceName) -> list[GroupKey]:
        """Take over where a service is; the groups that are there or were, unless all is as before."""
        service = context.watch.service(name)
        if service is not None and not is_chosen(self._settings.only, self._settings.exclude, *name):
            service = None
        before = self._of_service.get((context, name), [])
        fresh = self._found(context, name, service) if service is not None else []
        if fresh == [self._places[key] for key in before]:
            return []  # most changes are of what stands behind
        self._of_service.pop((context, name), None)
        if fresh:
            self._of_service[context, name] = [place.key for place in fresh]
        for key in before:
            self._forget(key)
        for place in fresh:
            self._places[place.key] = place
            self._claims.claim(place.key, names_of(place.key, context.scope, place.hostname))
            if not place.key.pod:
                for address in place.addresses:
                    self._at.setdefault(address, {})[place.key] = None
                    self._gone.comes(address)
        there = {place.key for place in fresh}
        for key in before:
            if key not in there:
                self._claims.claim(key, ())
                self.zone.set(key, None)
        return [*before, *there]

    def _found(self, context: NamedContext, name: ServiceName, service: Service) -> list[Place]:
        shown = partial(self._shown, context)
        found = places(context.name, service, context.watch.slices(name), shown)
        rules = numbered(self._settings.local, service)
        if not found[0].addresses and any(own_port(rules, *name, port.port) for port in service.ports):
            # Its pods are still there under their own names.
            ports = tuple(ZonePort(port.name, port.protocol, port.port) for port in service.ports)
            own = Place(found[0].key, addresses=(self._stand_ins.of_its_own(found[0].key),), ports=ports)
            return [own, *found[1:]]
        return found

    def _shown(self, context: NamedContext, address: str) -> str:
        """As which an address of this context is known; a pod of an earlier one may have it, with a name or without."""
        for earlier in self._contexts:
            if earlier is context:
                break
            if earlier.watch.pod_at(address) is not None:
                self._stand_ins.shown(earlier.name, address)
        return self._stand_ins.shown(context.name, address)

    def _forget(self, key: GroupKey) -> None:
        for address in self._places.pop(key).addresses:
            holders = self._at.get(address, {})
            holders.pop(key, None)
            if not holders and self._at.pop(address, None) is not None:
                self._gone.leaves(address)

    def _entry(self, key: GroupKey, scope: Scope) -> ZoneEntry:
        place = self._places[key]
        names = tuple(dict.fromkeys(name.text for name in self._claims.won(key)))
        short = f"{place.hostname or key.pod}.{key.service}" if key.pod else key.service
        label = "" if scope.main else f".{scope.label}"
        fqdn = f"{short}.{key.namespace}.svc.{scope.domain}{label}"
        return ZoneEntry(names, fqdn, place.addresses, place.ports, place.endpoints, place.cname)

    def _lead(self, key: GroupKey, planned: Group | None, context: NamedContext) -> None:
        """Take over where the ports of a group lead."""
        if planned is None:
            group = self.groups.pop(key, None)
            if group is not None:
                group.update(Group(key, Kind.SERVICE, ()))
                group.gone()
                # Whoever waits does so until its time is over: the service may come back.
            return
        group = self.groups.get(key)
        if group is None:
            group = self.groups[key] = NamedGroup(key, "", context)
        self._name(group)
        group.update(planned)
        group.tell()

    def _name(self, group: NamedGroup) -> None:
        place = self._places.get(group.key)
        group.address = next(iter(place.addresses), "") if place is not None else ""
        group.take_names(self._claims.won(group.key))
