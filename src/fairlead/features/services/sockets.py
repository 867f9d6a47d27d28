"""The listening ports of a run: as many as can be had of those that are wanted, and what is said of the rest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from fairlead.entry.listener import Bound
from fairlead.entry.named import Endpoint, Refused, has_room, listen
from fairlead.host.helper import Helper
from fairlead.model.events import Note
from fairlead.model.named import GroupKey
from fairlead.model.service_events import NotServed, ServiceEvent
from fairlead.policy.few import few

TRY_AGAIN = 5.0
"""Seconds until a port is tried again that something else held."""
PODS_SHARE = 0.75
"""Of the descriptors for listening, what pods may take: a service is one address, and its pods may be hundreds."""
ONE_BY_ONE = 5
"""Ports that are told one by one, where more fail for the same reason they are told together."""


class Sockets:
    """What is bound belongs to the caller; here is what could not be, with the reason that was told."""

    def __init__(self, report: Callable[[ServiceEvent], None]) -> None:
        self._report = report
        self._refused: dict[Endpoint, Refused] = {}

    def to_try(self) -> set[str]:
        """The addresses with ports that may be had by now."""
        room = has_room(PODS_SHARE)
        return {endpoint[0] for endpoint, refused in self._refused.items() if room or not refused.no_room}

    @property
    def any_refused(self) -> bool:
        """Whether there is anything to be tried again."""
        return bool(self._refused)

    async def bind(
        self, wanted: Mapping[Endpoint, GroupKey], addresses: Collection[str], helper: Helper | None
    ) -> dict[GroupKey, dict[int, Bound]]:
        """Listen on what is wanted, which is all that is wanted of these ``addresses`` and not listened on yet."""
        before = self._refused
        self._refused = {
            endpoint: refused
            for endpoint, refused in before.items()
            if endpoint[0] not in addresses or endpoint in wanted
        }
        bound: dict[GroupKey, dict[int, Bound]] = {}
        fresh: dict[Endpoint, Refused] = {}
        for share, of_pods in ((1.0, False), (PODS_SHARE, True)):
            for new in (True, False):
                batch = [
                    endpoint
                    for endpoint, key in wanted.items()
                    if bool(key.pod) is of_pods and (endpoint not in before) is new
                ]
                for endpoint, result in (await listen(batch, helper, share=share, look=new)).items():
                    if isinstance(result, Bound):
                        self._refused.pop(endpoint, None)
                        bound.setdefault(wanted[endpoint], {})[endpoint[1]] = result
                    elif new or before[endpoint].no_room != result.no_room:
                        self._refused[endpoint] = fresh[endpoint] = result
        self._tell(fresh, wanted)
        return bound

    def _tell(self, fresh: Mapping[Endpoint, Refused], wanted: Mapping[Endpoint, GroupKey]) -> None:
        alike: dict[Refused, list[Endpoint]] = {}
        for endpoint, refused in fresh.items():
            alike.setdefault(refused, []).append(endpoint)
        for refused, endpoints in alike.items():
            again = "" if refused.no_room else f"; trying again every {TRY_AGAIN:g} s"
            if len(endpoints) > ONE_BY_ONE:
                services = dict.fromkeys(f"{key.service}.{key.namespace}" for key in map(wanted.__getitem__, endpoints))
                text = f"{len(endpoints)} ports are {refused.why}{again}: of {few(list(services))}"
                self._report(Note(text, warning=True))
                continue
            for endpoint in endpoints:
                address, port = endpoint
                reason = f"{address}:{port} is {refused.why}{again}"
                context, namespace, service, pod = wanted[endpoint]
                self._report(NotServed(service, namespace, context, str(port), reason, relay=False, pod=pod))
