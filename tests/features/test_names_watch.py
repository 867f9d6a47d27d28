"""What a run reads of the cluster, and how often."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from fairlead.features.names.watch import DOUBT_EVERY, ServiceName, ServiceWatch
from fairlead.kit.tasks import Background
from fairlead.policy.endpoints import pod_endpoints
from tests.support.fakeapi import FakeApi, until
from tests.support.loop import run_virtual
from tests.support.objects import PODS, SERVICES, pod, service

Body = Callable[[FakeApi, ServiceWatch, list[ServiceName]], Awaitable[None]]
WEB = ServiceName("ns", "web")


def play(body: Body, *namespaces: str, forbidden: tuple[str, ...] = ()) -> None:
    async def main() -> None:
        api, changed = FakeApi(), list[ServiceName]()
        api.forbidden = {("list", plural) for plural in forbidden}
        api.put(SERVICES, service())
        api.put(PODS, pod("a"))
        watch = ServiceWatch(api, namespaces, on_change=changed.append, on_note=lambda text: None)
        await watch.read()
        async with Background() as tasks:
            watch.start(tasks)
            await until(lambda: len(api.streams) == 2 * len(namespaces))
            changed.clear()
            await body(api, watch, changed)

    run_virtual(main())


@pytest.mark.parametrize("kind", ["endpointslices", "pods"])
def test_a_doubt_concerns_one_namespace(kind: str) -> None:
    """However many connections fail, its list is taken once in a while; others are not kept waiting by that."""

    async def body(api: FakeApi, watch: ServiceWatch, changed: list[ServiceName]) -> None:
        def asked(namespace: str) -> int:
            return api.count("watch", f"/{namespace}/{kind}")

        first = asked("ns"), asked("other")
        for _ in range(3):
            watch.doubt("ns")
        await asyncio.sleep(1)
        assert (asked("ns"), asked("other")) == (first[0] + 1, first[1])
        watch.doubt("other")
        watch.doubt("ns")
        await asyncio.sleep(1)
        assert (asked("ns"), asked("other")) == (first[0] + 1, first[1] + 1)
        await asyncio.sleep(DOUBT_EVERY)
        watch.doubt("ns")
        await asyncio.sleep(1)
        assert asked("ns") == first[0] + 2

    play(body, "ns", "other", forbidden=() if kind == "endpointslices" else ("endpointslices",))


def test_pods_where_slices_may_not_be_listed() -> None:
    async def body(api: FakeApi, watch: ServiceWatch, changed: list[ServiceName]) -> None:
        def pods() -> list[str]:
            return [entry.pod.name for entry in pod_endpoints(watch.slices(WEB)) if entry.ready]

        assert pods() == ["a"]
        api.put(PODS, pod("b"))
        api.put(PODS, pod("c", labels={"app": "else"}))
        await until(lambda: pods() == ["a", "b"])
        assert changed == [WEB]
        api.put(PODS, pod("b", labels={"app": "else"}))
        await until(lambda: pods() == ["a"])
        assert changed == [WEB, WEB]
        api.put(SERVICES, service(selector={"app": "else"}))
        await until(lambda: pods() == ["b", "c"])
        api.delete(SERVICES, "web")
        await until(lambda: watch.service(WEB) is None)
        assert pods() == []

    play(body, "ns", forbidden=("endpointslices",))
