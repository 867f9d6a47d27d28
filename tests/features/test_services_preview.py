"""What a run would serve, and how it stands: order, counts, and nothing changed by looking."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from fairlead.dial.cluster import Cluster
from fairlead.features.names.context import NamedContext
from fairlead.features.services.hosts import HostsFile
from fairlead.features.services.run import ServicesRun
from fairlead.host.addresses import AddressBook
from fairlead.kit.tasks import Background
from fairlead.model.service_events import Forwarding, HostsLine, NotServed, ServiceEvent, ServiceState
from fairlead.model.summary import Summary
from fairlead.policy.hostnames import Scope
from fairlead.settings import ServicesSettings
from tests.support.fakeapi import FakeApi, Object
from tests.support.nolanes import NoLanes
from tests.support.objects import SERVICES, SLICES, endpoint, endpoint_slice, service


class Api(FakeApi):
    """Allows everything, and is its own connector."""

    on_unreachable: Any = None

    async def request(self, method: str, path: str, *, body: bytes | None = None) -> Object:
        return {"status": {"allowed": True}}


def put(api: Api, namespace: str, name: str, *pods: str, **spec: Any) -> None:
    """A service with these ready pods."""
    for collection, item in (
        (SERVICES, service(name, **spec)),
        (SLICES, endpoint_slice(f"{name}-a", [endpoint(pod, ready=True) for pod in pods], service=name)),
    ):
        item["metadata"]["namespace"] = namespace
        api.put(collection.replace("/ns/", f"/{namespace}/"), item)


def start(folder: Path, apis: dict[str, Api], tasks: Background, told: list[ServiceEvent]) -> ServicesRun:
    settings = ServicesSettings(namespaces=("shop", "pay"), dry_run=True)
    hosts = HostsFile(None, told.append, "hosts")
    book = AddressBook({"HOME": str(folder)}, lambda text: None, look_only=True)
    run = ServicesRun(settings, hosts, book, tasks, told.append)
    for name, api in apis.items():
        reach = SimpleNamespace(up=not api.down, suspect=lambda reason: None)
        cluster = cast("Cluster", SimpleNamespace(server=api, reach=reach, lanes=NoLanes()))
        scope = Scope(bare="shop", label=name, main=name == "prod")
        run.contexts.append(NamedContext(name, scope, cluster, settings.namespaces, run))
    return run


def test_many_services_are_told_in_an_order_in_which_they_are_found(tmp_path: Path) -> None:
    apis = {"prod": Api(), "dev": Api()}
    for name in ("c", "a", "b"):
        for namespace in ("shop", "pay"):
            put(apis["prod"], namespace, name, f"{name}-1")
    put(apis["dev"], "pay", "a", "a-1", clusterIP="None")
    put(apis["dev"], "shop", "d")
    put(apis["prod"], "shop", "ext", type="ExternalName", externalName="x.y")
    told: list[ServiceEvent] = []

    async def main() -> None:
        async with Background() as tasks:
            run = start(tmp_path, apis, tasks, told)
            await run.read()
            await run.preview()
            assert run.summary() == Summary(relay=1), "nothing listens"

    asyncio.run(main())
    assert [event.target for event in told if isinstance(event, Forwarding)] == [
        *("a.pay", "b.pay", "c.pay", "a", "b", "c"),
        *("a.pay.dev", "a-1.a.pay.dev"),
    ]
    assert [event.target for event in told if isinstance(event, ServiceState)] == ["d.dev"]
    assert [event.service for event in told if isinstance(event, NotServed)] == ["ext"]
    lines = [event for event in told if isinstance(event, HostsLine)]
    assert len({line.address for line in lines}) == len(lines) == 9
    assert lines[3].names[:4] == ("a", "a.shop.svc.cluster.local", "a.shop", "a.shop.svc")
    assert os.listdir(tmp_path) == []


def test_a_summary_says_that_a_server_is_away(tmp_path: Path) -> None:
    async def main() -> None:
        async with Background() as tasks:
            api = Api()
            api.down = True
            run = start(tmp_path, {"prod": api}, tasks, [])
            assert run.summary() == Summary(lost=True)

    asyncio.run(main())
