"""Requests to the API server without kubectl, which holds back where there are many."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import NamedTuple

from fairlead.kube.client import ApiServer
from fairlead.kube.config import load
from fairlead.settings import ClusterOptions
from tests.support.world import Json, World


class Request(NamedTuple):
    method: str
    path: str
    """Below the namespace, such as ``services/web``."""
    body: Json | None = None


def at_once(world: World, requests: Sequence[Request], side_by_side: int = 50) -> None:
    """Send them all, a few at a time; returns when the last is answered."""

    async def send() -> None:
        waiting = list(reversed(requests))
        async with ApiServer(load(ClusterOptions(kubeconfig=str(world.kubeconfig)), {})) as server:

            async def work() -> None:
                while waiting:
                    method, path, body = waiting.pop()
                    data = json.dumps(body).encode() if body is not None else None
                    await server.request(method, f"/api/v1/namespaces/{world.namespace}/{path}", body=data)

            async with asyncio.TaskGroup() as group:
                for _ in range(side_by_side):
                    group.create_task(work())

    asyncio.run(send())


def create(world: World, services: Sequence[Json]) -> None:
    """Create services."""
    at_once(world, [Request("POST", "services", service) for service in services])


def delete(world: World, names: Sequence[str]) -> None:
    """Delete services."""
    at_once(world, [Request("DELETE", f"services/{name}") for name in names])
