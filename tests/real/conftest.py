"""The cluster of the real tests, and what each of them gets of it.

By default that is a cluster of ours (the one that FAIRLEAD_TESTBED names, or a new one). FAIRLEAD_TEST_KUBECONFIG runs
the same tests on a cluster of the user's, in namespaces that they make and remove; FAIRLEAD_TEST_IMAGE names an image
with a Python, FAIRLEAD_TEST_KUBECTL the kubectl to compare with. Tests that own the node are listed as not run there.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from testbed import images
from testbed.cluster import Cluster
from tests.support.gate import Gate
from tests.support.roles import SLICES, VIEW, kubeconfig, may_forward, token
from tests.support.run_user import Inside, Run, RunUser
from tests.support.running import Forward
from tests.support.serving import Services
from tests.support.world import Json, World, user_cluster, within

PUBLIC_IMAGE = "docker.io/library/python:3-alpine"
Start = Callable[..., Forward]
StartServices = Callable[..., Services]
StartRun = Callable[..., Run]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A user's cluster keeps its node to itself."""
    if user_cluster() is not None:
        for item in items:
            if item.get_closest_marker("node"):
                item.add_marker(pytest.mark.skip(reason="owns the node: not run on a cluster of the user's"))


def world_of(cluster: Cluster) -> World:
    """The default namespace of a cluster of ours."""
    return World(cluster.kubeconfig, str(cluster.kubectl), images.TEST, "Never")


@pytest.fixture(scope="session")
def base_world() -> Iterator[World]:
    """The cluster that all tests share."""
    user = user_cluster()
    if user is not None:
        kubectl = os.environ.get("FAIRLEAD_TEST_KUBECTL") or shutil.which("kubectl")
        assert kubectl, "kubectl is needed: FAIRLEAD_TEST_KUBECTL names it"
        yield World(user, kubectl, os.environ.get("FAIRLEAD_TEST_IMAGE", PUBLIC_IMAGE), "IfNotPresent")
        return
    with Cluster.obtain(f"real{os.getpid()}") as cluster:
        yield world_of(cluster)


def fresh_namespace(base: World, name: str) -> World:
    """A namespace of its own, with the test program in it; a world to work there."""
    made = replace(base)
    made.make_namespace(f"fl-{re.sub('[^a-z0-9]+', '-', name)}-{os.getpid()}")
    return made


@pytest.fixture(scope="module")
def world(base_world: World, request: pytest.FixtureRequest) -> Iterator[World]:
    """A namespace for one module."""
    made = fresh_namespace(base_world, request.module.__name__.rpartition("test_")[2])
    try:
        yield made
    finally:
        made.remove_namespace()


@pytest.fixture(scope="module")
def app(world: World) -> World:
    """One pod of the test program, named ``app``, with a service of that name in front."""
    ports = [{"port": 80, "targetPort": "http", "name": "http"}, {"port": 81, "targetPort": "echo", "name": "echo"}]
    world.start(world.pod("app"), world.service("app", ports))
    return world


@pytest.fixture
def forward(world: World) -> Start:
    """Start ``fairlead forward`` in the module's namespace."""

    def start(*words: str, **more: Any) -> Forward:
        return Forward([*options(world), *words], **more)

    return start


@pytest.fixture
def services(world: World, tmp_path: Path) -> StartServices:
    """Start ``fairlead services`` with its files in ``folder``, in the module's namespace if no other is named."""

    def start(*words: str, folder: Path = tmp_path, **more: Any) -> Services:
        chosen = {"-n", "-A", "--config", "-x"}.intersection(words)
        return Services([*options(world)[: 1 if chosen else 2], *words], folder, **more)

    return start


@pytest.fixture(scope="module")
def user(base_world: World) -> Iterator[RunUser]:
    """Who runs ``fairlead run``."""
    with RunUser(base_world.kubeconfig) as made:
        yield made


@pytest.fixture
def run(world: World, user: RunUser) -> StartRun:
    """Start ``fairlead run`` with a command, and ``words`` before it, in the module's namespace."""

    def start(*command: str | Path, words: Sequence[str] = (), **more: Any) -> Run:
        return Run(user, [f"--namespace={world.namespace}", *words], command, **more)

    return start


@pytest.fixture(scope="module")
def inside(app: World, user: RunUser) -> Iterator[Inside]:
    """One run for all tests of a module, which does what they ask for."""
    with Inside(user, [f"--namespace={app.namespace}"]) as running:
        yield running


@pytest.fixture(scope="module")
def raw(world: World) -> Json:
    """The kubeconfig, whole."""
    found: Json = json.loads(world.kubectl("config", "view", "--minify", "--raw", "--flatten", "-o", "json"))
    return found


@pytest.fixture(scope="module")
def server(raw: Json) -> str:
    url: str = raw["clusters"][0]["cluster"]["server"]
    return url


@pytest.fixture(scope="module")
def trust(raw: Json) -> ssl.SSLContext:
    """Trusts the server as the kubeconfig does, without any user."""
    context = ssl.create_default_context()
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    authority = raw["clusters"][0]["cluster"].get("certificate-authority-data")
    if authority:
        context.load_verify_locations(cadata=base64.b64decode(authority).decode())
    return context


@pytest.fixture
def caches(tmp_path: Path) -> dict[str, str]:
    """An environment in which no earlier run is remembered."""
    return {"XDG_CACHE_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path)}


@pytest.fixture(scope="module")
def both(app: World) -> str:
    """Who may do all that forward needs."""
    return token(app, "both", VIEW, SLICES, may_forward("get", "create"))


@pytest.fixture
def gate(server: str, trust: ssl.SSLContext, both: str) -> Iterator[Gate]:
    with Gate(server, trust, both) as made:
        yield made


@pytest.fixture
def through(gate: Gate, app: World, tmp_path: Path, caches: dict[str, str]) -> Any:
    """Start a forward through the gate."""

    def start(*words: str, **more: Any) -> Forward:
        config = kubeconfig(tmp_path / "config", gate.url, app.namespace)
        return Forward([*config, *words], env=caches, **more)

    return start


def options(world: World) -> Sequence[str]:
    """The global options that lead to this namespace."""
    return (f"--kubeconfig={world.kubeconfig}", f"--namespace={world.namespace}")


__all__ = ["Start", "StartRun", "StartServices", "fresh_namespace", "options", "within", "world_of"]
