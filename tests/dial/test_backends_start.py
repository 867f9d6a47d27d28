"""Resolving a target: what is asked, what is chosen, what is waited for, and the errors."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fairlead.errors import (
    FairleadError,
    ForbiddenError,
    NoSuchPortError,
    NotFoundError,
    NotRunningError,
    UnreachableError,
    UsageError,
)
from tests.support.loop import now, run_virtual
from tests.support.objects import DEPLOYMENTS, PODS, SERVICES, pod, service
from tests.support.targets import OWNED, Target, cluster, resolved


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


def test_session_affinity_is_shown() -> None:
    api = cluster(pod("a"))
    assert resolved(api, "svc/web 80").backends.affinity is None
    api.put(SERVICES, service(sessionAffinity="ClientIP"))
    assert resolved(api, "svc/web 80").backends.affinity == 10800
    assert resolved(api, "deploy/web 80").backends.affinity is None
