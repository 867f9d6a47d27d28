"""What completion asks the kubeconfig and the API server; silent where they do not answer in time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import Any

from fairlead.errors import FairleadError
from fairlead.kube import config, resources
from fairlead.kube.client import ApiServer
from fairlead.net.loop import run
from fairlead.settings import ClusterOptions

LIMIT = 2.0
"""Seconds: longer than that nobody waits for a TAB."""
MOST = 500
"""Objects asked for: more than fit on a screen."""

KINDS = tuple(resources.target_word(each.kind, "").rstrip("/") for each in resources.FORWARDABLE)


class ClusterAnswers:
    """Answers of the cluster that these options name.

    ``namespaces`` are those whose services are wanted: ("",) for all, () for the context's own.
    """

    def __init__(
        self, options: ClusterOptions, env: Mapping[str, str] = os.environ, *, namespaces: Sequence[str] = ()
    ) -> None:
        self._options = options
        self._env = env
        self._namespaces = namespaces

    def of_config(self, what: str) -> list[tuple[str, str]]:
        """The names of contexts, clusters or users."""
        try:
            files = config.read_files(self._options, self._env)
        except FairleadError:
            return []
        found: Mapping[str, object] = {"context": files.contexts, "cluster": files.clusters, "user": files.users}[what]
        return [(name, "") for name in sorted(found)]

    def namespaces(self) -> list[tuple[str, str]]:
        """All namespaces."""
        return self._named("/api/v1/namespaces")

    def names(self, kind: str) -> list[tuple[str, str]]:
        """The objects of a kind in the chosen namespace."""
        resource = resources.match(kind, resources.FORWARDABLE)
        return self._named(resource.path(self._namespace())) if resource else []

    def ports(self, kind: str, name: str) -> list[tuple[str, str]]:
        """The declared ports of an object: numbers and names."""
        resource = resources.match(kind, resources.FORWARDABLE)
        if resource is None:
            return []
        name, _, namespace = name.partition(".") if resource is resources.SERVICE else (name, "", "")
        numbers, names = {}, {}
        for port in _declared(self._get(resource.path(namespace or self._namespace(), name))):
            number, label = str(port.get("port", port.get("containerPort", ""))), str(port.get("name", ""))
            numbers[number] = label
            if label:
                names[label] = number
        return [*numbers.items(), *names.items()]

    def services(self) -> list[tuple[str, str]]:
        """The services of the chosen namespaces: NAME where there is one namespace, else NAME.NAMESPACE."""
        chosen = self._namespaces or (self._namespace(),)
        found: list[tuple[str, str]] = []
        for namespace in chosen:
            items = self._items(resources.SERVICE.path(namespace))
            found += [(meta.get("name", ""), meta.get("namespace", "")) for meta in items]
        one = len(chosen) == 1 and chosen[0]
        return [(name if one else f"{name}.{namespace}", "") for name, namespace in found if name]

    def _namespace(self) -> str:
        if len(self._namespaces) == 1 and self._namespaces[0]:
            return self._namespaces[0]
        return self._options.namespace or config.load(self._options, self._env).namespace

    def _named(self, path: str) -> list[tuple[str, str]]:
        return [(str(meta["name"]), "") for meta in self._items(path) if meta.get("name")]

    def _items(self, path: str) -> list[dict[str, Any]]:
        """The metadata of what is there."""
        items = self._get(path, ("limit", str(MOST))).get("items")
        return [item.get("metadata", {}) for item in items or [] if isinstance(item, dict)]

    def _get(self, path: str, *query: tuple[str, str]) -> dict[str, Any]:
        async def ask() -> dict[str, Any]:
            cluster = config.load(self._options, self._env)
            # The terminal is the shell's while it completes.
            async with asyncio.timeout(LIMIT), ApiServer(cluster, stdin_free=lambda: False) as server:
                return await server.get(path, query)

        try:
            return run(ask())
        except (FairleadError, TimeoutError):
            return {}


def _declared(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The ports of a service, a pod, or the pods of a workload; not those of other protocols than TCP."""
    spec = body.get("spec") or {}
    pod = (spec.get("template") or {}).get("spec") or spec
    lists = [spec, *(pod.get("containers") or []), *(pod.get("initContainers") or [])]
    ports = [port for each in lists for port in each.get("ports") or []]
    return [port for port in ports if port.get("protocol", "TCP") == "TCP"]
