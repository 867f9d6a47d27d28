"""A service that changes or goes: its selector, its target port, itself."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.fakeapi import until
from tests.support.loop import run_virtual
from tests.support.objects import PODS, SERVICES, pod, service
from tests.support.targets import Target, cluster


def test_a_service_that_selects_other_pods() -> None:
    async def main() -> None:
        api = cluster(pod("a"), pod("b", labels={"app": "new"}))
        async with Target(api, "svc/web 80").running() as target:
            assert target.ready == ["a:8080"]
            api.put(SERVICES, service(selector={"app": "new"}))
            await until(lambda: target.ready == ["b:8080"])
            assert target.told == ["+b", "~a: no longer selected by svc/web"]
            api.put(PODS, pod("c", labels={"app": "new"}))
            await until(lambda: target.ready == ["b:8080", "c:8080"])

    run_virtual(main())


def test_a_service_whose_target_port_moves() -> None:
    async def main() -> None:
        api = cluster(pod("a"))
        api.forbidden.add(("list", "endpointslices"))
        async with Target(api, "svc/web 80").running() as target:
            port = {"name": "http", "port": 80, "targetPort": 7777, "protocol": "TCP"}
            api.put(SERVICES, service(ports=(port,)))
            await until(lambda: target.ready == ["a:7777"])
            api.delete(SERVICES, "web")
            await until(lambda: target.ready == [])

    run_virtual(main())


@pytest.mark.parametrize("same", [True, False])
def test_a_service_that_is_deleted_and_made_again(same: bool) -> None:
    async def main() -> None:
        api = cluster(pod("a"), pod("b", labels={"app": "new"}))
        async with Target(api, "svc/web 80").running() as target:
            api.delete(SERVICES, "web")
            await until(lambda: target.changes)
            assert target.ready == []
            assert target.told == [], "its pods run on"
            assert target.why_not == "service web was deleted"
            await asyncio.sleep(300)
            assert target.changes == 1
            api.put(SERVICES, service() if same else service(selector={"app": "new"}))
            await until(lambda: target.ready == ["a:8080" if same else "b:8080"])
            assert target.told == ["+a" if same else "+b"]

    run_virtual(main())


def test_a_service_that_loses_its_selector() -> None:
    async def main() -> None:
        api = cluster(pod("a"))
        async with Target(api, "svc/web 80").running() as target:
            bare = service()
            del bare["spec"]["selector"]
            api.put(SERVICES, bare)
            await until(lambda: not target.ready)
            assert target.why_not == "service web has no selector any more"

    run_virtual(main())
