"""It outlives the pod: killed, replaced, scaled to nothing, found again under its name, or gone for good."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from tests.real.conftest import Start
from tests.support import podapp, podclient
from tests.support.running import Forward
from tests.support.world import Json, World, port, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]
P = podapp.BASE
HTTP = P + podapp.HTTP


@pytest.fixture
def workload(world: World, request: pytest.FixtureRequest) -> Iterator[str]:
    """A name for one test's workload; what has that name is removed at the end."""
    name = request.node.name.removeprefix("test_").replace("_", "-").translate({91: "-", 93: None})[:40].rstrip("-")
    yield name
    for kind in ("service", "statefulset", "deployment", "replicaset", "job", "pod"):
        world.kubectl("delete", kind, name, "--ignore-not-found", "--wait=false", "--grace-period=0")


def deployment(world: World, name: str, replicas: int = 1) -> Json:
    made = world.workload("Deployment", name, replicas=replicas)
    world.start(made, world.service(name, [port(80, "http")]))
    return made


def pods_that_answer(running: Forward, count: int) -> set[str]:
    return {podclient.run(podclient.pod_of(running.port(HTTP))) for _ in range(count)}


@pytest.mark.parametrize("kind", ["svc", "deploy"])
def test_another_pod_takes_over(kind: str, world: World, forward: Start, workload: str) -> None:
    """The pod that serves is killed; the other serves on, and then the new one too."""
    deployment(world, workload, replicas=2)
    with forward(f"{kind}/{workload}", ":80" if kind == "svc" else f":{HTTP}") as running:
        both = pods_that_answer(running, 6)
        assert len(both) == 2, "connections share the ready pods"
        victim = sorted(both)[0]
        world.kill(victim)
        running.wait_told("pod-gone", 10, pod=victim)
        assert pods_that_answer(running, 4) == both - {victim}
        running.wait_told("pod-new", 60)
        within(10, lambda: len(pods_that_answer(running, 6)) == 2, "the new pod is used")
        assert running.told("connection-failed") == []


def test_no_replacement_for_8_seconds(world: World, forward: Start, workload: str) -> None:
    """Connections that come meanwhile wait, with their first bytes, and then work."""
    deployment(world, workload)
    with forward(f"svc/{workload}", ":80") as running:
        old = pods_that_answer(running, 1).pop()
        world.kubectl("scale", f"deploy/{workload}", "--replicas=0")
        world.kill(old)
        running.wait_told("waiting", 10)
        began = time.monotonic()
        answers: list[str] = []

        def ask(number: int) -> None:
            answers.append(podclient.run(podclient.ask(running.port(HTTP), number)))

        asking = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
        for thread in asking:
            thread.start()
        time.sleep(max(0.0, began + 8 - time.monotonic()))  # as long as there is no pod
        assert answers == []
        world.kubectl("scale", f"deploy/{workload}", "--replicas=1")
        for thread in asking:
            thread.join(30)
        assert len(answers) == 20
        assert old not in answers
        assert running.told("connection-failed") == []
        assert running.told_times("waiting", 1)


def test_waiting_has_an_end(world: World, forward: Start, workload: str) -> None:
    """After ``--wait`` the connection is reset, with one line that says why; a later one works again."""
    made = deployment(world, workload)
    with forward(f"deploy/{workload}", f":{HTTP}", "--wait", "3s") as running:
        pod = pods_that_answer(running, 1).pop()
        world.kubectl("scale", f"deploy/{workload}", "--replicas=0")
        world.kill(pod)
        running.wait_told("waiting", 10)
        began = time.monotonic()
        podclient.run(podclient.ends_with_reset(running.port(HTTP)))
        assert 2.5 < time.monotonic() - began < 6
        failed = running.wait_told("connection-failed", 5)
        assert workload in failed["words"]
        world.kubectl("scale", f"deploy/{workload}", "--replicas=1")
        world.wait_ready(made)
        assert len(pods_that_answer(running, 1)) == 1
        assert running.told_times("connection-failed", 1)


