"""The same pods, ports and words as the real kubectl, on the real API server.

Most pods here are bound to a node that does not exist, and a test writes their status: so every rule of the choice can
be set up, without waiting for containers. kubectl's own choice is read off the requests that it logs.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from fairlead.dial.backends import Backends, Rules
from fairlead.errors import ApiError, FairleadError
from fairlead.kit.tasks import spawn
from fairlead.kube.client import ApiServer
from fairlead.kube.config import load
from fairlead.model.target import Local
from fairlead.policy.duration import parse_pod_running_timeout
from fairlead.policy.portspec import parse_targets
from fairlead.settings import ClusterOptions
from tests.real.conftest import options
from tests.support.world import World

pytestmark = [pytest.mark.real, pytest.mark.node, pytest.mark.timeout(300)]

NODE = f"nowhere-{os.getpid()}"
MERGE = "application/merge-patch+json"
Object = dict[str, Any]


@pytest.fixture(scope="module", autouse=True)
def pods_of_the_cases(world: World) -> Iterator[None]:
    """Pods on a node that is only an object: it has to be there, or they are collected as garbage."""
    try:
        asyncio.run(set_up(world))
        yield
    finally:
        world.kubectl("delete", "node", NODE, "--wait=false", "--ignore-not-found")


@asynccontextmanager
async def server(world: World) -> AsyncIterator[ApiServer]:
    config = load(ClusterOptions(kubeconfig=str(world.kubeconfig), namespace=world.namespace), {})
    async with ApiServer(config) as api:
        yield api


def path(api: ApiServer, plural: str, name: str = "", *, group: str = "api/v1") -> str:
    return f"/{group}/namespaces/{api.config.namespace}/{plural}" + (f"/{name}" if name else "")


async def create(api: ApiServer, where: str, body: Object) -> Object:
    return await api.request("POST", where, body=json.dumps(body).encode())


async def patch(api: ApiServer, where: str, body: Object) -> None:
    await api.request("PATCH", where, body=json.dumps(body).encode(), content_type=MERGE)


# The pods of the cases.


@dataclass(frozen=True)
class P:
    """One pod with a status as a test wants it."""

    phase: str = "Running"
    ready: str | None = "True"
    since: str | None = "2026-01-01T00:00:00Z"
    node: str = NODE
    restarts: int = 0
    sidecar_restarts: int = 0
    delete: int | None = None
    """Seconds of grace for its deletion, which nothing will ever confirm."""
    later: bool = False
    """Created in a later second than the others."""


CASES: dict[str, dict[str, P]] = {
    "single": {"a": P()},
    "assigned": {"a": P(node=""), "b": P(phase="Pending", ready=None)},
    "running": {"a": P(phase="Pending", ready=None), "b": P(ready="False")},
    "unknown-pending": {"a": P(phase="Pending", ready=None), "b": P(phase="Unknown", ready=None)},
    "unknown-running": {"a": P(phase="Unknown"), "b": P(ready=None)},
    "succeeded-pending": {"a": P(phase="Succeeded", ready=None), "b": P(phase="Pending", ready=None)},
    "failed-ready": {"a": P(phase="Pending", ready=None), "b": P(phase="Failed", ready="True")},
    "ready": {"a": P(ready="False"), "b": P()},
    "ready-unknown": {"a": P(ready="Unknown"), "b": P()},
    "ready-terminating": {"a": P(ready="False"), "b": P(delete=600)},
    "not-terminating": {"a": P(delete=600), "b": P(since="2026-01-02T00:00:00Z", restarts=5)},
    "later-end": {"a": P(delete=600), "b": P(delete=1200)},
    "ready-longer": {"a": P(since="2026-01-01T00:00:01Z"), "b": P(restarts=9)},
    "ready-since-nothing": {"a": P(since=None), "b": P(since="2026-02-01T00:00:00Z")},
    "restarts": {"a": P(restarts=2), "b": P(restarts=1, sidecar_restarts=9)},
    "sidecar-restarts": {"a": P(sidecar_restarts=2), "b": P(sidecar_restarts=1)},
    "older": {"a": P(later=True), "b": P()},
    "tie": {"b": P(), "a": P(), "c": P()},
    "failed-only": {"a": P(phase="Failed", ready=None)},
    "pending-only": {"a": P(phase="Pending", ready=None)},
    "expressions": {"a": P(ready="False"), "b": P()},
    "many": {f"p{n:02}": P(restarts=(n * 7) % 16, ready="True" if n % 3 else "False") for n in range(16)},
}


def pod(case: str, name: str, want: P) -> Object:
    spec: Object = {
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
        "schedulerName": "nobody",
        # Its node is never heard of, which taints it.
        "tolerations": [{"operator": "Exists"}],
        "containers": [
            {
                "name": "main",
                "image": "none",
                "ports": [
                    {"name": "http", "containerPort": 8080},
                    {"name": "dns", "containerPort": 53, "protocol": "UDP"},
                    {"name": "both-udp", "containerPort": 55, "protocol": "UDP"},
                    {"name": "both-tcp", "containerPort": 55},
                    {"name": "sctp", "containerPort": 56, "protocol": "SCTP"},
                ],
            }
        ],
        "initContainers": [
            {
                "name": "side",
                "image": "none",
                "restartPolicy": "Always",
                "ports": [{"name": "init", "containerPort": 7000}],
            }
        ],
    }
    if want.node:
        spec["nodeName"] = want.node
    return {"metadata": {"name": name, "labels": {"case": case}}, "spec": spec}


def status(want: P) -> Object:
    conditions = []
    if want.ready is not None:
        conditions.append({"type": "Ready", "status": want.ready, "lastTransitionTime": want.since})

    def container(name: str, restarts: int) -> Object:
        return {"name": name, "image": "none", "imageID": "", "ready": True, "restartCount": restarts}

    return {
        "phase": want.phase,
        "conditions": conditions,
        "containerStatuses": [container("main", want.restarts)],
        "initContainerStatuses": [container("side", want.sidecar_restarts)],
    }


def service(name: str, case: str, *ports: Object, **spec: Any) -> Object:
    listed = list(ports) or [{"name": "http", "port": 80, "targetPort": "http"}]
    return {"metadata": {"name": name}, "spec": {"selector": {"case": case}, "ports": listed, **spec}}


PORTS: tuple[Object, ...] = (
    {"name": "number", "port": 80, "targetPort": 8080},
    {"name": "named", "port": 8181, "targetPort": "http"},
    {"name": "same", "port": 8282},
    {"name": "lost", "port": 84, "targetPort": "nope"},
    {"name": "text", "port": 87, "targetPort": "init"},
    {"name": "dns", "port": 53, "protocol": "UDP"},
    {"name": "both-udp", "port": 85, "protocol": "UDP"},
    {"name": "both-tcp", "port": 85},
)


async def set_up(world: World) -> None:
    async with server(world) as api:
        await create(api, "/api/v1/nodes", {"metadata": {"name": NODE}})
        # Pods are refused until the namespace has its account.
        await within(30, lambda: api.get(path(api, "serviceaccounts", "default")))
        async with asyncio.TaskGroup() as tasks:
            for case, pods in CASES.items():
                spawn(tasks, set_up_case(api, case, pods), name=case)
            spawn(tasks, set_up_objects(api), name="objects")
        await set_up_controller(api)


async def within(limit: float, attempt: Any) -> Any:
    deadline = time.monotonic() + limit
    while True:
        try:
            return await attempt()
        except ApiError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)


async def set_up_case(api: ApiServer, case: str, pods: dict[str, P]) -> None:
    await create(api, path(api, "services"), service(f"s-{case}", case))
    for name, want in sorted(pods.items(), key=lambda item: item[1].later):
        if want.later:
            # Times have whole seconds, and the next one has to begin.
            await asyncio.sleep(1.1)
        full = f"{case}-{name}"
        await create(api, path(api, "pods"), pod(case, full, want))
        await patch(api, path(api, "pods", full) + "/status", {"status": status(want)})
        if want.delete is not None:
            body = json.dumps({"gracePeriodSeconds": want.delete}).encode()
            await api.request("DELETE", path(api, "pods", full), body=body)


async def set_up_objects(api: ApiServer) -> None:
    await create(api, path(api, "services"), service("many-ports", "single", *PORTS))
    await create(api, path(api, "services"), service("headless", "single", *PORTS, clusterIP="None"))
    await create(api, path(api, "services"), service("nobody", "no-such-case"))
    await create(api, path(api, "services"), {"metadata": {"name": "bare"}, "spec": {"ports": [{"port": 80}]}})
    external = {"type": "ExternalName", "externalName": "db.example.org", "ports": [{"port": 80}]}
    await create(api, path(api, "services"), {"metadata": {"name": "external"}, "spec": external})
    await create(api, path(api, "configmaps"), {"metadata": {"name": "conf"}})
    spec: Object = {"containers": [{"name": "c", "image": "none"}]}
    await create(
        api,
        path(api, "cronjobs", group="apis/batch/v1"),
        {
            "metadata": {"name": "cron"},
            "spec": {
                "schedule": "0 0 1 1 *",
                "jobTemplate": {"spec": {"template": {"spec": {**spec, "restartPolicy": "Never"}}}},
            },
        },
    )
    template = {"metadata": {"labels": {"case": "none"}}, "spec": spec}
    selector = {"matchLabels": {"case": "none"}}
    await create(
        api,
        path(api, "deployments", group="apis/apps/v1"),
        {"metadata": {"name": "empty"}, "spec": {"replicas": 0, "selector": selector, "template": template}},
    )


async def set_up_controller(api: ApiServer) -> None:
    """A ReplicaSet that finds as many pods as it wants, and so leaves them alone."""
    template = pod("expressions", "", P(node=""))
    expressions = {"matchExpressions": [{"key": "case", "operator": "In", "values": ["expressions", "none"]}]}
    await create(
        api,
        path(api, "replicasets", group="apis/apps/v1"),
        {
            "metadata": {"name": "expr"},
            "spec": {"replicas": len(CASES["expressions"]), "selector": expressions, "template": template},
        },
    )


# Both sides of the comparison.


@dataclass
class Outcome:
    """What a program did with a target: its pod, and the words of its error."""

    pod: str = ""
    words: str = ""
    ports: list[int] = field(default_factory=list)


def of_kubectl(world: World, words: Sequence[str], timeout: str) -> Outcome:
    """Run kubectl port-forward; -v=6 names the pod in its requests."""
    said = world.kubectl("port-forward", *words, f"--pod-running-timeout={timeout}", "-v=6", check=False)
    pods = re.findall(r"/pods/([a-z0-9-]+)", said)
    last = next((line for line in reversed(said.splitlines()) if re.match(r"error: |Error from ", line)), "")
    if "error upgrading connection" in last:
        # Its node does not exist: the choice was made, and that is what counts.
        last = ""
    return Outcome(pods[-1] if pods else "", re.sub(r"^(error|Error from server \(\w+\)): ", "", last))


async def of_fairlead(world: World, words: Sequence[str], timeout: str) -> Outcome:
    try:
        (target,) = parse_targets(words)
        rules = Rules(pod_running_timeout=parse_pod_running_timeout(timeout))
        async with server(world) as api:
            backends = await Backends.resolve(api, target, world.namespace, rules)
    except FairleadError as error:
        return Outcome(words=error.what)
    return Outcome(backends.chosen.name, "", [port.remote for port in backends.ports])


def compare(world: World, words: Sequence[str], timeout: str = "1s") -> tuple[Outcome, Outcome]:
    return of_kubectl(world, words, timeout), asyncio.run(of_fairlead(world, words, timeout))


# What is compared.


@pytest.mark.parametrize("case", CASES)
def test_the_same_pod_is_chosen(world: World, case: str) -> None:
    theirs, ours = compare(world, [f"svc/s-{case}", ":80"])
    assert theirs.pod.startswith(f"{case}-")
    assert ours.words == theirs.words
    if not ours.words:
        assert ours.pod == theirs.pod


def test_a_selector_of_expressions(world: World) -> None:
    theirs, ours = compare(world, ["rs/expr", ":80"])
    assert ours.pod == theirs.pod == "expressions-b"


@pytest.mark.parametrize(
    "words",
    [
        "nope :80",
        "svc/nope :80",
        "deploy/nope :80",
        "foo/x :80",
        "foo.bar/x :80",
        "deployments.v1beta1.apps/x :80",
        "pods.apps/x :80",
        "cm/nope :80",
        "cm/conf :80",
        "configmaps/conf :80",
        "ConfigMap/conf :80",
        "cj/cron :80",
        "no/nope :80",
        "ns/default :80",
        "svc/bare :80",
        "svc/external :80",
        "svc/nobody :80",
        "deploy/empty :80",
        "deployments.apps/empty :80",
        "Deployment.v1.apps/empty :80",
        "single-a nope",
        "single-a 1:nope",
        "single-a dns",
        "single-a :53",
        "single-a :dns",
        "single-a 8080 :53",
        "single-a nope dns",
        "single-a 0",
        "single-a 99999",
        "single-a :99999",
        "single-a 99999:80",
        "single-a x:80",
        "single-a 1:+5",
        "single-a 99999999999999999999",
        "pod/single-a/x :80",
        "pod/ :80",
        "/x :80",
        "pod,svc/x :80",
        "single-a",
        "svc/many-ports :8080",
        "svc/many-ports :99999",
        "svc/many-ports :0",
        "svc/many-ports :nope",
        "svc/many-ports :84",
        "svc/many-ports lost",
        "svc/many-ports :53",
        "svc/many-ports dns",
        "svc/headless :99",
        "svc/headless :dns",
        "pending-only-a :80",
        "failed-only-a :80",
        "succeeded-pending-a :80",
    ],
)
def test_the_same_words(world: World, words: str) -> None:
    theirs, ours = compare(world, words.split())
    assert ours.words
    assert ours.words == theirs.words


@pytest.mark.parametrize("timeout", ["0", "-1s", "5", "1x", ""])
def test_the_same_words_for_a_timeout(world: World, timeout: str) -> None:
    theirs, ours = compare(world, ["single-a", ":80"], timeout)
    assert ours.words
    assert theirs.words.startswith(ours.words)


LISTENERS = [
    ("single-a", "18080:http :http 18081:8080 18082 18055:55 :56 :init :4321"),
    ("svc/many-ports", ":80 :number 18083:80 :named named same 18084:text :85"),
    ("svc/headless", ":80 :named named :lost :text"),
]


@pytest.mark.parametrize(("target", "ports"), LISTENERS)
def test_the_same_ports(world: World, target: str, ports: str) -> None:
    """kubectl prints its ports only once connected, so a real pod stands in for the one of the case."""
    run_real_pod(world)
    real = target.replace("single-a", "real")
    theirs = asyncio.run(listening(world, [real, *ports.split()]))
    (spec,) = parse_targets([real, *ports.split()])

    async def resolve() -> Backends:
        async with server(world) as api:
            return await Backends.resolve(api, spec, world.namespace)

    resolved = asyncio.run(resolve())
    assert resolved.chosen.name == "real"
    assert [port.remote for port in resolved.ports] == [remote for _, remote in theirs]
    for port, (local, _) in zip(resolved.ports, theirs, strict=True):
        assert port.local == local or port.local is Local.ANY


def run_real_pod(world: World) -> None:
    """The pod of case ``single``, on the real node; the services select it together with that one and prefer it."""
    if "real" in world.kubectl("get", "pods", "--output=name", check=False):
        return
    body = pod("single", "real", P(node=""))
    spec = body["spec"]
    del spec["schedulerName"]
    spec["tolerations"] = []
    for container in (*spec["containers"], *spec["initContainers"]):
        container.update(image=world.image, imagePullPolicy=world.pull, command=["sleep", "3600"])

    async def make() -> None:
        async with server(world) as api:
            await create(api, path(api, "pods"), body)
            # The stand-in would win: it claims to be ready for longer.
            await api.request("DELETE", path(api, "pods", "single-a"), body=b'{"gracePeriodSeconds": 0}')

    asyncio.run(make())
    world.kubectl("wait", "--for=condition=Ready", "pod/real", "--timeout=60s")


async def listening(world: World, words: Sequence[str]) -> list[tuple[int, int]]:
    """Run kubectl until it has said what it listens on: (local, remote) for each port."""
    command = [world.kubectl_path, *options(world), "port-forward", *words]
    address = "--address=127.0.0.1"
    process = await asyncio.create_subprocess_exec(*command, address, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    found = []
    try:
        async with asyncio.timeout(20):
            for _ in words[1:]:
                line = (await process.stdout.readline()).decode()
                match = re.fullmatch(r"Forwarding from 127\.0\.0\.1:(\d+) -> (\d+)\n", line)
                assert match, line or (await process.communicate())[1].decode()
                found.append((int(match[1]), int(match[2])))
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
    return found
