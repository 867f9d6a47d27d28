"""What stands behind a target, kept current on a real cluster."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from fairlead.dial.backends import Backends, Rules
from fairlead.errors import LostError
from fairlead.kit.tasks import Background
from fairlead.kube.client import ApiServer
from fairlead.kube.config import load
from fairlead.policy.candidates import Moved
from fairlead.policy.portspec import parse_targets
from fairlead.settings import ClusterOptions
from testbed.cluster import Cluster
from tests.real.conftest import fresh_namespace, world_of
from tests.support.world import World, port

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]


class Watched:
    """One target with everything it told; ``ready`` is what a connection would be offered now."""

    def __init__(self) -> None:
        self.backends: Backends
        self.told: list[str] = []
        self.notes: list[str] = []
        self.empty = 0
        """How often nothing was ready at the moment of a change."""

    def moved(self, change: Moved) -> None:
        self.told += [f"+{ref.name}" for ref in change.new]
        self.told += [f"-{ref.name}" for ref, _ in change.gone]
        self.empty += not self.ready

    @property
    def ready(self) -> list[str]:
        return sorted(f"{each.pod.name}:{each.port}" for each in self.backends.ready(self.backends.ports[0]))

    @property
    def uids(self) -> set[str]:
        return {each.pod.uid for each in self.backends.ready(self.backends.ports[0])}


@asynccontextmanager
async def watch(world: World, words: str, **rules: Any) -> AsyncIterator[Watched]:
    (spec,) = parse_targets(words.split())
    options = ClusterOptions(kubeconfig=str(world.kubeconfig), namespace=world.namespace)
    watched = Watched()
    async with ApiServer(load(options, {})) as server:
        watched.backends = await Backends.resolve(
            server, spec, world.namespace, Rules(**rules), on_moved=watched.moved, on_note=watched.notes.append
        )
        async with Background() as tasks:
            tasks.start(watched.backends.run(), name="backends")
            yield watched


async def until(condition: Callable[[], object], limit: float = 60) -> None:
    async with asyncio.timeout(limit):
        while not condition():
            await asyncio.sleep(0.02)


async def kubectl(world: World, *words: str) -> None:
    await asyncio.to_thread(world.kubectl, *words)


def run(body: Coroutine[Any, Any, None]) -> None:
    asyncio.run(body)


@pytest.mark.parametrize("words", ["deploy/web 80", "svc/web 80"])
def test_a_rollout_never_leaves_nothing(world: World, words: str) -> None:
    strategy = {"strategy": {"rollingUpdate": {"maxUnavailable": 0}}}
    world.start(world.workload("Deployment", "web", replicas=2, more=strategy))
    world.apply(world.service("web", [port(80, "http")]))

    async def body() -> None:
        async with watch(world, words) as watched:
            await until(lambda: len(watched.ready) == 2)
            before = watched.uids
            await kubectl(world, "rollout", "restart", "deploy/web")
            await until(lambda: len(watched.uids) == 2 and not watched.uids & before)
            await until(lambda: len([name for name in watched.told if name[0] == "-"]) == 2)
            assert watched.empty == 0
            assert len(set(watched.told)) == len(watched.told) == 4

    run(body())


def test_a_named_port_differs_between_pods(world: World) -> None:
    world.start(world.pod("old", label="mixed", base=8000), world.pod("new", label="mixed", base=9000))
    world.apply(world.service("mixed", [port(80, "echo")]))

    async def body() -> None:
        async with watch(world, "svc/mixed 80") as watched:
            found = {each["containers"][0]["ports"][0]["containerPort"] for each in specs}
            await until(lambda: {int(each.split(":")[1]) for each in watched.ready} == found)
            assert [each.split(":")[0] for each in watched.ready] == ["new", "old"]

    specs = [each["spec"] for each in world.pods("mixed")]
    run(body())


def test_a_stateful_pod_is_found_again(world: World) -> None:
    world.start(world.workload("StatefulSet", "db"))

    async def body() -> None:
        async with watch(world, "db-0 80") as watched:
            before = watched.uids
            await kubectl(world, "delete", "pod", "db-0", "--wait=false")
            await until(lambda: watched.ready and not watched.uids & before)
            assert watched.ready == ["db-0:80"]

    run(body())


@pytest.mark.parametrize("follow", [False, True])
def test_a_pod_of_a_deployment_is_lost_or_its_owner_followed(world: World, follow: bool) -> None:
    world.start(world.workload("Deployment", "lost"))
    (pod,) = (each["metadata"]["name"] for each in world.pods("lost"))

    async def body() -> None:
        async with watch(world, f"{pod} http", follow=follow) as watched:
            await kubectl(world, "delete", "pod", pod, "--wait=false")
            await until(lambda: watched.notes and watched.ready and pod not in watched.ready[0])
            assert watched.notes == [f"pod {pod} is gone: following deploy/lost"]

    if follow:
        run(body())
    else:
        with pytest.raises(LostError) as caught:
            run(body())
        assert caught.value.remedy == "forward to deploy/lost, which lasts, or add --follow"


def restricted(world: World, name: str, rules: list[dict[str, Any]], folder: Path) -> World:
    """The same namespace, seen by a service account that may do only this."""
    meta = {"name": name}
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": meta, "rules": rules}
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": meta,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": world.namespace}],
    }
    world.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}, role, binding)
    config = json.loads(world.kubectl("config", "view", "--minify", "--raw", "-o", "json"))
    config["users"][0]["user"] = {"token": world.kubectl("create", "token", name).strip()}
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(json.dumps(config))
    return World(kubeconfig, world.kubectl_path, world.image, world.pull, world.namespace)


GET_PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
LIST_PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}
GET_SERVICES = {"apiGroups": [""], "resources": ["services"], "verbs": ["get"]}


@pytest.mark.parametrize(("kind", "rules"), [("pod", [GET_PODS]), ("svc", [LIST_PODS, GET_SERVICES])])
def test_the_rights_that_kubectl_needs_are_enough(
    world: World, tmp_path: Path, kind: str, rules: list[dict[str, Any]]
) -> None:
    name = f"few-{kind}"
    pod = world.pod(name, grace=0)
    world.start(pod)
    world.apply(world.service(name, [port(80)]))
    few = restricted(world, name, rules, tmp_path)
    manifest = tmp_path / "pod.json"
    manifest.write_text(json.dumps(pod))

    async def body() -> None:
        async with watch(few, f"{kind}/{name} 80") as watched:
            assert watched.ready == [f"{name}:80"]
            before = watched.uids
            await until(lambda: watched.notes, limit=10)
            assert watched.notes[0].startswith("not allowed to watch ")
            await kubectl(world, "replace", "--force", "-f", str(manifest))
            await until(lambda: watched.ready and not watched.uids & before, limit=60)
            assert len(watched.notes) <= 3

    run(body())


@pytest.fixture(scope="module")
def own() -> Iterator[tuple[Cluster, World]]:
    """A cluster whose API server may be stopped."""
    with Cluster.start(f"res{os.getpid()}") as cluster:
        yield cluster, fresh_namespace(world_of(cluster), "backends")


@pytest.mark.node
def test_an_outage_changes_nothing_and_is_made_up_for(own: tuple[Cluster, World]) -> None:
    cluster, world = own
    world.start(world.workload("Deployment", "web", replicas=2), world.service("web", [port(80, "http")]))

    async def body() -> None:
        async with watch(world, "svc/web 80") as watched:
            await until(lambda: len(watched.ready) == 2)
            known = watched.ready
            await asyncio.to_thread(cluster.stop_apiserver)
            await asyncio.sleep(5)
            assert watched.ready == known
            await asyncio.to_thread(cluster.start_apiserver)
            watched.backends.kick()
            await asyncio.to_thread(world.kill, known[0].split(":")[0])
            await until(lambda: len(watched.ready) == 2 and known[0] not in watched.ready, limit=30)
            # The next event comes by a watch again, not by waiting for its end.
            await kubectl(world, "scale", "deploy/web", "--replicas=1")
            await until(lambda: len(watched.ready) == 1, limit=10)

    run(body())
