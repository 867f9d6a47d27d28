"""What is read of the API server for one target: the named object, its pods, and a service's EndpointSlices.

Rights: get of the named object and list of the pods it selects, which is what kubectl needs for the same target.
Watching and EndpointSlices are used where they are allowed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from fairlead.errors import ApiError, FairleadError, ForbiddenError, NotFoundError, UsageError
from fairlead.kit import log
from fairlead.kit.tasks import Background
from fairlead.kube.reflector import Reflector, Server, Timing
from fairlead.kube.resources import (
    ENDPOINT_SLICE,
    FORWARDABLE,
    POD,
    SERVICE,
    Resource,
    find,
    no_pods,
    owned_by,
    refuse,
    target_word,
)
from fairlead.kube.told import Told
from fairlead.model.objects import EndpointSlice, OwnerRef, Pod, Service, Workload
from fairlead.policy.endpoints import not_pods

LOG = log.get(__name__)


class Sources:
    """The reflectors of one target. ``on_change`` is called after every change of any of them.

    ``pods`` is replaced when a service selects by other labels (``reselected``), and by ``follow``.
    """

    pods: Reflector[Pod]

    def __init__(
        self,
        server: Server,
        namespace: str,
        *,
        on_change: Callable[[], None],
        on_note: Callable[[str], None],
        timing: Timing | None = None,
    ) -> None:
        self.namespace = namespace
        self.selector = ""
        self.service: Service | None = None
        self.single = ""
        """The name, where the target is one pod."""
        self.withdrawn = ""
        """Why the target cannot be used whatever its pods do: its service is gone."""
        self._server = server
        self._on_change = on_change
        self._timing = timing
        self._workload: tuple[Resource, str] | None = None
        self._services: Reflector[Service] | None = None
        self._slices: Reflector[EndpointSlice] | None = None
        self._used_selector = ""
        self._ignored: tuple[str, ...] = ()
        self._told = Told(on_note, timing)

    async def read(self, kind: str, name: str) -> None:
        """Read the target and its pods once. Raises what kubectl would say, in its words."""
        resource = await find(self._server, kind)
        if resource not in FORWARDABLE:
            await self._refuse(resource, name)
        if resource is POD:
            self.single = name
            path = POD.path(self.namespace, name)
        else:
            self._take(resource, name, await self._server.get(resource.path(self.namespace, name)))
            path = POD.path(self.namespace)
        self.pods = self._reflector(POD, path, Pod.from_json, selector=self.selector, single=self.single)
        self._used_selector = self.selector
        await self.pods.prime()

    async def _refuse(self, resource: Resource, name: str) -> NoReturn:
        """As kubectl does: an object of a type without pods is asked for before it is refused."""
        try:
            await self._server.get(resource.path(self.namespace, name))
        except NotFoundError as error:
            raise NotFoundError(error.what, remedy=no_pods(resource)) from None
        raise refuse(resource)

    @property
    def slices(self) -> list[EndpointSlice] | None:
        """The service's slices; None while they are not known, or may not be read."""
        return list(self._slices.cache) if self._slices is not None and self._slices.synced else None

    @property
    def reselected(self) -> bool:
        """Whether the service now selects by other labels than ``pods`` does."""
        return self.selector != self._used_selector

    async def look_again(self) -> None:
        """Read the workload again: one that was made anew may select other pods. A service is watched anyway."""
        if self._workload is not None:
            resource, name = self._workload
            try:
                self._take(resource, name, await self._server.get(resource.path(self.namespace, name)))
            except FairleadError as error:
                LOG.decision("%s: %s", target_word(resource.kind, name), error.what)

    def pod(self, name: str) -> Pod | None:
        """The pod of that name."""
        return self.pods.cache.get(self.namespace, name)

    def start(self, tasks: Background) -> None:
        """Keep everything current for as long as ``tasks`` runs."""
        tasks.start(self.pods.run(), name="watch pods")
        if self._services is not None:
            tasks.start(self._services.run(), name="watch service")
        if self._slices is not None:
            tasks.start(self._watch_slices(self._slices), name="watch endpoints")

    def kick(self) -> None:
        """Ask again at once."""
        for reflector in (self.pods, self._slices, self._services):
            if reflector is not None:
                reflector.kick()

    def reselect(self) -> Reflector[Pod]:
        """Make a new reflector of the pods that are selected now; ``adopt`` puts it in place once it is synced."""
        self._used_selector = self.selector
        return self._reflector(POD, POD.path(self.namespace), Pod.from_json, selector=self.selector)

    def adopt(self, pods: Reflector[Pod]) -> None:
        """Use this reflector from now on."""
        self.pods, self.single = pods, ""

    async def follow(self, resource: Resource, name: str) -> Reflector[Pod]:
        """Turn from one pod to the workload that owned it."""
        self._take(resource, name, await self._server.get(resource.path(self.namespace, name)))
        return self.reselect()

    async def top_owner(self, owner: OwnerRef) -> tuple[Resource, str] | None:
        """Find what a user would forward to instead of a pod: its controller, or that one's Deployment.

        None if one cannot forward to it. A ReplicaSet that may not be read, or is gone, stands for itself. Raises
        UnreachableError and CredentialsError.
        """
        resource = owned_by(owner.kind, owner.api_version)
        if resource is None:
            return None
        if owner.kind == "ReplicaSet":
            try:
                value = await self._server.get(resource.path(self.namespace, owner.name))
            except ApiError as error:
                LOG.decision("%s: %s", target_word(owner.kind, owner.name), error.what)
            else:
                above = Workload.reader("ReplicaSet")(value).owner
                found = owned_by(above.kind, above.api_version) if above is not None else None
                if above is not None and found is not None:
                    return found, above.name
        return resource, owner.name

    def _take(self, resource: Resource, name: str, value: dict[str, Any]) -> None:
        if resource is SERVICE:
            self._take_service(Service.from_json(value))
            self._services = self._reflector(
                SERVICE,
                SERVICE.path(self.namespace, name),
                Service.from_json,
                single=name,
                on_change=self._service_changed,
            )
            self._slices = self._reflector(
                ENDPOINT_SLICE,
                ENDPOINT_SLICE.path(self.namespace),
                EndpointSlice.from_json,
                selector=f"kubernetes.io/service-name={name}",
                on_change=self._slices_changed,
            )
        else:
            workload = Workload.reader(resource.kind)(value)
            # Without terms it would select every pod of the namespace.
            if workload.selector is None or not workload.selector.requirements:
                raise UsageError(f"{workload.kind} {workload.name} has no selector", remedy="forward to a pod")
            self.selector, self._workload = str(workload.selector), (resource, name)

    def _take_service(self, service: Service) -> None:
        if service.selector is None:
            words = f"invalid service '{service.name}': Service is defined without a selector"
            remedy = f"it stands for {service.external_name}" if service.external_name else "forward to a pod"
            raise UsageError(f"cannot attach to *v1.Service: {words}", remedy=remedy)
        self.service, self.selector, self.withdrawn = service, str(service.selector), ""

    def _service_changed(self) -> None:
        found = None if self._services is None else next(iter(self._services.cache), None)
        if found is not None and found.selector is not None:
            self._take_service(found)
        elif self.service is not None:
            what = "was deleted" if found is None else "has no selector any more"
            self.withdrawn = f"service {self.service.name} {what}"
        self._on_change()

    def _slices_changed(self) -> None:
        ignored = not_pods(self.slices or ())
        if ignored != self._ignored:
            self._ignored = ignored
            LOG.decision("endpoints that are no pods and cannot be reached: %s", ", ".join(ignored) or "none any more")
        self._on_change()

    async def _watch_slices(self, slices: Reflector[EndpointSlice]) -> None:
        """Follow the slices where that is allowed; else the pods' own Ready condition has to do."""
        try:
            await slices.prime()
        except (ForbiddenError, NotFoundError) as error:
            LOG.decision("without EndpointSlices: %s", error.what)
            return
        except FairleadError as error:
            LOG.decision("EndpointSlices later: %s", error.what)
        await slices.run()

    def _reflector(
        self,
        resource: Resource,
        path: str,
        read: Callable[[object], Any],
        *,
        selector: str = "",
        single: str = "",
        on_change: Callable[[], None] | None = None,
    ) -> Reflector[Any]:
        def changed(_: object) -> None:
            (on_change or self._on_change)()

        what = f"{resource.plural} in namespace {self.namespace}"
        return Reflector(
            self._server,
            path,
            read,
            selector=selector,
            single=single,
            on_change=changed,
            on_trouble=self._told.trouble(what),
            on_polling=self._told.polling(what),
            on_crowded=self._told.crowded(what),
            timing=self._timing,
        )
