"""What is said when something changes: the true reason, in as few lines as it takes."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.real.conftest import Start
from tests.support import podapp, podclient
from tests.support.world import World, port, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]
HTTP = podapp.BASE + podapp.HTTP
KINDS = ("service", "statefulset", "deployment", "pod")


@pytest.fixture
def name(world: World, request: pytest.FixtureRequest) -> Iterator[str]:
    """A name for one test's objects; what has that name is removed at the end."""
    made = request.node.name.replace("_", "-").translate({91: "-", 93: None})[:40].rstrip("-")
    yield made
    for kind in KINDS:
        world.kubectl("delete", kind, made, "--ignore-not-found", "--wait=false", "--grace-period=0")


def test_a_service_is_deleted_and_made_again(world: World, forward: Start, name: str) -> None:
    service = world.service(name, [port(80, "http")])
    world.start(world.workload("Deployment", name), service)
    with forward(f"svc/{name}", ":80") as running:
        pod = podclient.run(podclient.pod_of(running.port(HTTP)))
        world.kubectl("delete", "service", name)
        assert running.wait_told("waiting", 10)["reason"] == f"service {name} was deleted"
        world.apply(service)
        assert podclient.run(podclient.pod_of(running.port(HTTP))) == pod
        assert all(running.told_times(*each) for each in (("waiting", 1), ("pod-gone", 0), ("connection-failed", 0)))


def test_a_service_selects_other_pods(world: World, forward: Start, name: str) -> None:
    world.start(world.workload("Deployment", name), world.service(name, [port(80, "http")]))
    with forward(f"svc/{name}", ":80") as running:
        pod = podclient.run(podclient.pod_of(running.port(HTTP)))
        world.apply(world.service(name, [port(80, "http")], app="nobody"))
        assert running.wait_told("pod-gone", 10, pod=pod)["reason"] == f"no longer selected by svc/{name}"
        assert running.wait_told("waiting", 10)["reason"] == "no pod matches app=nobody (scaled to 0?)"
        world.apply(world.service(name, [port(80, "http")]))
        assert podclient.run(podclient.pod_of(running.port(HTTP))) == pod
        running.wait_told("pod-new", 10, pod=pod)
        assert all(running.told_times(kind, 1) for kind in ("waiting", "pod-gone", "pod-new"))


def test_a_stateful_pod_is_deleted(world: World, forward: Start, name: str) -> None:
    """Three lines: it went, who makes it again, it is there."""
    world.start(world.workload("StatefulSet", name))
    with forward(f"pod/{name}-0", f":{HTTP}", json=False) as running:
        world.kubectl("delete", "pod", f"{name}-0")
        within(60, lambda: any("now using" in line for line in running.err), "it is there again")
        target, pod = f"pod/{name}-0", f"pod {name}-0"
        assert running.err == [
            f"{target}: {pod} is no longer used: deleted",
            f"{target}: no pod to connect to: {pod} was deleted; sts/{name} makes it again; "
            "new connections wait up to 30 s for one",
            f"{target}: now using {pod}",
        ]


@pytest.mark.parametrize("options", [[], ["--exit-on-loss"]])
def test_an_end_promises_nothing(options: list[str], world: World, forward: Start, name: str) -> None:
    world.start(world.workload("Deployment", name))
    pod = world.pods(name)[0]["metadata"]["name"]
    with forward(f"pod/{pod}", f":{HTTP}", *options, json=False) as running:
        world.kubectl("delete", "pod", pod)
        running.wait_end(1, 60)
        assert len(running.err) == 2
        assert running.err[-1].startswith("error: ")


def test_a_pod_that_crashes_again_and_again(world: World, forward: Start, name: str) -> None:
    made = world.pod(name, probe=False)
    made["spec"]["containers"][0]["command"] = ["python3", "-c", "raise SystemExit(3)"]
    world.apply(made)

    def backs_off() -> bool:
        return "CrashLoopBackOff" in world.kubectl("get", "pod", name, "-o", "json")

    within(90, backs_off, "it backs off")
    with forward(f"pod/{name}", f":{HTTP}") as running:
        podclient.run(podclient.ends_with_reset(running.port(HTTP)))
        failed = running.wait_told("connection-failed", 10)
        # Between two ends the kubelet says for a moment that it runs.
        assert re.search(r"container app (does not run|ended and was started again): .*exit code 3", failed["meaning"])
        assert f"kubectl logs -n {world.namespace} {name} -c app" in failed["remedy"]
