"""EndpointSlices of a service: followed, missing, and late beside its pods."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.support.fakeapi import until
from tests.support.loop import run_virtual
from tests.support.objects import PODS, SERVICES, SLICES, endpoint, endpoint_slice, pod, service
from tests.support.targets import Target, cluster


def test_a_service_is_followed_by_its_slices() -> None:
    async def main() -> None:
        api = cluster(pod("a"), pod("b"))
        api.put(
            SLICES, endpoint_slice("web-1", [endpoint("a")], ports=[{"name": "http", "port": 9090, "protocol": "TCP"}])
        )
        async with Target(api, "svc/web 80").running() as target:
            await until(lambda: target.ready == ["a:9090"])
            api.put(SLICES, endpoint_slice("web-2", [endpoint("b")]))
            await until(lambda: target.ready == ["a:9090", "b:8080"])
            api.put(PODS, pod("b", deleting=True))
            await until(lambda: target.ready == ["a:9090"])
            api.put(SLICES, endpoint_slice("other", [endpoint("z")], service="other"))
            await asyncio.sleep(1)
            assert target.ready == ["a:9090"]

    run_virtual(main())


def test_without_the_right_to_read_slices_the_pods_do() -> None:
    async def main() -> None:
        api = cluster(pod("a"), pod("b", ready=False))
        api.forbidden.add(("list", "endpointslices"))
        async with Target(api, "svc/web 80").running() as target:
            await asyncio.sleep(60)
            assert target.ready == ["a:8080"]
            api.put(PODS, pod("b"))
            await until(lambda: target.ready == ["a:8080", "b:8080"])
            assert api.count("list", "endpointslices") == 1
            assert target.notes == []

    run_virtual(main())


def test_a_pod_that_is_gone_is_not_brought_back_by_a_slice_that_lags() -> None:
    async def main() -> None:
        api = cluster(pod("a"), pod("b"))
        api.put(SLICES, endpoint_slice("web-1", [endpoint("a"), endpoint("b")]))
        async with Target(api, "svc/web 80").running() as target:
            await until(lambda: len(api.streams) == 3)
            api.put(PODS, pod("a", deleting=True))
            await until(lambda: target.ready == ["b:8080"])
            api.delete(PODS, "a")
            api.put(SLICES, endpoint_slice("web-1", [endpoint("a"), endpoint("b")]))
            await asyncio.sleep(1)
            api.put(SLICES, endpoint_slice("web-1", [endpoint("b")]))
            await asyncio.sleep(1)
            assert target.told == ["~a: terminating", "-a: deleted"]

    run_virtual(main())


def test_a_pod_whose_end_its_slice_tells_first() -> None:
    async def main() -> None:
        api = cluster(pod("a"), pod("b"))
        api.put(SLICES, endpoint_slice("web-1", [endpoint("a"), endpoint("b")]))
        async with Target(api, "svc/web 80").running() as target:
            await until(lambda: len(api.streams) == 3)
            going: dict[str, Any] = {"ready": False, "serving": True, "terminating": True}
            for slices in ([endpoint("a", **going), endpoint("b")], [endpoint("a", **going), endpoint("b", **going)]):
                api.put(SLICES, endpoint_slice("web-1", slices))
                await asyncio.sleep(1)
            assert target.ready == ["a:8080?"], "nothing else runs: the one that kubectl would take"
            assert target.told == ["~a: terminating", "+a", "~b: terminating"]

    run_virtual(main())


def test_a_service_that_selects_nothing_any_more() -> None:
    """Its slices are the last to know."""

    async def main() -> None:
        api = cluster(pod("a"))
        api.put(SLICES, endpoint_slice("web-1", [endpoint("a")]))
        async with Target(api, "svc/web 80").running() as target:
            await until(lambda: len(api.streams) == 3)
            api.put(SERVICES, service(selector={"app": "none"}))
            await until(lambda: target.told)
            await asyncio.sleep(1)
            assert target.ready == []
            api.put(SLICES, endpoint_slice("web-1", []))
            await asyncio.sleep(1)
            assert target.told == ["~a: no longer selected by svc/web"]
            assert target.why_not == "no pod matches app=none (scaled to 0?)"
            api.put(SERVICES, service())
            await until(lambda: target.ready == ["a:8080"])
            assert target.told[1:] == ["+a"]

    run_virtual(main())


def test_a_pod_that_is_no_endpoint_any_more_lives() -> None:
    async def main() -> None:
        api = cluster(pod("a"), pod("b"))
        api.put(SLICES, endpoint_slice("web-1", [endpoint("a"), endpoint("b")]))
        async with Target(api, "svc/web 80").running() as target:
            await until(lambda: len(api.streams) == 3)
            api.put(SLICES, endpoint_slice("web-1", [endpoint("b")]))
            await until(lambda: target.told)
            assert target.told == ["~a: not among the endpoints"]
            api.put(PODS, pod("a", labels={"app": "debugging"}))
            await asyncio.sleep(1)
            assert target.told[1:] == ["-a: deleted or relabelled"]

    run_virtual(main())
