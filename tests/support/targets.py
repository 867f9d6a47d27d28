"""A target on a FakeApi: resolved, kept current, and everything that it told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fairlead.dial.backends import Backends, Rules
from fairlead.kit.tasks import Background
from fairlead.model.target import Backend
from fairlead.policy.candidates import Moved
from fairlead.policy.portspec import parse_targets
from tests.support.fakeapi import FakeApi, until
from tests.support.loop import run_virtual
from tests.support.objects import DEPLOYMENTS, PODS, REPLICASETS, SERVICES, service, workload

OWNED: dict[str, Any] = {"owner": ("ReplicaSet", "web-1")}
"""For ``pod``: one of the Deployment that ``cluster`` has."""


class Target:
    """One resolved target, and everything it told."""

    def __init__(self, api: FakeApi, words: str, **rules: Any) -> None:
        self.api = api
        self.told: list[str] = []
        self.changes = 0
        self.notes: list[str] = []
        self.rules = Rules(**rules)
        (self.spec,) = parse_targets(words.split())
        self.backends: Backends

    async def resolve(self) -> Target:
        self.backends = await Backends.resolve(
            self.api, self.spec, "ns", self.rules, on_moved=self._moved, on_note=self.notes.append
        )
        return self

    def _moved(self, moved: Moved) -> None:
        self.changes += 1
        self.told += [f"+{ref.name}" for ref in moved.new]
        self.told += [f"~{ref.name}: {reason}" for ref, reason in moved.left]
        self.told += [f"-{ref.name}: {reason}" for ref, reason in moved.gone]

    @property
    def ready(self) -> list[str]:
        return shown(self.backends.ready(self.backends.ports[0]))

    @property
    def why_not(self) -> str:
        return self.backends.why_not(self.backends.ports[0])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Target]:
        await self.resolve()
        async with Background() as tasks:
            tasks.start(self.backends.run(), name="backends")
            await until(lambda: self.api.streams)
            yield self


def shown(backends: tuple[Backend, ...]) -> list[str]:
    return [f"{each.pod.name}:{each.port}" + ("?" if each.fallback else "") for each in backends]


def cluster(*pods: dict[str, Any]) -> FakeApi:
    """A Deployment, its ReplicaSet and a Service, all called web, and pods."""
    api = FakeApi()
    api.put(DEPLOYMENTS, workload("Deployment", "web"))
    api.put(REPLICASETS, workload("ReplicaSet", "web-1", owner=("Deployment", "web")))
    api.put(SERVICES, service())
    for each in pods:
        api.put(PODS, each)
    return api


def resolved(api: FakeApi, words: str, **rules: Any) -> Target:
    return run_virtual(Target(api, words, **rules).resolve())
