"""``pod/NAME``: whether that name comes back, which owner to forward to instead, and --follow."""

from __future__ import annotations

import asyncio

import pytest

from fairlead.errors import LostError, UnreachableError
from fairlead.kit.tasks import Background
from tests.support.fakeapi import until
from tests.support.loop import run_virtual
from tests.support.objects import DEPLOYMENTS, PODS, REPLICASETS, pod
from tests.support.targets import OWNED, Target, cluster


def test_a_stateful_pod_comes_back_under_its_name() -> None:
    async def main() -> None:
        owner = ("StatefulSet", "db")
        api = cluster(pod("db-0", uid="1", owner=owner))
        async with Target(api, "db-0 80").running() as target:
            api.delete(PODS, "db-0")
            await until(lambda: not target.ready)
            assert target.why_not == "pod db-0 was deleted; sts/db makes it again"
            api.put(PODS, pod("db-0", uid="2", phase="Pending", owner=owner))
            api.put(PODS, pod("db-0", uid="2", ready=False, owner=owner))
            await until(lambda: target.ready == ["db-0:80"])
            assert target.told == ["-db-0: deleted", "+db-0"]
            (backend,) = target.backends.ready(target.backends.ports[0])
            assert backend.pod.uid == "2"

    run_virtual(main())


def test_a_pod_that_is_replaced_between_two_looks() -> None:
    async def main() -> None:
        api = cluster(pod("db-0", uid="1", owner=("StatefulSet", "db")))
        async with Target(api, "db-0 80").running() as target:
            api.hang()
            api.delete(PODS, "db-0")
            api.put(PODS, pod("db-0", uid="2", owner=("StatefulSet", "db")))
            api.compact()
            target.backends.kick()
            await until(lambda: target.told)
            assert target.told == ["+db-0", "-db-0: deleted"]
            assert target.notes == []

    run_virtual(main())


def test_a_bare_pod_is_waited_for() -> None:
    async def main() -> None:
        api = cluster(pod("a"))
        async with Target(api, "a 80").running() as target:
            api.delete(PODS, "a")
            await until(lambda: not target.ready)
            assert target.why_not == "pod a was deleted; it has no owner that makes it again"
            await asyncio.sleep(600)
            api.put(PODS, pod("a", uid="2"))
            await until(lambda: target.ready == ["a:80"])

    run_virtual(main())


@pytest.mark.parametrize("end", ["deleted", "Failed"])
def test_a_name_that_never_comes_back_is_lost(end: str) -> None:
    async def main() -> None:
        api = cluster(pod("web-1-x", **OWNED))
        with pytest.raises(LostError) as caught:
            async with Target(api, "web-1-x 80").running() as target:
                waiter = asyncio.get_running_loop().create_future()
                if end == "deleted":
                    api.delete(PODS, "web-1-x")
                else:
                    api.put(PODS, pod("web-1-x", phase="Failed", **OWNED))
                await until(lambda: not target.ready)
                assert target.backends.leaving
                await waiter
        assert caught.value.what == "pod web-1-x is gone, and its ReplicaSet never makes that name again"
        assert caught.value.remedy == "forward to deploy/web, which lasts, or add --follow"
        assert caught.value.exit_code == 1

    run_virtual(main())


@pytest.mark.parametrize(
    ("owner", "api_version", "remedy"),
    [
        (("ReplicaSet", "gone"), "apps/v1", "forward to rs/gone, which lasts, or add --follow"),
        (("DaemonSet", "agent"), "apps/v1", "forward to ds/agent, which lasts, or add --follow"),
        (("Job", "once"), "batch/v1", "forward to job/once, which lasts, or add --follow"),
        (("ReplicaSet", "odd"), "example.org/v1", ""),
    ],
)
def test_the_owner_to_forward_to(owner: tuple[str, str], api_version: str, remedy: str) -> None:
    async def main() -> None:
        api = cluster(pod("p", owner=owner, api_version=api_version))
        with pytest.raises(LostError) as caught:
            async with Target(api, "p 80").running():
                api.delete(PODS, "p")
                await asyncio.sleep(60)
        assert caught.value.remedy == remedy

    run_virtual(main())


def test_the_owner_is_known_before_it_goes_with_its_pod() -> None:
    async def main() -> None:
        api = cluster(pod("p", **OWNED))
        with pytest.raises(LostError) as caught:
            async with Target(api, "p 80").running():
                await asyncio.sleep(1)
                api.delete(REPLICASETS, "web-1")
                api.delete(PODS, "p")
                await asyncio.sleep(60)
        assert "deploy/web" in caught.value.remedy

    run_virtual(main())


def test_an_owner_that_could_not_be_asked_for_at_first() -> None:
    async def main() -> None:
        api = cluster(pod("p", **OWNED))
        target = await Target(api, "p 80").resolve()
        api.failures += [UnreachableError("no")] * 2
        with pytest.raises(LostError) as caught:
            async with Background() as tasks:
                tasks.start(target.backends.run(), name="backends")
                await until(lambda: api.streams)
                api.delete(PODS, "p")
                await asyncio.sleep(60)
        assert "deploy/web" in caught.value.remedy

    run_virtual(main())


def test_follow_goes_on_with_the_owner() -> None:
    async def main() -> None:
        api = cluster(pod("p", **OWNED), pod("q", ports=(("http", 9090),), **OWNED))
        async with Target(api, "p http", follow=True).running() as target:
            assert target.ready == ["p:8080"]
            api.delete(PODS, "p")
            await until(lambda: target.ready == ["q:9090"])
            assert target.told == ["-p: deleted", "+q"]
            assert target.notes == ["pod p is gone: following deploy/web"]
            assert not target.backends.leaving
            api.put(PODS, pod("r", **OWNED))
            await until(lambda: target.ready == ["q:9090", "r:8080"])
            api.delete(PODS, "q")
            await until(lambda: target.ready == ["r:8080"])

    run_virtual(main())


def test_follow_waits_for_the_server_and_for_a_pod() -> None:
    async def main() -> None:
        api = cluster(pod("p", **OWNED))
        async with Target(api, "p 80", follow=True).running() as target:
            await asyncio.sleep(1)
            api.failures += [UnreachableError("no")] * 3
            api.delete(PODS, "p")
            await asyncio.sleep(30)
            assert target.ready == []
            api.put(PODS, pod("q", **OWNED))
            await until(lambda: target.ready == ["q:80"])

    run_virtual(main())


def test_follow_with_nobody_to_follow() -> None:
    async def main() -> None:
        api = cluster(pod("p", **OWNED))
        api.delete(DEPLOYMENTS, "web")
        with pytest.raises(LostError, match='deployments "web" not found'):
            async with Target(api, "p 80", follow=True).running():
                api.delete(PODS, "p")
                await asyncio.sleep(60)

    run_virtual(main())
