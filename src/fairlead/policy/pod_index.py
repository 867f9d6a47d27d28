"""Which pod has which address, kept current at the cost of what changes.

An address is one pod's at any one time, but what is said of pods lags: one that ends may still be named when another
has its address already. Where two that live have one address, nobody can tell whose it is, and it is nobody's: so it is
with the address of a node, where all that is known of pods is what EndpointSlices say.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from fairlead.model.objects import EndpointSlice, Pod
from fairlead.model.target import PodRef
from fairlead.policy.gone import Gone

MOST = 64
"""Kept of what is said of one address: whoever may make EndpointSlices must not make all of it slow."""
_READ = {
    "metadata": ("namespace", "name", "uid", "resourceVersion", "deletionTimestamp"),
    "spec": ("hostNetwork",),
    "status": ("phase", "podIPs", "podIP"),
}
"""Of a pod; the rest is most of the work of reading it."""


class Holding(NamedTuple):
    """An address that is said to be a pod's."""

    address: str
    pod: PodRef
    ending: bool
    """Its end was asked for; until then it may be reached."""


class PodAddresses(NamedTuple):
    """A pod as the index needs it, without all the rest."""

    ref: PodRef
    resource_version: str
    holdings: tuple[Holding, ...]

    @property
    def namespace(self) -> str:
        """The pod's."""
        return self.ref.namespace

    @property
    def name(self) -> str:
        """The pod's."""
        return self.ref.name

    @property
    def uid(self) -> str:
        """The pod's."""
        return self.ref.uid

    @classmethod
    def from_json(cls, value: object) -> PodAddresses:
        """Read a v1 Pod."""
        pod = Pod.from_json(_sparse(value))
        return cls(pod.ref, pod.resource_version, of_pod(pod))


class PodIndex:
    """What several sources say; one thing may be said more than once."""

    def __init__(self) -> None:
        self._at: dict[str, tuple[Holding, ...]] = {}
        self.gone = Gone()
        """The addresses of which nothing is said any more."""

    def change(self, before: Collection[Holding], after: Collection[Holding]) -> None:
        """One source says something else of the same thing: ``before`` is what it said until now."""
        for holding in before:
            if holding not in after:
                self._drop(holding)
        for holding in after:
            held = self._at.get(holding.address, ())
            if holding not in before and len(held) < MOST:
                self._at[holding.address] = (*held, holding)
                self.gone.comes(holding.address)

    def pod_at(self, address: str) -> PodRef | None:
        """The pod that has the address: the one that lives, else the last that ends."""
        return _whose(self._at.get(address, ()))

    def __iter__(self) -> Iterator[tuple[str, PodRef]]:
        """Each address that is a pod's."""
        return ((address, pod) for address, held in self._at.items() if (pod := _whose(held)) is not None)

    def _drop(self, holding: Holding) -> None:
        held = list(self._at.get(holding.address, ()))
        if holding in held:
            held.remove(holding)
            self._at[holding.address] = tuple(held)
        if not held and self._at.pop(holding.address, None) is not None:
            self.gone.leaves(holding.address)


def of_pod(pod: Pod | None) -> tuple[Holding, ...]:
    """The addresses of a pod alone: none of one that has its node's, or has given its own back."""
    if pod is None or pod.host_network or pod.finished:
        return ()
    ref, ending = pod.ref, pod.deleted_at is not None
    return tuple(Holding(address, ref, ending) for address in pod.ips)


def of_slice(piece: EndpointSlice | None) -> frozenset[Holding]:
    """What a slice says of pods."""
    endpoints = piece.endpoints if piece is not None else ()
    return frozenset(
        Holding(address, endpoint.pod, endpoint.terminating)
        for endpoint in endpoints
        if endpoint.pod is not None
        for address in endpoint.addresses
    )


def _sparse(value: object) -> object:
    """A v1 Pod with no more than is wanted here; what is no pod stays as it is."""
    if not isinstance(value, dict):
        return value
    parts = ((name, value.get(name), fields) for name, fields in _READ.items())
    return {
        name: {field: part.get(field) for field in fields} for name, part, fields in parts if isinstance(part, dict)
    }


def _whose(held: Sequence[Holding]) -> PodRef | None:
    living = {holding.pod for holding in held if not holding.ending}
    if len(living) == 1:
        return living.pop()
    return None if living else next((holding.pod for holding in reversed(held)), None)
