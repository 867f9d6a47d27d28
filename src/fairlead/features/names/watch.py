"""The services of one context and what stands behind them: one watch a kind and namespace, or one for all of them.

That is EndpointSlices; for a user who may not list these, pods, from which the same slices are made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from fairlead.errors import ForbiddenError, NotFoundError
from fairlead.features.names.addresses import Moved, PodAddressWatch
from fairlead.kit import log
from fairlead.kit.tasks import Background, together
from fairlead.kube.reflector import Reflector, Server, Timing
from fairlead.kube.resources import ENDPOINT_SLICE, POD, SERVICE, Resource
from fairlead.kube.told import Told
from fairlead.model.cache import Change
from fairlead.model.objects import EndpointSlice, Pod, Service
from fairlead.model.target import PodRef
from fairlead.policy.pod_index import Holding, PodAddresses, of_pod, of_slice
from fairlead.policy.podslices import PodSlices

LOG = log.get(__name__)
BEHIND = 1.0
"""Seconds in which the cluster makes the slices of a service anew that has other ports."""
DOUBT_EVERY = 30.0
"""Seconds between lists that are taken because connections fail; most fail for a reason that no list shows, and these
lists are whole namespaces."""


class ServiceName(NamedTuple):
    """A service of the context."""

    namespace: str
    name: str


class ServiceWatch:
    """``namespaces`` are those to watch, () all of them. ``on_change`` is told each service that may be another now.

    With ``on_pods`` it knows the addresses of pods too, and tells it which moved.
    """

    def __init__(
        self,
        server: Server,
        namespaces: Sequence[str],
        *,
        selector: str = "",
        field_selector: str = "",
        on_pods: Moved | None = None,
        on_change: Callable[[ServiceName], None],
        on_note: Callable[[str], None],
        timing: Timing | None = None,
    ) -> None:
        self._server = server
        self._on_change = on_change
        self._timing = timing
        self._told = Told(on_note, timing)
        self._doubt_again: dict[str, float] = {}
        """When the lists of a namespace may be taken again for a doubt; "" for those of all."""
        self._slices: dict[ServiceName, dict[str, EndpointSlice]] = {}
        self._behind: dict[ServiceName, asyncio.TimerHandle] | None = None
        """Services whose slices may be those of other ports; None while all that is there is read at once."""
        self._service_lists: list[Reflector[Service]] = []
        self._slice_lists: dict[str, Reflector[EndpointSlice]] = {}
        self._pod_lists: dict[str, Reflector[Pod]] = {}
        """For namespaces whose slices may not be listed."""
        self._pod_slices = PodSlices()
        self._addresses = PodAddressWatch(
            (namespaces or ("",)) if on_pods is not None else (),
            lambda namespace, changed: self._reflector(POD, namespace, PodAddresses.from_json, changed),
            on_note,
            on_pods or (lambda before, now: None),
        )
        for namespace in namespaces or ("",):
            self._service_lists.append(
                self._reflector(
                    SERVICE,
                    namespace,
                    Service.from_json,
                    self._services_changed,
                    selector=selector,
                    field_selector=field_selector,
                )
            )
            self._slice_lists[namespace] = self._reflector(
                ENDPOINT_SLICE, namespace, EndpointSlice.from_json, self._slices_changed
            )

    async def read(self) -> None:
        """Read all of it once; raises the first thing that the server refuses."""
        await together(
            [
                *((services.prime(), "read services") for services in self._service_lists),
                *((self._read_behind(namespace), "read what stands behind") for namespace in self._slice_lists),
                *((self._addresses.read(namespace), "read addresses") for namespace in self._addresses.lists),
            ]
        )
        self._addresses.settle(self._pod_lists, self._addresses_behind)

    def _addresses_behind(self, namespace: str) -> Iterable[Collection[Holding]]:
        if namespace in self._pod_lists:
            return map(of_pod, self._pod_lists[namespace].cache)
        return map(of_slice, self._slice_lists[namespace].cache)

    async def _read_behind(self, namespace: str) -> None:
        try:
            await self._slice_lists[namespace].prime()
        except (ForbiddenError, NotFoundError) as error:
            LOG.decision("pods instead of EndpointSlices: %s", error.what)
            pods = self._reflector(POD, namespace, Pod.from_json, self._pods_changed)
            try:
                await pods.prime()
            except ForbiddenError:
                # Of the two the first is what is wanted of whoever gives rights.
                raise error from None
            self._pod_lists[namespace] = pods
            del self._slice_lists[namespace]

    def start(self, tasks: Background) -> None:
        """Keep current what was read."""
        self._behind = {}
        for reflector in self._lists():
            tasks.start(reflector.run(), name="watch a list")

    def kick(self) -> None:
        """Ask the API server again at once: the network is back."""
        for reflector in self._lists():
            reflector.kick()

    def _lists(self) -> list[Reflector[Any]]:
        behind: list[Reflector[Any]] = [*self._slice_lists.values(), *self._pod_lists.values()]
        return [*self._service_lists, *behind, *self._addresses.lists.values()]

    def doubt(self, namespace: str) -> None:
        """Look again which pods there are: a connection to one failed. Cheap to call for each of many."""
        now = asyncio.get_running_loop().time()
        for where in (namespace, ""):
            reflector = self._slice_lists.get(where) or self._pod_lists.get(where)
            if reflector is not None and now >= self._doubt_again.get(where, 0.0):
                self._doubt_again[where] = now + DOUBT_EVERY
                reflector.relist()

    def __iter__(self) -> Iterator[Service]:
        for reflector in self._service_lists:
            yield from reflector.cache

    def service(self, name: ServiceName) -> Service | None:
        """The service of that name, if there is one and it was chosen."""
        for reflector in self._service_lists:
            found = reflector.cache.get(*name)
            if found is not None:
                return found
        return None

    def slices(self, name: ServiceName) -> tuple[EndpointSlice, ...]:
        """The slices of a service."""
        for where in (name.namespace, ""):
            if where in self._pod_lists:
                service = self.service(name)
                return self._pod_slices.of(service) if service is not None else ()
        return tuple(self._slices.get(name, {}).values())

    def pod_at(self, address: str) -> PodRef | None:
        """The pod that has this address for itself, as far as is known."""
        return self._addresses.index.pod_at(address)

    def pod_was_at(self, address: str) -> bool:
        """Whether a pod had this address and none has it now, as far as is remembered."""
        return address in self._addresses.index.gone

    def pods(self) -> Iterator[tuple[str, PodRef]]:
        """Each address of a pod."""
        return iter(self._addresses.index)

    def is_behind(self, name: ServiceName) -> bool:
        """Whether the slices may not say yet what they will of the service as it is now; ``on_change`` follows."""
        return self._behind is not None and name in self._behind

    def _services_changed(self, changes: list[Change[Service]]) -> None:
        for old, new in changes:
            self._pod_slices.change_service(old, new)
            found = new or old
            if found is not None:
                name = ServiceName(found.namespace, found.name)
                if new is not None and (old is None or old.ports != new.ports):
                    self._wait_for_slices(name)
                self._on_change(name)

    def _wait_for_slices(self, name: ServiceName) -> None:
        if self._behind is not None:
            if name in self._behind:
                self._behind[name].cancel()
            self._behind[name] = asyncio.get_running_loop().call_later(BEHIND, self._slices_were_due, name)

    def _slices_were_due(self, name: ServiceName) -> None:
        lists = (self._slice_lists.get(where) for where in (name.namespace, ""))
        if any(slices is not None and not slices.current for slices in lists):
            self._wait_for_slices(name)
        elif self._behind is not None:
            del self._behind[name]
            self._on_change(name)

    def _slices_changed(self, changes: list[Change[EndpointSlice]]) -> None:
        for old, new in changes:
            if old is not None:
                name = ServiceName(old.namespace, old.service)
                pieces = self._slices.get(name, {})
                pieces.pop(old.name, None)
                if not pieces:
                    self._slices.pop(name, None)
                self._on_change(name)
            if new is not None:
                name = ServiceName(new.namespace, new.service)
                self._slices.setdefault(name, {})[new.name] = new
                self._on_change(name)
            if found := new or old:
                self._addresses.changed_behind(found.namespace, of_slice, old, new)

    def _pods_changed(self, changes: list[Change[Pod]]) -> None:
        for old, new in changes:
            for service in self._pod_slices.change_pod(old, new):
                self._on_change(ServiceName(service.namespace, service.name))
            if found := new or old:
                self._addresses.changed_behind(found.namespace, of_pod, old, new)

    def _reflector(
        self,
        resource: Resource,
        namespace: str,
        read: Callable[[object], Any],
        on_change: Callable[[list[Change[Any]]], None],
        *,
        selector: str = "",
        field_selector: str = "",
    ) -> Reflector[Any]:
        what = f"{resource.plural} in namespace {namespace}" if namespace else f"{resource.plural} in all namespaces"

        return Reflector(
            self._server,
            resource.path(namespace),
            read,
            selector=selector,
            field_selector=field_selector,
            on_change=on_change,
            on_trouble=self._told.trouble(what),
            on_polling=self._told.polling(what),
            on_crowded=self._told.crowded(what),
            timing=self._timing,
        )
