"""What the names of clusters in memory mean inside: ``Names`` with contexts, without a network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

from fairlead.dial.cluster import Cluster
from fairlead.features.names.context import NamedContext
from fairlead.features.run.names import Names
from fairlead.kit.tasks import Background
from fairlead.model.dns import Srv, Type
from fairlead.model.service_events import ServiceEvent
from fairlead.policy.hostnames import Scope
from fairlead.policy.mapping import parse_own, parse_patterns
from fairlead.settings import RunSettings
from tests.support.fakeapi import Object
from tests.support.namedrun import Api
from tests.support.nolanes import NoLanes
from tests.support.objects import PODS, SERVICES, SLICES, endpoint, endpoint_slice, pod, service

MAIN = Scope(bare="ns")
SECOND = Scope(bare="ns", label="two", main=False)


class Cloud(Api):
    """A cluster whose objects are made with a word each."""

    def service(self, name: str = "web", ip: str = "10.0.0.1", **spec: Any) -> None:
        self.put(SERVICES, service(name, clusterIP=ip, **spec))

    def slice(self, name: str, pods: dict[str, str], *, service: str = "", **more: Any) -> None:
        """``pods`` are names and addresses."""
        entries = [endpoint(each) | {"addresses": [ip], "hostname": each} for each, ip in pods.items()]
        self.put(SLICES, endpoint_slice(name, entries, service=service or name, **more))

    def pod(self, name: str, ip: str, **more: Any) -> None:
        self.put(PODS, with_address(pod(name, **more), ip))


def with_address(item: Object, ip: str) -> Object:
    item["status"] |= {"podIP": ip, "podIPs": [{"ip": ip}]}
    return item


@dataclass
class Inside:
    """``settle`` lets events arrive and takes them over."""

    apis: list[Cloud]
    names: Names
    contexts: list[NamedContext]
    told: list[ServiceEvent]
    tasks: Background

    @property
    def api(self) -> Cloud:
        return self.apis[0]

    async def settle(self, seconds: float = 5.0) -> bool:
        """Whether names or addresses are others then."""
        await asyncio.sleep(seconds)
        return self.names.update()

    def hosts(self) -> dict[str, list[str]]:
        """Addresses by name."""
        found: dict[str, list[str]] = {}
        for address, names in self.names.hosts():
            for name in names:
                found.setdefault(name, []).append(address)
        return found

    def resolved(self, name: str, kind: Type = Type.A) -> list[str] | None:
        """What our DNS says: addresses, aliases or targets; None where it is not ours to say."""
        answer = self.names.zone.answer(name, kind)
        return None if answer is None else [_text(record.data) for record in answer.records]


def _text(data: object) -> str:
    if isinstance(data, bytes):
        return ".".join(map(str, data)) if len(data) == 4 else data.hex()
    return f"{data.target}:{data.port}" if isinstance(data, Srv) else str(data)


@asynccontextmanager
async def inside(
    *clouds: Cloud, scopes: Sequence[Scope] = (MAIN, SECOND), local: Sequence[str] = (), only: Sequence[str] = ()
) -> AsyncIterator[Inside]:
    """A run of namespace ``ns`` of each cluster, read and followed."""
    apis, told = list(clouds) or [Cloud()], list[ServiceEvent]()
    settings = RunSettings(namespaces=("ns",), local=parse_own(local), only=parse_patterns("--only", only))
    contexts: list[NamedContext] = []
    names = Names(settings, contexts, told.append)
    async with Background() as tasks:
        run = SimpleNamespace(
            settings=settings, buffer=None, tasks=tasks, own=None, report=told.append, changed=names.changed
        )
        for number, api in enumerate(apis):
            reach = SimpleNamespace(up=True, suspect=lambda reason: None)
            cluster = cast("Cluster", SimpleNamespace(server=api, reach=reach, lanes=NoLanes()))
            contexts.append(
                NamedContext(f"c{number + 1}", scopes[number], cluster, ("ns",), cast("Any", run), pods=True)
            )
        for context in contexts:
            scope = context.scope
            names.zone.serve(scope.domain if scope.main else f"{scope.domain}.{scope.label}")
            await context.read()
        for context in contexts:
            context.watch.start(tasks)
        names.update()
        yield Inside(apis, names, contexts, told, tasks)
        names.cut()
