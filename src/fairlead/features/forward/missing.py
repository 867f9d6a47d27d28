"""A target that does not exist: looks around for what was probably meant, within a moment and the user's own rights."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from fairlead.errors import FairleadError, NotFoundError
from fairlead.kit import log
from fairlead.kit.tasks import spawn
from fairlead.kube.client import ApiServer
from fairlead.kube.namespaces import known_missing, names_alike
from fairlead.kube.resources import FORWARDABLE, POD, SERVICE, Resource, match, target_word
from fairlead.model.target import TargetSpec
from fairlead.policy.missing import no_namespace, remedy, written_apart

LOG = log.get(__name__)
LIMIT = 1.5
"""Seconds: an error message is worth a moment, not more."""
_ALSO = (SERVICE, *(each for each in FORWARDABLE if each.kind in ("Deployment", "StatefulSet")), POD)
"""Kinds that somebody may have meant who gave only a name, or another kind; the best to forward to first."""


async def explained(error: NotFoundError, spec: TargetSpec, server: ApiServer) -> NotFoundError:
    """The same error with the namespace that was searched and a hint; whatever fails meanwhile is not told."""
    kind = match(spec.kind, FORWARDABLE)
    # Other words are no answer about this object: an unknown kind, or a server that is not Kubernetes.
    if kind is None or not error.message or error.message != error.what:
        return error
    namespace = server.config.namespace
    look = _Look(server, namespace)
    try:
        async with asyncio.timeout(LIMIT), asyncio.TaskGroup() as group:
            spawn(group, look.namespace_itself(), name="look for the namespace")
            spawn(group, look.alike(kind, spec.name), name="look for names alike")
            for other in _ALSO:
                if other is not kind:
                    spawn(group, look.same_name(other, spec.name), name=f"look for a {other.kind}")
    except TimeoutError:
        LOG.decision("nothing more is known about %s after %g s", spec, LIMIT)
    apart = written_apart(spec) if match(spec.name, FORWARDABLE) else ""
    others = [target_word(other.kind, spec.name) for other in _ALSO if other in look.found]
    meant = [apart] if apart else [*others, *(target_word(kind.kind, name) for name in look.names_alike)]
    return NotFoundError(
        f'{error.what} in namespace "{namespace}"',
        code=error.code,
        reason=error.reason,
        message=error.message,
        remedy=no_namespace(namespace, look.namespaces_alike) if look.no_namespace else remedy(meant),
    )


class _Look:
    """What was found so far; each step keeps its own errors to itself."""

    def __init__(self, server: ApiServer, namespace: str) -> None:
        self.no_namespace = False
        """It is known not to exist."""
        self.namespaces_alike: Sequence[str] = ()
        self.found: set[Resource] = set()
        self.names_alike: Sequence[str] = ()
        self._server = server
        self._namespace = namespace

    async def namespace_itself(self) -> None:
        alike = await known_missing(self._server, self._namespace)
        if alike is not None:
            self.no_namespace, self.namespaces_alike = True, alike

    async def same_name(self, kind: Resource, name: str) -> None:
        try:
            await self._server.get(kind.path(self._namespace, name))
        except FairleadError as error:
            LOG.decision("%s %s: %s", kind.kind, name, error.what)
        else:
            self.found.add(kind)

    async def alike(self, kind: Resource, name: str) -> None:
        self.names_alike = await names_alike(self._server, kind.path(self._namespace), name)
