"""The whole of a user's first hour: two services, one of them headless, used by name, and a third that joins.

In a mount namespace with a hosts file of its own at /etc/hosts, so that names resolve for every program.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import podapp
from tests.support.privateetc import PrivateEtc
from tests.support.serving import CHANGED, Services
from tests.support.world import Json, World, port, within

pytestmark = [pytest.mark.real, pytest.mark.node, pytest.mark.timeout(120)]

HOSTS = b"""##
# Host Database
#
# localhost is used to configure the loopback interface
# when the system is booting.  Do not change this entry.
##
127.0.0.1        localhost
"""


@pytest.fixture(scope="module")
def etc() -> Iterator[PrivateEtc]:
    with PrivateEtc() as made:
        yield made


def deployment(world: World, name: str, app: str) -> Json:
    """Two pods that serve HTTP on 80, as nginx does."""
    made = world.workload("Deployment", app, f"--also=80:{podapp.BASE + podapp.HTTP}", replicas=2)
    return {**made, "metadata": {"name": name}}


@pytest.fixture(scope="module")
def nginx(base_world: World) -> Iterator[World]:
    """In the namespace ``default``, where ``kubernetes`` is."""
    world = base_world
    assert world.namespace == "default"
    world.kubectl("delete", "configmap", "app", "--ignore-not-found")
    world.kubectl("create", "configmap", "app", f"--from-file=app.py={podapp.__file__}")
    job = world.workload("Job", "pi")
    job["spec"]["template"]["spec"]["containers"][0]["command"] = ["true"]
    made = [
        deployment(world, "nginx-deployment", "nginx"),
        deployment(world, "nginx-deployment1", "nginx1"),
        world.service("nginx", [port(80, 80)]),
        world.service("nginx1", [port(80, 80)], clusterIP="None"),
    ]
    try:
        world.apply(job)
        world.start(*made)
        world.kubectl("wait", "--for=condition=Complete", "job/pi", "--timeout=60s")
        yield world
    finally:
        for kind in ("deployment/nginx-deployment", "service/nginx", "deployment/nginx-deployment2", "service/nginx2"):
            world.kubectl("delete", kind, "--ignore-not-found", "--wait=false")
        for kind in ("deployment/nginx-deployment1", "service/nginx1", "job/pi", "configmap/app"):
            world.kubectl("delete", kind, "--ignore-not-found", "--wait=false")


def pods(world: World, app: str) -> list[str]:
    return sorted(pod["metadata"]["name"] for pod in world.pods(app))


def lines(world: World, service: str, *, headless: bool = True) -> list[str]:
    """What a service adds to the hosts file, but for the addresses: one line for it, and one for each pod."""
    owners = [service, *(f"{pod}.{service}" for pod in pods(world, service) if headless)]
    return [f"{name} {name}.default.svc.cluster.local {name}.default {name}.default.svc" for name in owners]


def check_block(path: Path, wanted: list[str]) -> None:
    """Ours stands first, in two lines of comment; each line has an address of its own."""
    content = path.read_text()
    assert content.endswith(HOSTS.decode())
    first, *middle, last = content.removesuffix(HOSTS.decode()).splitlines()
    assert re.fullmatch(r"# fairlead begin pid=\d+ start=\d+ boot=[0-9a-f-]+", first)
    assert re.fullmatch(r"# fairlead end pid=\d+", last)
    assert sorted(line.partition(" ")[2] for line in middle) == sorted(wanted)
    addresses = [line.partition(" ")[0] for line in middle]
    assert len(set(addresses)) == len(addresses)
    assert all(re.fullmatch(r"127\.\d+\.\d+\.\d+", address) for address in addresses)


def curl(etc: PrivateEtc, name: str) -> str:
    """The pod that answers ``http://NAME``."""
    done = subprocess.run(
        [*etc.enter, "curl", "-sS", "--noproxy", "*", "--max-time", "10", f"http://{name}/pod"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def check_answers(etc: PrivateEtc, world: World, service: str, *, headless: bool = True) -> None:
    """Each name by itself: the service's by any of its pods, a pod's by that pod."""
    both = pods(world, service)
    for line in lines(world, service, headless=headless):
        for name in line.split():
            pod = name.partition(".")[0]
            assert curl(etc, name) in ([pod] if pod in both else both)


def said(out: list[str]) -> list[str]:
    """The lines, without the time, and with the end of pods' names as ``*``."""
    found = []
    for line in out:
        match = re.fullmatch(r"(INFO|WARN)\[\d\d:\d\d:\d\d\] (.*)", line)
        assert match, line
        text = re.sub(r"(nginx-deployment\d?)-[0-9a-z]+-[0-9a-z]{5}", r"\1-*", match[2])
        found.append(f"{match[1]} {text}")
    return found


def forwarding(service: str, number: str) -> list[str]:
    """What is said of a headless service."""
    pod = f"nginx-deployment{number}-*"
    return [
        f"INFO Forwarding: {service}:80 to pods {pod}:80, {pod}:80",
        f"INFO Forwarding: {pod}.{service}:80 to pod {pod}:80",
        f"INFO Forwarding: {pod}.{service}:80 to pod {pod}:80",
    ]


def test_the_walk_through(etc: PrivateEtc, nginx: World, tmp_path: Path) -> None:
    hosts = etc.path("/etc/hosts")
    hosts.write_bytes(HOSTS)
    there: dict[str, Any] = {"hosts_file": "/etc/hosts", "seen": hosts, "wrap": etc.enter}
    with Services([f"--kubeconfig={nginx.kubeconfig}"], tmp_path, hosts=HOSTS, json=False, **there) as running:
        check_block(hosts, [*lines(nginx, "nginx1"), *lines(nginx, "nginx", headless=False)])
        within(2, lambda: any("names on" in line for line in running.out), "the last line of the start")
        start = said(running.out)
        assert "WARN service kubernetes in default needs the relay" in start[1]
        assert [line for line in start if "Forwarding" in line] == [
            "INFO Forwarding: nginx:80 to pods nginx-deployment-*:80, nginx-deployment-*:80",
            *forwarding("nginx1", "1"),
        ]
        assert len(start) == 7, start
        assert re.fullmatch(r"INFO A copy of /etc/hosts as it was before the first change is in \S+", start[0])
        assert start[6] == "INFO 16 names on 4 addresses are in /etc/hosts; Ctrl-C ends this."
        check_answers(etc, nginx, "nginx", headless=False)
        check_answers(etc, nginx, "nginx1")

        nginx.apply(
            deployment(nginx, "nginx-deployment2", "nginx2"), nginx.service("nginx2", [port(80, 80)], clusterIP="None")
        )
        nginx.kubectl("rollout", "status", "deploy/nginx-deployment2", "--timeout=60s")
        within(CHANGED, lambda: forwarding("nginx2", "2")[0] in said(running.out), running.said())
        new = said(running.out)[len(start) :]
        assert set(forwarding("nginx2", "2")) <= set(new)
        check_block(hosts, [*lines(nginx, "nginx1"), *lines(nginx, "nginx", headless=False), *lines(nginx, "nginx2")])
        check_answers(etc, nginx, "nginx2")
        before = len(said(running.out))
        running.end()
    ended = said(running.out)[before:]
    pods_of = {service: f"nginx-deployment{service[5:]}-*.{service}" for service in ("nginx1", "nginx2")}
    names = ["nginx", "nginx1", "nginx2", *[pod for pod in pods_of.values() for _ in range(2)]]
    assert sorted(ended[:-1]) == sorted(f"WARN Stopped forwarding {name} in default." for name in names)
    assert ended[-1] == "INFO Done..."
    assert hosts.read_bytes() == HOSTS
    assert running.err == []
