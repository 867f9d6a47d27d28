"""Who has which name: several groups may claim one, and the nearest form has it, whoever came first."""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence

from fairlead.model.named import GroupKey
from fairlead.policy.hostnames import Name


class Claims:
    """The names that groups claim. A change costs what it touches, however many groups there are.

    Where two claim a name with forms that are equally near, the first by its key has it.
    """

    def __init__(self) -> None:
        self._names: dict[GroupKey, tuple[Name, ...]] = {}
        self._claimants: dict[str, list[tuple[int, GroupKey]]] = {}
        """The owner of a name first."""
        self._changed: dict[GroupKey, None] = {}

    def claim(self, key: GroupKey, names: Sequence[Name]) -> None:
        """From now on these are what the group claims; none once it is gone."""
        before, wanted = self._names.get(key, ()), tuple(names)
        if wanted == before:
            return
        self._changed[key] = None
        for rank, text in set(before) - set(wanted):
            claimants = self._claimants[text]
            claimants.remove((rank, key))
            if claimants:
                self._changed[claimants[0][1]] = None
            else:
                del self._claimants[text]
        for rank, text in set(wanted) - set(before):
            claimants = self._claimants.setdefault(text, [])
            if claimants:
                self._changed[claimants[0][1]] = None
            insort(claimants, (rank, key))
        if wanted:
            self._names[key] = wanted
        else:
            del self._names[key]

    def changed(self) -> list[GroupKey]:
        """The groups that are there whose names may be others than when this was asked last."""
        changed, self._changed = self._changed, {}
        return [key for key in changed if key in self._names]

    def won(self, key: GroupKey) -> tuple[Name, ...]:
        """Of what the group claims, what is its own, in the order of a hosts file's line."""
        return tuple(name for name in self._names.get(key, ()) if self._claimants[name.text][0] == (name.rank, key))

    def __contains__(self, text: object) -> bool:
        """Whether any group has this name."""
        return text in self._claimants
