from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fairlead.dial.backends import Backends, Rules
from fairlead.errors import (
    CredentialsError,
    FairleadError,
    ForbiddenError,
    LostError,
    NoSuchPortError,
    NotFoundError,
    NotRunningError,
    UnreachableError,
    UsageError,
)
from fairlead.kit.tasks import Background
from fairlead.model.target import Backend
from fairlead.policy.candidates import Moved
from fairlead.policy.portspec import parse_targets
from tests.support.fakeapi import FakeApi, until
from tests.support.loop import now, run_virtual
from tests.support.objects import (
    DEPLOYMENTS,
    PODS,
    REPLICASETS,
    SERVICES,
    SLICES,
    endpoint,
    endpoint_slice,
    pod,
    service,
    workload,
)

STATEFULSETS = "/apis/apps/v1/namespaces/ns/statefulsets"
JOBS = "/apis/batch/v1/namespaces/ns/jobs"
OWNED: dict[str, Any] = {"owner": ("ReplicaSet", "web-1")}


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


# The start.


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("a 80", [("get", f"{PODS}/a")]),
        ("deploy/web 80", [("get", f"{DEPLOYMENTS}/web"), ("list", PODS)]),
        ("svc/web 80", [("get", f"{SERVICES}/web"), ("list", PODS)]),
    ],
)
def test_the_start_asks_what_kubectl_asks_and_no_more(words: str, asked: list[tuple[str, str]]) -> None:
    api = cluster(pod("a"))
    target = resolved(api, words)
    assert [(each.verb, each.path) for each in api.asked] == asked
    assert target.backends.chosen.name == "a"
    if len(asked) > 1:
        assert api.asked[1].query["labelSelector"] == "app=web"


def test_ports_and_the_chosen_pod() -> None:
    target = resolved(cluster(pod("a", ready=False), pod("b")), "svc/web 8000:http :80")
    assert target.backends.chosen.name == "b"
    assert [(port.local, port.remote) for port in target.backends.ports] == [
        (8000, 8080),
        (target.backends.ports[1].local, 8080),
    ]
    assert target.ready == ["b:8080"]


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ("nope 80", NotFoundError, 'pods "nope" not found'),
        ("svc/nope 80", NotFoundError, 'services "nope" not found'),
        ("deploy/nope 80", NotFoundError, 'deployments "nope" not found'),
        ("foo/x 80", NotFoundError, 'the server doesn\'t have a resource type "foo"'),
        ("cm/conf 80", UsageError, "cannot attach to *v1.ConfigMap: selector for *v1.ConfigMap not implemented"),
        ("cm/nope 80", NotFoundError, 'configmaps "nope" not found'),
        ("a nope", NoSuchPortError, "Pod 'a' does not have a named port 'nope'"),
        ("svc/web 99", NoSuchPortError, "Service web does not have a service port 99"),
        (
            "svc/ext 80",
            UsageError,
            "cannot attach to *v1.Service: invalid service 'ext': Service is defined without a selector",
        ),
        ("deploy/all 80", UsageError, "Deployment all has no selector"),
    ],
)
def test_errors_at_the_start(words: str, error: type[FairleadError], message: str) -> None:
    api = cluster(pod("a"))
    configmap = {"name": "configmaps", "kind": "ConfigMap", "shortNames": ["cm"], "namespaced": True}
    api.documents["/api/v1"] = {"resources": [configmap]}
    api.documents["/apis"] = {"groups": []}
    api.put("/api/v1/namespaces/ns/configmaps", {"metadata": {"name": "conf"}})
    api.put(SERVICES, {"metadata": {"name": "ext"}, "spec": {"type": "ExternalName", "externalName": "db.example.org"}})
    api.put(DEPLOYMENTS, {"metadata": {"name": "all"}, "spec": {"selector": {}}})
    with pytest.raises(error) as caught:
        resolved(api, words)
    assert caught.value.what == message


def test_an_unreachable_server_at_the_start() -> None:
    api = cluster()
    api.down = True
    with pytest.raises(UnreachableError):
        resolved(api, "a 80")


def test_forbidden_at_the_start_names_the_verb() -> None:
    api = cluster(pod("a"))
    api.forbidden.add(("list", "pods"))
    with pytest.raises(ForbiddenError, match="may not list pods"):
        resolved(api, "svc/web 80")


