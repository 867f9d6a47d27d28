"""Two clusters that have the same namespaces and services, used side by side."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fairlead.policy.hostnames import is_legal
from testbed.cluster import Cluster
from tests.real.conftest import fresh_namespace, world_of
from tests.support import podapp
from tests.support.serving import CHANGED, Services
from tests.support.world import Json, World, port, within

pytestmark = [pytest.mark.real, pytest.mark.node, pytest.mark.timeout(120)]
HERE, THERE = "near-1", "arn:aws:eks:eu-central-1:123456789012:cluster/Prod"
LABEL = "arn-aws-eks-eu-central-1-123456789012-cluster-prod"
HTTP = podapp.BASE + podapp.HTTP


@pytest.fixture(scope="module")
def second() -> Iterator[Cluster]:
    with Cluster.start(f"ctx{os.getpid()}") as started:
        yield started


def put(world: World, name: str) -> None:
    """``api`` and ``db``, each with one pod behind it, whose name says where it is."""
    made = world.workload("Deployment", f"api-{name}")
    made["spec"]["template"]["metadata"]["labels"] = made["spec"]["selector"]["matchLabels"] = {"app": "api"}
    each = world.service("each", [port(HTTP)], app="api", clusterIP="None")
    world.start(made, world.service("api", [port(80, "http")]), each)


@pytest.fixture(scope="module")
def both(base_world: World, second: Cluster) -> Iterator[tuple[World, World]]:
    """The same namespace in both."""
    here = fresh_namespace(base_world, "both")
    there = fresh_namespace(world_of(second), "both")
    assert here.namespace == there.namespace
    try:
        put(here, "here")
        put(there, "there")
        yield here, there
    finally:
        here.remove_namespace()


@pytest.fixture
def config(both: tuple[World, World], tmp_path: Path) -> Path:
    """One kubeconfig with two contexts."""
    made: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "current-context": HERE}
    for name, world in zip((HERE, THERE), both, strict=True):
        raw: Json = json.loads(world.kubectl("config", "view", "--minify", "--raw", "--flatten", "-o", "json"))
        context = {"cluster": name, "user": name, "namespace": world.namespace}
        for kind, value in (
            ("cluster", raw["clusters"][0]["cluster"]),
            ("user", raw["users"][0]["user"]),
            ("context", context),
        ):
            made.setdefault(f"{kind}s", []).append({"name": name, kind: value})
    path = tmp_path / "config"
    path.write_text(json.dumps(made))
    return path


def run(config: Path, folder: Path, *contexts: str) -> Services:
    return Services([f"--kubeconfig={config}", *[word for each in contexts for word in ("-x", each)]], folder)


def test_names_of_both(both: tuple[World, World], config: Path, tmp_path: Path) -> None:
    """Those of the first are as ever; those of the other end in its context. A pod's loss concerns its own alone."""
    here, there = both
    namespace = here.namespace
    with run(config, tmp_path, HERE, THERE) as running:
        names = running.names()
        assert all(map(is_legal, names)), names
        forms = ["api", f"api.{namespace}", f"api.{namespace}.svc", f"api.{namespace}.svc.cluster.local"]
        for form in forms:
            assert running.pod_of(form).startswith("api-here-")
            assert running.pod_of(f"{form}.{LABEL}").startswith("api-there-")
            assert running.pod_of(f"{form}.{HERE}").startswith("api-here-")
        assert len({names["api"], names[f"api.{LABEL}"]}) == 2
        (pod,) = [name for name in names if name.startswith("api-there-") and name.endswith(f".each.{LABEL}")]
        assert running.pod_of(pod, HTTP) == pod.partition(".")[0]

        lost = running.pod_of(f"api.{LABEL}")
        there.kill(lost)
        within(30, lambda: running.told("forwarding", service="api", context=THERE)[1:], "the next pod")
        assert running.pod_of(f"api.{LABEL}") != lost
        assert running.pod_of("api").startswith("api-here-")
        assert running.names()[f"api.{LABEL}"] == names[f"api.{LABEL}"]
        assert len(running.told("forwarding", service="api", context=HERE)) == 1


def test_the_other_way_round(both: tuple[World, World], config: Path, tmp_path: Path) -> None:
    """Addresses belong to services, whichever context comes first."""
    with run(config, tmp_path, HERE, THERE) as running:
        before = running.names()
    with run(config, tmp_path, THERE, HERE) as running:
        assert running.pod_of("api").startswith("api-there-")
        assert running.pod_of(f"api.{HERE}").startswith("api-here-")
        assert running.names()["api"] == before[f"api.{LABEL}"]
        assert running.names()[f"api.{HERE}"] == before["api"]


def test_one_cluster_is_away(both: tuple[World, World], config: Path, tmp_path: Path, second: Cluster) -> None:
    """The other goes on, and follows what changes."""
    here, _ = both
    with run(config, tmp_path, HERE, THERE) as running:
        second.stop_apiserver()
        try:
            running.wait_told("server-lost", 10)
            assert running.pod_of("api").startswith("api-here-")
            here.apply(here.service("new", [port(80, "http")], app="api"))
            running.wait_serves("new", 80)
            assert running.pod_of("new").startswith("api-here-")
            here.kubectl("delete", "service", "new")
            running.wait_gone("new", CHANGED)
            assert f"api.{LABEL}" in running.names()
        finally:
            second.start_apiserver()
        running.wait_told("server-back", 5)
        assert running.pod_of(f"api.{LABEL}").startswith("api-there-")
