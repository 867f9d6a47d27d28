"""The listening ports of a run: as many as can be had of those that are wanted, and what is said of the rest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import NamedTuple, TypeAlias

from fairlead.entry.listener import Bound
from fairlead.entry.named import Endpoint, Refused, Why, has_room, listen, still_held
from fairlead.host.helper import Helper
from fairlead.model.events import Note
from fairlead.model.named import GroupKey
from fairlead.model.service_events import NotServed, ServiceEvent
from fairlead.net.descriptors import listeners_mark
from fairlead.policy.few import few
from fairlead.policy.plan import MOST_LISTENERS

TRY_AGAIN = 5.0
"""Seconds until a port is tried again that something else held."""
PODS_SHARE = 0.75
"""Of the descriptors for listening, what pods may take: a service is one address, and its pods may be hundreds."""
LARGEST_SHARE = 4
"""One service may take this part of them."""
ONE_BY_ONE = 5
"""Ports that are told one by one, where more fail for the same reason they are told together."""

Got: TypeAlias = dict[GroupKey, dict[int, Bound]]
"""What listens from now on, the caller's to close; for each group by port."""


class _Missing(NamedTuple):
    key: GroupKey
    refused: Refused


class Sockets:
    """What is bound belongs to the caller; here is what could not be, with the reason that was told."""

    def __init__(self, report: Callable[[ServiceEvent], None]) -> None:
        self._report = report
        self._missing: dict[str, dict[int, _Missing]] = {}
        """By address, then by port."""

    def refused(self, address: str) -> dict[int, Refused]:
        """The ports of this address that could not be had."""
        return {port: each.refused for port, each in self._missing.get(address, {}).items()}

    def keep(self, address: str, ports: Collection[int] = ()) -> None:
        """Of this address only these are wanted still."""
        left = {port: each for port, each in self._missing.pop(address, {}).items() if port in ports}
        if left:
            self._missing[address] = left

    async def bind(self, wanted: Mapping[Endpoint, GroupKey], helper: Helper | None, got: Got) -> None:
        """Listen on these, but for those that were refused before: see ``again``."""
        fresh: dict[Endpoint, _Missing] = {}
        new = {at: key for at, key in wanted.items() if at[1] not in self._missing.get(at[0], ())}
        for share in (1.0, PODS_SHARE):
            batch = [at for at, key in new.items() if _share(key) == share]
            for at, result in (await listen(batch, helper, share=share)).items():
                if isinstance(result, Bound):
                    got.setdefault(new[at], {})[at[1]] = result
                else:
                    fresh[at] = _Missing(new[at], result)
        for (address, port), missing in fresh.items():
            self._missing.setdefault(address, {})[port] = missing
        self._tell(fresh)

    def worth_trying(self) -> bool:
        """Whether any of those that were refused may be had by now."""
        return any(True for _ in self._candidates())

    async def again(self, helper: Helper | None, got: Got) -> None:
        """Try what was refused once more; in ``got`` are also groups whose ports are refused for another reason now."""
        candidates = dict(self._candidates())
        free = []
        for at, why in zip(candidates, still_held(list(candidates)), strict=True):
            if why is None:
                free.append(at)
            else:
                self._refuse(at, candidates[at].refused._replace(why=why), got)
        for share in (1.0, PODS_SHARE):
            batch = [at for at in free if _share(candidates[at].key) == share]
            for at, result in (await listen(batch, helper, share=share)).items():
                if isinstance(result, Bound):
                    got.setdefault(candidates[at].key, {})[at[1]] = result
                    self.keep(at[0], self._missing[at[0]].keys() - {at[1]})
                else:
                    self._refuse(at, result, got)

    def _refuse(self, at: Endpoint, refused: Refused, got: Got) -> None:
        """It is still not had."""
        missing = self._missing[at[0]][at[1]]
        if refused.why is not missing.refused.why:
            got.setdefault(missing.key, {})
            self._missing[at[0]][at[1]] = missing._replace(refused=refused)

    def _candidates(self) -> Iterator[tuple[Endpoint, _Missing]]:
        room = {share: has_room(share) for share in (1.0, PODS_SHARE)}
        for address, ports in self._missing.items():
            for port, each in ports.items():
                if each.refused.why is not Why.NO_ROOM or room[_share(each.key)]:
                    yield (address, port), each

    def _tell(self, fresh: Mapping[Endpoint, _Missing]) -> None:
        alike: dict[Refused, list[Endpoint]] = {}
        for endpoint, missing in fresh.items():
            alike.setdefault(missing.refused, []).append(endpoint)
        for refused, endpoints in alike.items():
            reason = _reason(refused)
            if len(endpoints) > ONE_BY_ONE:
                keys = [fresh[endpoint].key for endpoint in endpoints]
                services = list(dict.fromkeys(f"{key.service}.{key.namespace}" for key in keys))
                self._report(Note(f"{len(endpoints)} ports are {reason}: of {few(services)}", warning=True))
                continue
            for address, port in endpoints:
                context, namespace, service, pod = fresh[address, port].key
                text = f"{address}:{port} is {reason}"
                self._report(NotServed(service, namespace, context, str(port), text, relay=False, pod=pod))


def most_of_one() -> int:
    """Ports that one service may have, on all its addresses together."""
    return min(MOST_LISTENERS, max(1, listeners_mark() // LARGEST_SHARE))


def _share(key: GroupKey) -> float:
    return PODS_SHARE if key.pod else 1.0


def _reason(refused: Refused) -> str:
    if refused.why is Why.NO_ROOM:
        return refused.text
    names = ", so that no name leads to this address" if refused.why is Why.STRANGER else ""
    return f"{refused.text}{names}; trying again every {TRY_AGAIN:g} s"