def test_the_start_waits_for_a_pod() -> None:
    async def main() -> None:
        api = cluster()
        target = Target(api, "deploy/web 80")
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(target.resolve())
            await asyncio.sleep(20)
            api.put(PODS, pod("a", phase="Pending"))
            await asyncio.sleep(20)
            assert not task.done()
            api.put(PODS, pod("a"))
        assert now() == pytest.approx(40, abs=0.1)
        assert target.ready == ["a:80"]

    run_virtual(main())


def test_a_wrong_port_is_said_before_the_pod_runs() -> None:
    with pytest.raises(NoSuchPortError):
        resolved(cluster(pod("a", phase="Pending")), "deploy/web nope")


@pytest.mark.parametrize(
    ("pods", "words", "message", "seconds"),
    [
        ([], "deploy/web 80", "timed out waiting for the condition", 60),
        ([pod("a", phase="Pending")], "deploy/web 80", "pod is not running. Current status=Pending", 60),
        ([pod("a", phase="Pending")], "a 80", "pod is not running. Current status=Pending", 60),
        # what has ended does not run again: no use to wait
        ([pod("a", phase="Failed")], "deploy/web 80", "pod is not running. Current status=Failed", 0),
        ([pod("a", phase="Succeeded")], "a 80", "pod is not running. Current status=Succeeded", 0),
        ([pod("a", phase="Succeeded", **OWNED)], "a 80", "pod is not running. Current status=Succeeded", 0),
        ([pod("a", phase="Failed", owner=("StatefulSet", "db"))], "a 80", "Current status=Failed", 60),
    ],
)
def test_nothing_runs_in_time(pods: list[dict[str, Any]], words: str, message: str, seconds: float) -> None:
    async def main() -> None:
        with pytest.raises(NotRunningError) as caught:
            await Target(cluster(*pods), words).resolve()
        assert caught.value.what.endswith(message)
        assert now() == pytest.approx(seconds, abs=0.1)

    run_virtual(main())


def test_the_timeout_is_what_was_asked_for() -> None:
    async def main() -> None:
        with pytest.raises(NotRunningError):
            await Target(cluster(), "deploy/web 80", pod_running_timeout=3).resolve()
        assert now() == pytest.approx(3, abs=0.1)

    run_virtual(main())


# Kept current.


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
            assert target.why_not == "no pod matches app=none"
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


def test_session_affinity_is_shown() -> None:
    api = cluster(pod("a"))
    assert resolved(api, "svc/web 80").backends.affinity is None
    api.put(SERVICES, service(sessionAffinity="ClientIP"))
    assert resolved(api, "svc/web 80").backends.affinity == 10800
    assert resolved(api, "deploy/web 80").backends.affinity is None


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


def test_rights_or_credentials_that_are_lost_are_told_once() -> None:
    async def main() -> None:
        api = cluster(pod("a"))
        async with Target(api, "deploy/web 80").running() as target:
            for _ in range(2):
                api.failures += [CredentialsError("the token expired")] * 3
                api.cut()
                await asyncio.sleep(120)
                assert target.ready == ["a:80"]
            assert target.notes == ["going on with the pods known so far: the token expired"] * 2

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


# pod/NAME.


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


# Ending like kubectl.


@pytest.mark.parametrize("words", ["a 80", "deploy/web 80", "svc/web 80"])
def test_exit_on_loss_keeps_to_one_pod_and_ends_with_it(words: str) -> None:
    async def main() -> None:
        api = cluster(pod("a"), pod("b"))
        with pytest.raises(LostError) as caught:
            async with Target(api, words, exit_on_loss=True).running() as target:
                assert [each.split(":")[0] for each in target.ready] == ["a"]
                api.put(PODS, pod("a", ready=False, deleting=True))
                await asyncio.sleep(5)
                assert len(target.ready) == 1
                api.delete(PODS, "a")
                await asyncio.sleep(60)
        assert caught.value.what == "lost connection to pod"
        assert now() < 7

    run_virtual(main())


def test_exit_on_loss_does_not_care_for_other_pods() -> None:
    async def main() -> None:
        api = cluster(pod("a"), pod("b"))
        async with Target(api, "deploy/web 80", exit_on_loss=True).running() as target:
            api.delete(PODS, "b")
            await asyncio.sleep(60)
            assert target.ready == ["a:80"]

    run_virtual(main())


def test_the_watch_of_a_run_that_ends_is_closed() -> None:
    async def main() -> None:
        api = cluster(pod("a"))
        async with Target(api, "svc/web 80").running():
            await asyncio.sleep(1)
            assert len(api.streams) == 3
        assert api.streams == []

    run_virtual(main())
