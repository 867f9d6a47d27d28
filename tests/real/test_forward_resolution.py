"""Which pod answers, and on which port: the same as through kubectl."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

import pytest

from tests.real.conftest import Start, options
from tests.support import podapp, podclient
from tests.support.running import free_port
from tests.support.world import Json, World, port, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]
P = podapp.BASE
HTTP = P + podapp.HTTP


def not_ready(pod: Json) -> Json:
    pod["spec"]["containers"][0]["readinessProbe"] = {"exec": {"command": ["false"]}}
    return pod


@pytest.fixture(scope="module", autouse=True)
def objects(world: World) -> None:
    """One app with a pod for each place in kubectl's order, made oldest first, and services for all kinds of ports."""
    ports = [port(80, "http", "web"), port(81, P, "plain"), port(82, name="same"), port(53, 53, "dns", "UDP")]
    world.apply(
        not_ready(world.pod("a-not-ready", label="choice")),
        world.service("choice", [*ports, port(P, name="own"), port(83, "nowhere", "gone")]),
        world.service("headless", [port(HTTP, 1, "web"), port(80, "http", "other")], app="choice", clusterIP="None"),
        {**world.service("bare", []), "spec": {"ports": [port(80)]}},
    )
    world.start(world.pod("b-ready", label="choice"))
    world.start(world.pod("c-ready-later", label="choice"))
    done = world.pod("d-failed", label="choice")
    done["spec"].update(restartPolicy="Never")
    done["spec"]["containers"][0].update(command=["false"], readinessProbe=None)
    world.apply(done)
    within(30, lambda: world.get("pod", "d-failed")["status"]["phase"] == "Failed", "a failed pod")


def kubectl_serves(world: World, words: Sequence[str]) -> str:
    """The pod that answers through kubectl."""
    number = free_port()
    command = [world.kubectl_path, *options(world), "port-forward", words[0], f"{number}:{words[1]}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            return podclient.run(podclient.pod_of(number))
        finally:
            process.terminate()


@pytest.mark.parametrize(
    "words",
    [["svc/choice", "80"], ["svc/choice", "web"], ["svc/headless", str(HTTP)], ["svc/headless", "web"]],
    ids=" ".join,
)
def test_the_pod_that_kubectl_takes(words: list[str], world: World, forward: Start) -> None:
    with forward("--exit-on-loss", words[0], f":{words[1]}") as running:
        number = running.told("listening")[0]["port"]
        pods = {podclient.run(podclient.pod_of(number)) for _ in range(3)}
    assert pods == {kubectl_serves(world, words)}


def test_only_ready_pods_share(forward: Start) -> None:
    with forward("svc/choice", ":80") as running:
        pods = [podclient.run(podclient.pod_of(running.port(HTTP))) for _ in range(10)]
    assert set(pods) == {"b-ready", "c-ready-later"}
    assert abs(pods.count("b-ready") - 5) <= 1


@pytest.mark.parametrize(
    ("words", "remote"),
    [
        (["svc/choice", ":80"], HTTP),
        (["svc/choice", ":plain"], P),
        (["svc/choice", f":{P}"], P),
        (["svc/headless", f":{HTTP}"], HTTP),
        (["b-ready", ":http"], HTTP),
        (["b-ready", ":echo"], P),
        (["b-ready", ":07000"], P),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_the_port_in_the_pod(words: list[str], remote: int, forward: Start) -> None:
    with forward(*words) as running:
        assert {event["remote"] for event in running.told("listening")} == {remote}
