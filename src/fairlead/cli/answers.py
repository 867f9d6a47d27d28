"""What completion asks the kubeconfig and the API server; silent where they do not answer in time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
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
    """Answers of the cluster that these options name."""

    def __init__(self, options: ClusterOptions, env: Mapping[str, str] = os.environ) -> None:
        self._options = options
        self._env = env

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
        numbers, names = {}, {}
        for port in _declared(self._get(resource.path(self._namespace(), name))):
            number, label = str(port.get("port", port.get("containerPort", ""))), str(port.get("name", ""))
            numbers[number] = label
            if label:
                names[label] = number
        return [*numbers.items(), *names.items()]

    def _namespace(self) -> str:
        return self._options.namespace or config.load(self._options, self._env).namespace

    def _named(self, path: str) -> list[tuple[str, str]]:
        items = self._get(path, ("limit", str(MOST))).get("items")
        found = [item.get("metadata", {}).get("name", "") for item in items or [] if isinstance(item, dict)]
        return [(name, "") for name in found if name]

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