def test_no_pod_is_ready_but_one_runs(world: World, forward: Start, workload: str) -> None:
    """That one is used, as kubectl would, and one line says so."""
    made = world.workload("Deployment", workload)
    made["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] = {"exec": {"command": ["false"]}}
    world.apply(made, world.service(workload, [port(80, "http")]))
    within(60, lambda: [p for p in world.pods(workload) if p["status"]["phase"] == "Running"], "a pod runs")
    with forward(f"svc/{workload}", ":80") as running:
        within(20, lambda: _answers(running), "it listens")
        assert len(pods_that_answer(running, 3)) == 1
        notes = [note for note in running.told("note") if "no pod of" in note["text"]]
        assert len(notes) == 1


def _answers(running: Forward) -> bool:
    try:
        return bool(podclient.run(podclient.pod_of(running.port(HTTP))))
    except (ConnectionError, EOFError):
        return False


def test_a_pod_that_is_not_ready_is_good_enough_under_its_name(world: World, forward: Start, workload: str) -> None:
    made = world.pod(workload)
    made["spec"]["containers"][0]["readinessProbe"] = {"exec": {"command": ["false"]}}
    world.apply(made)
    with forward(f"pod/{workload}", f":{HTTP}") as running:
        within(20, lambda: _answers(running), "it listens")
        assert pods_that_answer(running, 1) == {workload}


def test_a_statefulsets_pod_comes_back_under_its_name(world: World, forward: Start, workload: str) -> None:
    world.start(world.workload("StatefulSet", workload))
    with forward(f"pod/{workload}-0", f":{HTTP}") as running:
        assert pods_that_answer(running, 1) == {f"{workload}-0"}
        for times in (1, 2):
            world.kill(f"{workload}-0")
            running.wait_told("pod-gone", 10, times)
            assert pods_that_answer(running, 1) == {f"{workload}-0"}  # waits for it
        assert running.told("connection-failed") == []


def test_a_replicasets_pod_never_comes_back(world: World, forward: Start, workload: str) -> None:
    """It says so, names the owner that lasts, and ends with 1."""
    deployment(world, workload)
    pod = world.pods(workload)[0]["metadata"]["name"]
    with forward(f"pod/{pod}", f":{HTTP}", json=False) as running:
        world.kill(pod)
        running.wait_end(1, 15)
        assert len([line for line in running.err if line.startswith("error:")]) == 1
        assert f"deployment/{workload}" in running.err[-1] or f"deploy/{workload}" in running.err[-1]


def test_a_jobs_pod_never_comes_back(world: World, forward: Start, workload: str) -> None:
    world.apply(world.workload("Job", workload))
    within(60, lambda: [p for p in world.pods(workload) if p["status"]["phase"] == "Running"], "the job runs")
    pod = world.pods(workload)[0]["metadata"]["name"]
    with forward(f"pod/{pod}", f":{P + podapp.LEAVE}", json=False) as running:
        [(_, port), *_] = within(10, running.listening, "it listens")
        with podclient.dial(port) as sock:
            sock.sendall(b"0\n")  # the program ends, and with it the job
            try:
                while sock.recv(100):
                    pass
            except ConnectionError:
                pass
        running.wait_end(1, 30)
        assert f"job/{workload}" in running.err[-1]


def test_following_the_owner(world: World, forward: Start, workload: str) -> None:
    deployment(world, workload)
    pod = world.pods(workload)[0]["metadata"]["name"]
    with forward(f"pod/{pod}", f":{HTTP}", "--follow") as running:
        assert pods_that_answer(running, 1) == {pod}
        world.kill(pod)
        running.wait_told("pod-gone", 10)
        successor = podclient.run(podclient.pod_of(running.port(HTTP)))
        assert successor != pod
        assert successor.startswith(workload)


def test_a_bare_pod_is_waited_for(world: World, forward: Start, workload: str) -> None:
    world.start(world.pod(workload))
    with forward(workload, f":{HTTP}") as running:
        world.kill(workload)
        running.wait_told("pod-gone", 10)
        within(20, lambda: workload not in world.kubectl("get", "pods"), "the pod is gone")
        world.apply(world.pod(workload))
        within(30, lambda: _answers(running), "it answers again")


def test_a_container_that_crashes(world: World, forward: Start, workload: str) -> None:
    """The kubelet starts it again in the same pod: nothing of ours has to change."""
    world.start(world.pod(workload))
    with forward(f"pod/{workload}", f":{P + podapp.LEAVE}", f":{HTTP}") as running:
        with podclient.dial(running.port(P + podapp.LEAVE)) as sock:
            sock.sendall(b"3\n")
            try:
                while sock.recv(100):
                    pass
            except ConnectionError:
                pass
        within(30, lambda: _answers(running), "it answers again")


def test_a_pod_that_starts_while_we_wait(world: World, forward: Start, workload: str) -> None:
    """``--pod-running-timeout`` covers the whole way from no pod at all to one that runs."""
    world.apply(world.workload("Deployment", workload, replicas=0))
    with forward(f"deploy/{workload}", f":{HTTP}", "--pod-running-timeout", "60s", ready=False) as running:
        within(10, lambda: world.get("deploy", workload)["status"].get("observedGeneration"), "it is known")
        world.kubectl("scale", f"deploy/{workload}", "--replicas=1")
        running.wait_ready(60)
        within(20, lambda: _answers(running), "it listens")


def test_sticky_keeps_to_one_pod(world: World, forward: Start, workload: str) -> None:
    deployment(world, workload, replicas=2)
    with forward(f"svc/{workload}", ":80", "--sticky") as running:
        kept = pods_that_answer(running, 8)
        assert len(kept) == 1
        world.kill(next(iter(kept)))
        running.wait_told("pod-gone", 10, pod=next(iter(kept)))
        assert len(pods_that_answer(running, 8) - kept) == 1


def test_session_affinity_of_the_service(world: World, forward: Start, workload: str) -> None:
    deployment(world, workload, replicas=2)
    world.apply(world.service(workload, [port(80, "http")], sessionAffinity="ClientIP"))
    with forward(f"svc/{workload}", ":80") as running:
        assert len(pods_that_answer(running, 8)) == 1


def test_connections_that_give_up_do_not_pile_up(world: World, forward: Start, workload: str) -> None:
    """A local program that gave up looks like one that is done sending: it is kept as long as the others, no longer."""
    deployment(world, workload)
    with forward(f"deploy/{workload}", f":{HTTP}", "--wait", "3s") as running:
        world.kubectl("scale", f"deploy/{workload}", "--replicas=0")
        running.wait_told("waiting", 20)
        before = running.descriptors
        for _ in range(50):
            podclient.dial(running.port(HTTP)).close()
        within(3 + 3, lambda: running.descriptors <= before, "descriptors are given back")
