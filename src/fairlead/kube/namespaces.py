"""A namespace that does not exist: looked for where nothing was found, with names like it."""

from __future__ import annotations

from collections.abc import Sequence

from fairlead.errors import FairleadError, NotFoundError
from fairlead.kit import log
from fairlead.kube.resources import Getter, Resource
from fairlead.policy.missing import similar

LOG = log.get(__name__)
MOST = 500
"""Namespaces that are looked through for one with a name alike."""
NAMESPACE = Resource("Namespace", "namespaces", "", "v1", frozenset(), namespaced=False)


async def known_missing(server: Getter, namespace: str) -> Sequence[str] | None:
    """Names like it if it does not exist; None if it does, or if this user may not know."""
    try:
        await server.get(NAMESPACE.path("", namespace))
    except NotFoundError:
        return await names_alike(server, NAMESPACE.path(""), namespace)
    except FairleadError as error:
        LOG.decision("whether the namespace %s exists is not known: %s", namespace, error.what)
    return None


async def names_alike(server: Getter, path: str, name: str) -> Sequence[str]:
    """Names in a collection that were probably meant; none where it may not be listed."""
    try:
        items = (await server.get(path, [("limit", str(MOST))])).get("items")
    except FairleadError as error:
        LOG.decision("%s: %s", path, error.what)
        return []
    return similar(name, filter(None, map(_name, items if isinstance(items, list) else ())))


def _name(item: object) -> str:
    meta = item.get("metadata") if isinstance(item, dict) else None
    return str(meta.get("name") or "") if isinstance(meta, dict) else ""
