"""What a run reads of the cluster, and how often."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fairlead.errors import ForbiddenError
from fairlead.features.names.watch import DOUBT_EVERY, ServiceName, ServiceWatch
from fairlead.kit.tasks import Background
from fairlead.model.target import PodRef
from fairlead.policy.endpoints import pod_endpoints
from tests.support.fakeapi import FakeApi, until
from tests.support.loop import run_virtual
from tests.support.nolanes import NoLanes
from tests.support.objects import PODS, SERVICES, SLICES, endpoint, endpoint_slice, pod, service

Body = Callable[[FakeApi, ServiceWatch, list[ServiceName]], Awaitable[None]]
WEB = ServiceName("ns", "web")
EVERY_POD, EVERY_SERVICE, EVERY_SLICE = (path.replace("/namespaces/ns", "") for path in (PODS, SERVICES, SLICES))


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


# -- addresses of pods --


def placed(name: str, address: str, **options: Any) -> dict[str, Any]:
    """A pod with this address."""
    value = pod(name, **options)
    value["status"]["podIP"] = address
    return value


def endpoint_at(name: str, address: str, **options: Any) -> dict[str, Any]:
    return {**endpoint(name, **options), "addresses": [address]}


def play_pods(
    body: Callable[[FakeApi, ServiceWatch], Awaitable[None]], *namespaces: str, forbidden: tuple[str, ...] = ()
) -> list[str]:
    """A cluster with two pods, of which only one stands behind a service; what is noted."""
    return play_moves(lambda api, watch, lanes: body(api, watch), *namespaces, forbidden=forbidden)


def play_moves(
    body: Callable[[FakeApi, ServiceWatch, NoLanes], Awaitable[None]],
    *namespaces: str,
    forbidden: tuple[str, ...] = (),
) -> list[str]:
    """The same, with what is told of pods that left and came."""
    notes: list[str] = []

    async def main() -> None:
        api = FakeApi()
        api.forbidden = {("list", plural) for plural in forbidden}
        for each in (placed("a", "10.1.0.1"), placed("lone", "10.1.0.9", labels={})):
            api.put(PODS if namespaces else EVERY_POD, each)
        api.put(SERVICES if namespaces else EVERY_SERVICE, service())
        piece = endpoint_slice("web-1", [endpoint_at("a", "10.1.0.1")])
        api.put(SLICES if namespaces else EVERY_SLICE, piece)
        lanes = NoLanes()
        watch = ServiceWatch(api, namespaces, on_pods=lanes.moved, on_change=lambda name: None, on_note=notes.append)
        await watch.read()
        async with Background() as tasks:
            watch.start(tasks)
            lists = (3 - len(forbidden)) * max(1, len(namespaces))
            await until(lambda: len(api.streams) == lists)
            await body(api, watch, lanes)

    run_virtual(main())
    return notes


def test_no_pods_are_read_for_whoever_does_not_ask() -> None:
    async def body(api: FakeApi, watch: ServiceWatch, changed: list[ServiceName]) -> None:
        assert api.count("list", "/pods") == 0
        assert list(watch.pods()) == []
        assert watch.pod_at("10.1.0.1") is None

    play(body, "ns")


@pytest.mark.parametrize("namespaces", [("ns",), ("ns", "other"), ()])
@pytest.mark.parametrize("forbidden", [(), ("endpointslices",)])
def test_pods_by_their_addresses(namespaces: tuple[str, ...], forbidden: tuple[str, ...]) -> None:
    pods = PODS if namespaces else EVERY_POD

    async def body(api: FakeApi, watch: ServiceWatch) -> None:
        assert dict(watch.pods()) == {
            "10.1.0.1": PodRef("ns", "a", "uid-a"),
            "10.1.0.9": PodRef("ns", "lone", "uid-lone"),
        }
        api.put(pods, placed("b", "10.1.0.2"))
        await until(lambda: watch.pod_at("10.1.0.2"))
        api.put(pods, placed("a", "10.1.0.1", deleting=True))
        api.put(pods, placed("next", "10.1.0.1"))
        await until(lambda: watch.pod_at("10.1.0.1") == PodRef("ns", "next", "uid-next"))
        api.put(pods, placed("b", "10.1.0.2", phase="Succeeded"))
        await until(lambda: watch.pod_at("10.1.0.2") is None)
        api.delete(pods, "lone" if namespaces else "ns/lone")
        await until(lambda: watch.pod_at("10.1.0.9") is None)
        assert list(watch.pods()) == [("10.1.0.1", PodRef("ns", "next", "uid-next"))]

    assert play_pods(body, *namespaces, forbidden=forbidden) == []


@pytest.mark.parametrize(
    ("namespaces", "where"),
    [(("ns",), "namespace ns"), (("ns", "other"), "namespaces ns and other"), ((), "all namespaces")],
)
def test_who_may_not_list_pods_knows_those_behind_services(namespaces: tuple[str, ...], where: str) -> None:
    slices = SLICES if namespaces else EVERY_SLICE

    async def body(api: FakeApi, watch: ServiceWatch) -> None:
        assert list(watch.pods()) == [("10.1.0.1", PodRef("ns", "a", "uid-a"))]
        api.put(slices, endpoint_slice("web-2", [endpoint_at("a", "10.1.0.1"), endpoint_at("b", "10.1.0.2")]))
        await until(lambda: watch.pod_at("10.1.0.2"))
        api.delete(slices, "web-1" if namespaces else "ns/web-1")
        await asyncio.sleep(1)
        assert watch.pod_at("10.1.0.1") == PodRef("ns", "a", "uid-a")
        api.put(slices, endpoint_slice("web-2", []))
        await until(lambda: not list(watch.pods()))

    [note] = play_pods(body, *namespaces, forbidden=("pods",))
    assert note == f"not allowed to list pods in {where}: addresses of pods behind no service are not known"


@pytest.mark.parametrize("known_by", ["pods", "endpointslices"])
def test_lanes_are_told_of_pods_that_left_and_came(known_by: str) -> None:
    """Also of those that stand behind no service, where pods may be listed."""
    a, again = PodRef("ns", "a", "uid-a"), PodRef("ns", "a", "2")

    async def body(api: FakeApi, watch: ServiceWatch, lanes: NoLanes) -> None:
        lanes.met.clear()
        if known_by == "pods":
            api.delete(PODS, "lone")
            api.put(PODS, placed("a", "10.1.0.1", deleting=True))
            api.put(PODS, placed("a", "10.1.0.5", uid="2"))
        else:
            api.put(SLICES, endpoint_slice("web-1", [{**endpoint_at("a", "10.1.0.1"), "conditions": {"ready": False}}]))
            api.put(SLICES, endpoint_slice("web-1", [endpoint_at("a", "10.1.0.5", uid="2")]))
        await until(lambda: watch.pod_at("10.1.0.5"))
        lone = [PodRef("ns", "lone", "uid-lone")] if known_by == "pods" else []
        assert (lanes.forgotten, lanes.met) == ([*lone, a], [again])

    play_moves(body, "ns", forbidden=() if known_by == "pods" else ("pods",))


def test_who_may_list_neither_is_told_of_slices() -> None:
    async def body(api: FakeApi, watch: ServiceWatch) -> None: ...

    with pytest.raises(ForbiddenError, match="may not list endpointslices"):
        play_pods(body, "ns", forbidden=("endpointslices", "pods"))


def test_addresses_are_read_while_the_rest_is() -> None:
    """Three lists, and the start waits as long as for one."""

    async def body(api: FakeApi, watch: ServiceWatch) -> None:
        assert [each.at for each in api.asked if each.verb == "list"] == [0.0, 0.0, 0.0]

    play_pods(body, "ns")
