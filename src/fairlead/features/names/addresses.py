"""The addresses of the pods of one context: lists of pods of its own, as far as they may be had.

Where they may not, what is known of the pods behind services has to do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence, Set
from typing import TypeAlias, TypeVar

from fairlead.errors import ForbiddenError
from fairlead.kit import log
from fairlead.kube.reflector import Reflector
from fairlead.model.cache import Change
from fairlead.model.target import PodRef
from fairlead.policy.few import few
from fairlead.policy.pod_index import Holding, PodAddresses, PodIndex

LOG = log.get(__name__)
T = TypeVar("T")

Changed: TypeAlias = Callable[[list[Change[PodAddresses]]], None]
Moved: TypeAlias = Callable[[Set[PodRef], Set[PodRef]], None]
"""Told which pods something said had addresses, and which it says have them now."""


class PodAddressWatch:
    """``lists`` makes the list of one namespace, "" of all; without ``namespaces`` nothing is read, nor known."""

    def __init__(
        self,
        namespaces: Sequence[str],
        lists: Callable[[str, Changed], Reflector[PodAddresses]],
        on_note: Callable[[str], None],
        on_moved: Moved,
    ) -> None:
        self.index = PodIndex()
        self.lists = {namespace: lists(namespace, self._changed) for namespace in namespaces}
        self._on_note = on_note
        self._on_moved = on_moved
        self._refused: list[str] = []
        self._behind: set[str] = set()
        """The namespaces of which is known what stands behind services alone."""

    async def read(self, namespace: str) -> None:
        """Read the list once; what may not be listed is told by ``settle``."""
        try:
            await self.lists[namespace].prime()
        except ForbiddenError as error:
            LOG.decision("addresses of no pods but those behind services: %s", error.what)
            self._refused.append(namespace)

    def settle(self, needless: Collection[str], behind: Callable[[str], Iterable[Collection[Holding]]]) -> None:
        """All was read once. ``behind`` is what is known of a namespace otherwise: of the ``needless`` ones no less."""
        for namespace in (*needless, *self._refused):
            if namespace in self.lists:
                for pod in self.lists.pop(namespace).cache:
                    self.index.change(pod.holdings, ())
                for holdings in behind(namespace):
                    self.index.change((), holdings)
                self._behind.add(namespace)
        if names := sorted(self._refused):
            where = f"namespace{'s' if len(names) > 1 else ''} {few(names)}" if all(names) else "all namespaces"
            self._on_note(f"not allowed to list pods in {where}: addresses of pods behind no service are not known")

    def changed_behind(
        self, namespace: str, read: Callable[[T | None], Collection[Holding]], old: T | None, new: T | None
    ) -> None:
        """Something behind a service is another now; ``read`` says what it tells of addresses."""
        if not self._behind.isdisjoint((namespace, "")):
            self._change(read(old), read(new))

    def _changed(self, changes: list[Change[PodAddresses]]) -> None:
        for old, new in changes:
            self._change(old.holdings if old is not None else (), new.holdings if new is not None else ())

    def _change(self, before: Collection[Holding], after: Collection[Holding]) -> None:
        self.index.change(before, after)
        self._on_moved({each.pod for each in before}, {each.pod for each in after})
