"""Names that a user may expect, and that are not written: which, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from fairlead.model.named import GroupKey
from fairlead.policy.few import MOST, few
from fairlead.policy.hostnames import Scope, names_of
from fairlead.settings import Chosen


def named(settings: Chosen) -> frozenset[str]:
    """The namespaces that were asked for by name, as ``Scope.named`` has them."""
    of_services = (pattern.namespace for pattern in settings.only if not {"*", "?"}.intersection(pattern.namespace))
    return frozenset((*settings.namespaces, *filter(None, (settings.bare,)), *of_services))


def withheld(key: GroupKey, scope: Scope) -> tuple[str, ...]:
    """The names that the group would have if its namespace had been asked for by name."""
    if not scope.everywhere or key.namespace in scope.named:
        return ()
    has = set(names_of(key, scope))
    return tuple(name.text for name in names_of(key, scope._replace(everywhere=False)) if name not in has)


class Withheld:
    """What is said of the names that ``withheld`` has, once for each namespace."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def news(self, groups: Iterable[tuple[GroupKey, Scope]]) -> str:
        """A sentence on those of these groups, "" if there is nothing to say."""
        found: dict[str, str] = {}
        for key, scope in groups:
            if key.namespace not in self._told and (names := withheld(key, scope)):
                found[key.namespace] = names[0]
                self._told.add(key.namespace)
        return _sentence(found) if found else ""


def nobody_alone(scope: Scope, chosen: Sequence[str]) -> str:
    """What is said where the names of no namespace stand alone, "" where some do."""
    if scope.bare is not None:
        return ""
    return (
        f"no name stands alone, as several namespaces were chosen and none is the context's own; --bare {chosen[0]} "
        f"lets those of {chosen[0]}"
    )


def _sentence(found: Mapping[str, str]) -> str:
    """``found`` is one name for each namespace."""
    are = "are top-level domains" if len(found) > 1 else "is a top-level domain"
    given = ",".join(list(found)[:MOST]) + (",..." if len(found) > MOST else "")
    return (
        f"not written with -A: names such as {few(list(found.values()))}, as {few(list(found))} {are}; "
        f"-n {given} beside -A writes them"
    )
