"""The pods of a selector, kept current: rollouts, outages, rights that are lost, doubts."""

from __future__ import annotations

import asyncio

import pytest

from fairlead.errors import CredentialsError, UnreachableError
from fairlead.kit.tasks import Background
from tests.support.fakeapi import until
from tests.support.loop import now, run_virtual
from tests.support.objects import DEPLOYMENTS, PODS, pod, workload
from tests.support.targets import OWNED, Target, cluster


def test_a_rollout_of_a_deployment() -> None:
    async def main() -> None:
        api = cluster(pod("a", **OWNED), pod("b", **OWNED))
        async with Target(api, "deploy/web 80").running() as target:
            assert target.ready == ["a:80", "b:80"]
            api.put(PODS, pod("c", ready=False, **OWNED))
            api.put(PODS, pod("c", **OWNED))
            await until(lambda: target.ready == ["a:80", "b:80", "c:80"])
            api.put(PODS, pod("a", deleting=True, **OWNED))
            await until(lambda: target.ready == ["b:80", "c:80"])
            api.delete(PODS, "a")
            await until(lambda: len(target.told) == 3)
            assert target.told == ["+c", "~a: terminating", "-a: deleted"]
            assert target.notes == []

    run_virtual(main())


def test_if_none_is_ready_one_that_runs_is_the_fallback() -> None:
    async def main() -> None:
        api = cluster(pod("a"))
        async with Target(api, "deploy/web 80").running() as target:
            api.put(PODS, pod("a", ready=False))
            await until(lambda: target.ready == ["a:80?"])
            assert target.told == [], "it is the same pod"
            api.put(PODS, pod("b"))
            await until(lambda: target.ready == ["b:80"])
            assert target.told == ["+b", "~a: not ready"]

    run_virtual(main())


def test_a_pod_that_was_never_used_comes_and_goes_unsaid() -> None:
    async def main() -> None:
        api = cluster(pod("a"))
        async with Target(api, "deploy/web 80").running() as target:
            api.put(PODS, pod("b", phase="Pending"))
            api.delete(PODS, "b")
            api.put(PODS, pod("c"))
            await until(lambda: target.told)
            assert target.told == ["+c"]

    run_virtual(main())


def test_a_deployment_that_is_made_anew_with_other_labels() -> None:
    async def main() -> None:
        api = cluster(pod("a"))
        async with Target(api, "deploy/web 80").running() as target:
            await asyncio.sleep(100)
            assert api.count("get", "deployments") == 1, "not while its pods run"
            api.delete(DEPLOYMENTS, "web")
            api.delete(PODS, "a")
            api.put(PODS, pod("b", labels={"app": "new"}))
            await asyncio.sleep(30)
            assert target.ready == []
            anew = workload("Deployment", "web")
            anew["spec"]["selector"]["matchLabels"] = {"app": "new"}
            api.put(DEPLOYMENTS, anew)
            await until(lambda: target.ready == ["b:80"], limit=6)
            assert target.told == ["-a: deleted or relabelled", "+b"]

    run_virtual(main())


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        ("a 80", {("get", "a")}),
        ("deploy/web 80", {("get", "web"), ("list", "pods")}),
        ("svc/web 80", {("get", "web"), ("list", "pods")}),
    ],
)
def test_never_more_rights_than_kubectl(words: str, needed: set[tuple[str, str]]) -> None:
    async def main() -> None:
        api = cluster(pod("a"))
        everything = {(verb, kind) for verb in ("list", "watch") for kind in ("pods", "services", "endpointslices")}
        api.forbidden = everything - needed
        target = await Target(api, words).resolve()
        async with Background() as tasks:
            tasks.start(target.backends.run(), name="backends")
            assert target.ready == ["a:8080" if "svc" in words else "a:80"]
            await asyncio.sleep(30)
            api.put(PODS, pod("a", ready=False, phase="Pending"))
            await until(lambda: target.ready == [], limit=6)
            api.put(PODS, pod("a"))
            await until(lambda: target.ready, limit=6)
            kinds = 2 if "svc" in words else 1
            assert len(target.notes) == kinds
            assert target.notes[0].startswith("not allowed to watch ")
            assert "every 5 s" in target.notes[0]

    run_virtual(main())


def test_rights_or_credentials_that_are_lost_are_told_once() -> None:
    async def main() -> None:
        api = cluster(pod("a"))
        async with Target(api, "deploy/web 80").running() as target:
            for _ in range(2):
                api.failures += [CredentialsError("the token expired")] * 3
                api.cut()
                await asyncio.sleep(120)
                assert target.ready == ["a:80"]
            assert target.notes == ["going on with the pods in namespace ns known so far: the token expired"] * 2

    run_virtual(main())


def test_an_outage_changes_nothing() -> None:
    async def main() -> None:
        api = cluster(pod("a"), pod("b"))
        async with Target(api, "svc/web 80").running() as target:
            await asyncio.sleep(1)
            api.down = True
            api.fail_streams(UnreachableError("reset"))
            await asyncio.sleep(300)
            assert target.ready == ["a:8080", "b:8080"]
            api.delete(PODS, "a")
            api.compact()
            api.down = False
            started = now()
            target.backends.kick()
            await until(lambda: target.ready == ["b:8080"])
            assert now() - started < 0.1
            assert target.told == ["-a: deleted or relabelled"]

    run_virtual(main())


def test_a_doubt_is_cleared_up() -> None:
    async def main() -> None:
        api = cluster(pod("a"), pod("b"))
        async with Target(api, "deploy/web 80").running() as target:
            api.swallow = 1
            api.delete(PODS, "a")
            gone = target.backends.ready(target.backends.ports[0])[0].pod
            assert gone.name == "a"
            target.backends.doubt(gone)
            await until(lambda: target.ready == ["b:80"])
            lists = len(api.asked)
            target.backends.doubt(gone)
            await asyncio.sleep(1)
            assert len(api.asked) == lists, "known to be gone"
            (other,) = target.backends.ready(target.backends.ports[0])
            for _ in range(600):
                target.backends.doubt(other.pod)
                await asyncio.sleep(0.1)
            assert len(api.asked) - lists <= 13, "a list in 5 s, however many connections fail"

    run_virtual(main())


def test_the_watch_of_a_run_that_ends_is_closed() -> None:
    async def main() -> None:
        api = cluster(pod("a"))
        async with Target(api, "svc/web 80").running():
            await asyncio.sleep(1)
            assert len(api.streams) == 3
        assert api.streams == []

    run_virtual(main())
