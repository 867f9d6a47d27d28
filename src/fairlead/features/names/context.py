"""One context of a run: its cluster, and what is watched there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from fairlead.dial.cluster import Cluster
from fairlead.dial.laptop import Connect
from fairlead.errors import ApiError, ForbiddenError, NotFoundError, UsageError
from fairlead.features.names.watch import ServiceName, ServiceWatch
from fairlead.kit.tasks import Background
from fairlead.kube.access import FORWARD, SEE_PODS, SEE_SERVICES, missing, refusal
from fairlead.kube.namespaces import known_missing
from fairlead.model.events import Note
from fairlead.model.service_events import ServiceEvent
from fairlead.net.buffer import ReadBuffer
from fairlead.policy.hostnames import Scope
from fairlead.policy.missing import no_namespace
from fairlead.settings import Chosen


class Run(Protocol):
    """The run that a context is of."""

    buffer: ReadBuffer
    tasks: Background

    @property
    def settings(self) -> Chosen:
        """What it was asked to do."""

    def report(self, event: ServiceEvent, /) -> None:
        """Tell the user."""

    def own(self, port: int, /) -> Connect:
        """How a port of this laptop is reached."""

    def changed(self, context: NamedContext, service: ServiceName) -> None:
        """This service may be another now."""


class NamedContext:
    """The ``Around`` of its groups. With ``pods`` it knows the addresses of pods too."""

    def __init__(
        self,
        name: str,
        scope: Scope,
        cluster: Cluster,
        namespaces: Sequence[str],
        run: Run,
        *,
        pods: bool = False,
    ) -> None:
        settings = run.settings
        self.namespaces = namespaces
        """() is all."""
        given = (("--selector", settings.selector), ("--field-selector", settings.field_selector))
        self._selects = " and ".join(f'{option} "{text}"' for option, text in given if text)
        self.name = name
        self.scope = scope
        self.cluster = cluster
        self.buffer = run.buffer
        self.tasks = run.tasks
        self.wait = settings.wait
        self.report = run.report
        self.own = run.own
        self.watch = ServiceWatch(
            cluster.server,
            namespaces,
            selector=settings.selector,
            field_selector=settings.field_selector,
            on_pods=cluster.lanes.moved if pods else None,
            on_change=lambda service: run.changed(self, service),
            on_note=lambda text: run.report(Note(text, warning=True)),
        )

    async def read(self) -> None:
        """Read what there is; raises what the server refuses, also where forwarding is not allowed in any namespace."""
        asked = self.namespaces or ("",)
        server = self.cluster.server
        try:
            await self.watch.read()
        except ForbiddenError as error:
            lacking = await missing(server, (SEE_SERVICES, SEE_PODS, FORWARD), asked)
            if not lacking or (self.namespaces and sum(map(len, lacking.values())) == 1):
                raise
            raise refusal(server.config, lacking, error.message) from error
        except ApiError as error:
            if error.code == 400 and self._selects:
                raise UsageError(f"{self._selects}: {error.message or error.what}") from error
            raise
        lacking = await missing(server, (FORWARD,), asked)
        found = {service.namespace for service in self.watch}
        for namespace in self.namespaces:
            if namespace not in found:
                await self._explain_nothing(namespace)
        if self.namespaces and len(lacking) == len(asked):
            raise refusal(server.config, lacking)
        if lacking:
            self.report(Note(str(refusal(server.config, lacking)), warning=True))

    async def _explain_nothing(self, namespace: str) -> None:
        alike = await known_missing(self.cluster.server, namespace)
        if alike is not None:
            raise NotFoundError(no_namespace(namespace, alike), code=404, reason="NotFound")
        # Of a single namespace it is said with all the rest.
        if len(self.namespaces) > 1 or self.scope.label:
            self.report(Note(f"there is no service to forward in namespace {namespace}; new ones join by themselves"))

    def doubt(self, namespace: str) -> None:
        """Look whether the pods of this namespace are still there."""
        self.watch.doubt(namespace)
