"""What each service of a run becomes on the laptop: planned anew when it changes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from fairlead.features.names.context import NamedContext
from fairlead.features.names.watch import ServiceName
from fairlead.model.named import GroupKey, OwnServer, PortRule
from fairlead.model.service_events import NotServed
from fairlead.policy.mapping import is_chosen, local_port, numbered, own_port
from fairlead.policy.plan import MOST_LISTENERS, Group, Locals, ServicePlan, Unserved, plan
from fairlead.settings import Chosen


class Plans:
    """Every service that is there and chosen, each with ``most`` ports; ``server`` says what listens on the laptop.

    ``mappings`` give ports of services other numbers.
    """

    def __init__(
        self,
        settings: Chosen,
        server: Callable[[int], OwnServer],
        *,
        mappings: Sequence[PortRule] = (),
        most: int = MOST_LISTENERS,
    ) -> None:
        self.groups: dict[GroupKey, Group] = {}
        """What all of them become."""
        self._settings = settings
        self._server = server
        self._mappings = mappings
        self._most = most
        self._changed: dict[tuple[NamedContext, ServiceName], None] = {}
        self._plans: dict[tuple[NamedContext, ServiceName], ServicePlan] = {}
        self._untold: list[Unserved] = []

    def __len__(self) -> int:
        return len(self._plans)

    def changed(self, context: NamedContext, service: ServiceName) -> None:
        """This service may be another now."""
        self._changed[context, service] = None

    def changed_servers(self, ports: Collection[int]) -> None:
        """What listens on these ports of the laptop is something else now."""
        for name, each in self._plans.items():
            if any(port.own in ports for group in each.groups for port in group.ports):
                self._changed[name] = None

    def update(self, order: Callable[[NamedContext], int]) -> dict[GroupKey, None]:
        """Plan anew what changed; the groups that are others now, or gone.

        Many at once come in an order in which a reader finds them: that of the contexts, then by name.
        """
        changed, self._changed = self._changed, {}
        touched: dict[GroupKey, None] = {}
        for context, service in sorted(changed, key=lambda each: (order(each[0]), each[1])):
            touched.update(self._update(context, service))
        return touched

    def unserved(self) -> Iterator[Unserved]:
        """All that cannot be served."""
        return (unserved for each in self._plans.values() for unserved in each.unserved)

    def news(self) -> list[NotServed]:
        """What cannot be served, of what was not asked for here before."""
        untold, self._untold = self._untold, []
        return [
            NotServed(each.key.service, each.key.namespace, each.key.context, each.port, each.reason, each.relay)
            for each in untold
        ]

    def _update(self, context: NamedContext, name: ServiceName) -> dict[GroupKey, None]:
        fresh = self._plan(context, name)
        before = self._plans.pop((context, name), ServicePlan())
        if fresh is not None:
            self._plans[context, name] = fresh
        else:
            fresh = ServicePlan()
        self._untold += [unserved for unserved in fresh.unserved if unserved not in before.unserved]
        old = {group.key: group for group in before.groups}
        new = {group.key: group for group in fresh.groups}
        self.groups.update(new)
        for key in old.keys() - new.keys():
            del self.groups[key]
        return {key: None for key in [*new, *old] if old.get(key) != new.get(key)}

    def _plan(self, context: NamedContext, name: ServiceName) -> ServicePlan | None:
        """None for a service that is not there, or not wanted."""
        service, settings = context.watch.service(name), self._settings
        if service is None or not is_chosen(settings.only, settings.exclude, *name):
            return None
        mappings, local = numbered(self._mappings, service), numbered(settings.local, service)
        wishes = Locals(
            lambda port: local_port(mappings, *name, port),
            lambda port: own_port(local, *name, port),
            self._server,
            self._most,
        )
        return plan(context.name, service, context.watch.slices(name), wishes, behind=context.watch.is_behind(name))
