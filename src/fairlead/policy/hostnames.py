"""The host names of a service or a pod, as cluster DNS answers them (Kubernetes DNS specification), for a hosts file.

A service ``s`` of namespace ``ns`` has ``s``, ``s.ns.svc.DOMAIN``, ``s.ns`` and ``s.ns.svc``; a pod ``p`` of a headless
service has the same with ``p.s``. ``s`` alone belongs to one namespace. With several contexts, names that end in the
context's label come on top, and they are all that a context other than the first has.

Only names that every resolver takes for a host's (RFC 1123), and none that this machine needs for itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from fairlead.errors import UsageError
from fairlead.model.named import GroupKey
from fairlead.policy.toplevel import is_toplevel

MOST, MOST_LABEL = 253, 63
"""Characters of a name and of one of its labels (RFC 1035)."""

_LABEL = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
"""A last label that makes a whole name an IPv4 address, or a broken one, to some (inet_aton(3), the URL standard)."""
_OURS = frozenset(
    {
        "localhost", "localhost.localdomain", "localhost4", "localhost4.localdomain4", "localhost6",
        "localhost6.localdomain6", "ip6-localhost", "ip6-loopback", "ip6-localnet", "ip6-mcastprefix", "ip6-allnodes",
        "ip6-allrouters", "ip6-allhosts", "broadcasthost",
        "wpad",
    }
)  # fmt: skip
"""What systems are delivered with in their hosts files; of ``localhost`` also all names below it (RFC 6761). And where
programs look by themselves for the proxy that they are to use (WPAD)."""


class Name(NamedTuple):
    """One name, and how near it is: where several groups claim a name, the nearest form has it.

    The order is that of a pod's search path in the namespace of the bare names, so that a name means here what it means
    there; names with a context, which no cluster knows, come last.
    """

    rank: int
    text: str


BARE, NAMESPACE, SVC, FULL, WITH_CONTEXT = range(5)
"""The ranks."""


class Scope(NamedTuple):
    """What the names of one context's groups are made with."""

    domain: str = "cluster.local"
    """The cluster's."""
    bare: str | None = None
    """The namespace whose names also stand alone: see ``bare_owner``."""
    label: str = ""
    """The context's, from ``context_labels``; "" in a run of one context."""
    main: bool = True
    """Whether it is the first context: those after it have names with the label alone."""
    everywhere: bool = False
    """All namespaces are forwarded, also those that nobody named."""
    named: frozenset[str] = frozenset()
    """The namespaces that were named."""
    forbidden: frozenset[str] = frozenset()
    """Names that are not to be touched: see ``forbid``."""


def is_legal(name: str) -> bool:
    """Whether ``name``, in lower case, can stand in a hosts file and is a host's name to every program."""
    return len(name) <= MOST and _NAME.fullmatch(name) is not None and not _NUMBER.fullmatch(_last(name))


def is_ours(name: str) -> bool:
    """Whether ``name``, in lower case, belongs to the machine itself, such as ``localhost`` and all names below it."""
    return name in _OURS or _last(name) == "localhost"


def forbid(names: Iterable[str]) -> frozenset[str]:
    """The machine's own names, the hosts of API servers and of proxies: as ``Scope.forbidden`` has them."""
    return frozenset(name.lower().rstrip(".") for name in names)


def names_of(key: GroupKey, scope: Scope, hostname: str = "") -> tuple[Name, ...]:
    """The names that the group claims, in the order of a hosts file's line.

    ``hostname`` is the endpoint's, where it has one: what cluster DNS calls a pod.
    """
    if not key.pod:
        forms = _forms("", key, scope)
    else:
        forms = (form for pod in dict.fromkeys((key.pod, hostname or key.pod)) for form in _forms(pod, key, scope))
    return tuple(
        name for name in forms if is_legal(name.text) and not is_ours(name.text) and name.text not in scope.forbidden
    )


def label(key: GroupKey, won: Collection[Name]) -> str:
    """What to call the group: the shortest of the names that it has."""
    return min(won).text if won else f"{key.service}.{key.namespace}"


def bare_owner(chosen: Sequence[str], own: str, bare: str | None, *, everywhere: bool = False) -> str | None:
    """The namespace whose names stand alone, or None. Raises UsageError if ``bare`` is not one of the ``chosen``.

    ``own`` is the context's namespace; with ``everywhere`` every namespace counts as chosen.
    """
    if bare is not None:
        if not everywhere and bare not in chosen:
            raise UsageError(f"--bare {bare} is none of the namespaces", remedy=f"add -n {bare}")
        return bare
    if everywhere or own in chosen:
        return own
    return chosen[0] if len(set(chosen)) == 1 else None


def context_labels(contexts: Sequence[str]) -> dict[str, str]:
    """A legal label for each context; those that come out alike are told apart by -2, -3, in the order given."""
    found: dict[str, str] = {}
    for context in dict.fromkeys(contexts):
        label = re.sub(r"[^a-z0-9]", "-", context.lower())[:MOST_LABEL].strip("-")
        # These end other names: nobody could tell that there is a context in them, no resolver would take them, or
        # they are those of sites and hosts out there.
        if not label or label == "svc" or is_ours(label) or is_toplevel(label) or _NUMBER.fullmatch(label):
            label = f"context-{label}"[:MOST_LABEL].strip("-")
        base, count = label, 1
        while label in found.values():
            count += 1
            label = f"{base[: MOST_LABEL - len(str(count)) - 1].rstrip('-')}-{count}"
        found[context] = label
    return found


def _forms(pod: str, key: GroupKey, scope: Scope) -> Iterator[Name]:
    short = f"{pod}.{key.service}" if pod else key.service
    there = f"{short}.{key.namespace}"
    bare = key.namespace == scope.bare
    if scope.main:
        # Nobody asked for a namespace called "com" by its name: that of a site must go on to mean the site.
        known = not scope.everywhere or key.namespace in scope.named
        if bare and (known or not (pod and is_toplevel(key.service))):
            yield Name(BARE, short)
        yield Name(FULL, f"{there}.svc.{scope.domain}")
        if known or not is_toplevel(key.namespace):
            yield Name(NAMESPACE, there)
        yield Name(SVC, f"{there}.svc")
    if scope.label:
        if bare:
            yield Name(WITH_CONTEXT, f"{short}.{scope.label}")
        yield Name(WITH_CONTEXT, f"{there}.{scope.label}")
        yield Name(WITH_CONTEXT, f"{there}.svc.{scope.label}")
        yield Name(WITH_CONTEXT, f"{there}.svc.{scope.domain}.{scope.label}")


def _last(name: str) -> str:
    return name.rpartition(".")[2]
