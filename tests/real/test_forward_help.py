"""The examples of the help, and kubectl's lines on stdout, beside kubectl itself."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence

import pytest

from fairlead.cli.help import EXAMPLES
from tests.real.conftest import Start, options
from tests.support import podclient
from tests.support.running import FAIRLEAD, free_port
from tests.support.world import World, port, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]
NO_SUCH_ADDRESS = "10.19.21.23"


@pytest.fixture(scope="module", autouse=True)
def objects(world: World) -> None:
    """What the examples name: mypod, mydeployment, myservice, with ports 5000 and 6000."""
    deployment = world.workload("Deployment", "mydeployment")
    deployment["spec"]["template"]["spec"] = world.pod_spec("--also=6000:5000", base=5000)
    pod = world.pod("mypod", "--also=6000:5000", base=5000)
    service = world.service("myservice", [port(5000), port(6000)], app="mydeployment")
    world.start(pod, deployment, service)


def kubectl_says(world: World, words: Sequence[str], count: int) -> list[str]:
    """kubectl's stdout for the same words, from when it has said ``count`` lines or all that it says."""
    command = [world.kubectl_path, *options(world), "port-forward", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(count)]
        time.sleep(0.2)  # were there one line more, it would come now
        process.terminate()
        return [line.rstrip() for line in [*lines, *process.stdout]]


@pytest.mark.parametrize("line", [line for _, line in EXAMPLES], ids=lambda line: line.removeprefix("forward "))
def test_an_example_of_the_help(line: str, world: World, forward: Start) -> None:
    words = line.split()[1:]
    assert (
        f"fairlead {line}\n"
        in subprocess.run([*FAIRLEAD, "forward", "--help"], capture_output=True, text=True, check=True).stdout
    )
    added = NO_SUCH_ADDRESS in line
    if added:
        # Any address of the machine would do; this one of the loopback range is there without being added.
        words = [word.replace(NO_SUCH_ADDRESS, "127.19.21.23") for word in words]
    with forward(*words, json=False) as running:
        within(5, running.listening, "its lines")
        bound = running.listening()
        for address, number in bound:
            host = "127.0.0.1" if address == "0.0.0.0" else address
            podclient.run(podclient.echo(number, host=host))
        ours = [line for line in running.out if line.startswith("Forwarding")]
        within(5, lambda: len(running.out) == 2 * len(bound), "a line for each connection")
        handled = [line for line in running.out if not line.startswith("Forwarding")]
        assert handled == [f"Handling connection for {number}" for _, number in bound]
        assert running.err == []
    theirs = kubectl_says(world, words, len(ours))
    if any(word.startswith(":") for word in words):
        assert [_no_number(text) for text in ours] == [_no_number(text) for text in theirs]
    else:
        assert ours == theirs


def _no_number(line: str) -> str:
    return line.split(" -> ")[0].rpartition(":")[0] + " -> " + line.split(" -> ")[1]


@pytest.mark.parametrize(
    "words",
    [
        ["mypod", "{a}:echo"],
        ["pod/mypod", "{a}:5000", "{b}:6000"],
        ["svc/myservice", "{a}:p6000"],
        ["--address", "127.0.0.1", "deploy/mydeployment", "{a}:http"],
        ["--address", "::1", "deploy/mydeployment", "{a}:05000"],
    ],
    ids=" ".join,
)
def test_stdout_is_kubectls(words: list[str], world: World, forward: Start) -> None:
    ports = {"a": free_port(), "b": free_port()}
    filled = [word.format_map(ports) for word in words]
    with forward(*filled, json=False) as running:
        pass
    ours = running.out
    theirs = kubectl_says(world, filled, len(ours))
    assert ours == theirs


def test_every_type(world: World, forward: Start) -> None:
    kinds = {
        "ReplicaSet": "rs",
        "StatefulSet": "sts",
        "DaemonSet": "ds",
        "ReplicationController": "rc",
        "Job": "job",
    }
    made = [world.workload(kind, f"all-{short}") for kind, short in kinds.items()]
    world.start(*made)
    words = ["mypod", ":echo", "deployments.apps/mydeployment", ":echo", "services/myservice", ":5000"]
    for kind, short in kinds.items():
        for spelled in (short, kind.lower()) if short != kind.lower() else (short,):
            words += [f"{spelled}/all-{short}", ":echo"]
    with forward(*words) as running:
        targets = {(event["target"], event["port"]) for event in running.told("listening")}
        assert len({target for target, _ in targets}) == len(words) // 2
        for target, number in targets:
            podclient.run(podclient.echo(number))
            assert target


def test_several_targets_in_one_run(forward: Start) -> None:
    with forward("mypod", ":5000", ":6000", "svc/myservice", ":5000", "deploy/mydeployment", ":http") as running:
        ready = running.told("ready")[0]
        assert [(item["target"], item["remote"]) for item in ready["ports"]] == [
            ("pod/mypod", 5000),
            ("pod/mypod", 6000),
            ("svc/myservice", 5000),
            ("deploy/mydeployment", 5003),
        ]
        pod = podclient.run(podclient.pod_of(ready["ports"][3]["local"]))
        assert pod.startswith("mydeployment-")
