"""Where names lead, as lines: the first time at once; what changes later is gathered for a moment.

A rollout behind many services is one change to whoever reads, and hundreds of events.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from fairlead.cli.services_text import INFO, Manner, forwarding
from fairlead.model.service_events import Forwarding, ServiceState, StoppedForwarding

_Whose: TypeAlias = tuple[str, ...]
"""Context, namespace, service and pod."""


class Destinations:
    """What was said of each port, and what is still to be said."""

    def __init__(self, manner: Manner) -> None:
        self._manner = manner
        self._said: dict[_Whose, dict[int, str]] = {}
        self._held: dict[tuple[_Whose, int], Forwarding] = {}

    @property
    def waiting(self) -> bool:
        """Whether there is something to say that ``rest`` has."""
        return bool(self._held)

    def take(self, event: Forwarding) -> list[tuple[str, str]]:
        """The line for it, if that is to be said at once."""
        whose = _whose(event)
        if not self._manner.verbose and event.port in self._said.get(whose, {}):
            self._held.pop((whose, event.port), None)
            self._held[whose, event.port] = event
            return []
        return self._lines([event])

    def rest(self) -> list[tuple[str, str]]:
        """One line for all that lead to the same pods now; none for those of which it would be the same line again."""
        held, self._held = self._held, {}
        return self._lines(held.values())

    def forget(self, event: StoppedForwarding | ServiceState) -> None:
        """It leads nowhere: the next time is a first one."""
        self._said.pop(_whose(event), None)

    def _lines(self, events: Iterable[Forwarding]) -> list[tuple[str, str]]:
        together: dict[tuple[str, ...], list[Forwarding]] = {}
        for event in events:
            line = forwarding([event], self._manner)
            said = self._said.setdefault(_whose(event), {})
            # A line names the first pods of many: it need not change when they do.
            if said.get(event.port) != line:
                said[event.port] = line
                # Pods of two namespaces may have one name.
                together.setdefault((event.context, event.namespace, *event.to), []).append(event)
        return [(INFO, forwarding(each, self._manner)) for each in together.values()]


def _whose(event: Forwarding | StoppedForwarding | ServiceState) -> _Whose:
    return event.context, event.namespace, event.service, event.pod
