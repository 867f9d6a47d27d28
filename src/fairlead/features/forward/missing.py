"""A target that does not exist: looks around for what was probably meant, within a moment and the user's own rights."""

from __future__ import annotations

import asyncio
from typing import Any

from fairlead.errors import FairleadError, NotFoundError
from fairlead.kit import log
from fairlead.kit.tasks import spawn
from fairlead.kube.client import ApiServer
from fairlead.kube.resources import FORWARDABLE, POD, SERVICE, Resource, match, target_word
from fairlead.model.target import TargetSpec
from fairlead.policy.missing import no_namespace, remedy, similar, written_apart

LOG = log.get(__name__)
LIMIT = 1.5
"""Seconds: an error message is worth a moment, not more."""
MOST = 500
"""Objects of the same kind that are looked through."""
_ALSO = (SERVICE, *(each for each in FORWARDABLE if each.kind in ("Deployment", "StatefulSet")), POD)
"""Kinds that somebody may have meant who gave only a name, or another kind; the best to forward to first."""
_NAMESPACE = Resource("Namespace", "namespaces", "", "v1", frozenset(), namespaced=False)


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
        self.namespaces_alike: list[str] = []
        self.found: set[Resource] = set()
        self.names_alike: list[str] = []
        self._server = server
        self._namespace = namespace

    async def namespace_itself(self) -> None:
        try:
            await self._get(_NAMESPACE.path("", self._namespace))
        except NotFoundError:
            self.no_namespace = True
            self.namespaces_alike = await self._alike(_NAMESPACE.path(""), self._namespace)

    async def same_name(self, kind: Resource, name: str) -> None:
        try:
            if await self._get(kind.path(self._namespace, name)) is not None:
                self.found.add(kind)
        except NotFoundError:
            pass

    async def alike(self, kind: Resource, name: str) -> None:
        self.names_alike = await self._alike(kind.path(self._namespace), name)

    async def _alike(self, path: str, name: str) -> list[str]:
        try:
            listed = await self._get(path, ("limit", str(MOST)))
        except NotFoundError:
            return []
        items = (listed or {}).get("items")
        return similar(name, filter(None, map(_name, items if isinstance(items, list) else ())))

    async def _get(self, path: str, *query: tuple[str, str]) -> dict[str, Any] | None:
        """What is there, or None where that may not or cannot be known; raises NotFoundError."""
        try:
            return await self._server.get(path, query)
        except NotFoundError:
            raise
        except FairleadError as error:
            LOG.decision("%s: %s", path, error.what)
            return None


def _name(item: object) -> str:
    meta = item.get("metadata") if isinstance(item, dict) else None
    return str(meta.get("name") or "") if isinstance(meta, dict) else ""
