"""The API server goes and comes back while names are served: they stay, and are right again at once."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator

import pytest

from testbed.cluster import Cluster
from tests.real.conftest import StartServices, fresh_namespace, world_of
from tests.support import podapp, podclient
from tests.support.serving import Services
from tests.support.world import World, port, within

pytestmark = [pytest.mark.real, pytest.mark.node, pytest.mark.timeout(180)]
HTTP = podapp.BASE + podapp.HTTP
NOTICED, BACK = 10.0, 3.0
"""Seconds to notice, and to be back: promised, as for forward."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster.start(f"sout{os.getpid()}") as started:
        yield started


@pytest.fixture(scope="module")
def world(cluster: Cluster) -> World:
    made = fresh_namespace(world_of(cluster), "outage")
    made.start(
        made.workload("Deployment", "web", replicas=2),
        made.service("web", [port(80, "http")]),
        made.service("each", [port(HTTP)], app="web", clusterIP="None"),
    )
    return made


@pytest.fixture
def running(services: StartServices) -> Iterator[Services]:
    with services() as started:
        assert started.pod_of("web").startswith("web-")
        yield started


def asks(running: Services, limit: float) -> socket.socket:
    """A connection that has said what it wants."""
    sock = socket.create_connection((running.names()["web"], 80), timeout=limit)
    sock.sendall(b"GET /pod HTTP/1.1\r\n\r\n")
    return sock


def test_the_api_server_is_killed_and_started(cluster: Cluster, world: World, running: Services) -> None:
    """Names stay; who connects meanwhile is served; what changes right after is followed at once."""
    names = running.names()
    cluster.stop_apiserver()
    try:
        lost = running.wait_told("server-lost", NOTICED)
        early = asks(running, 40)
    finally:
        cluster.start_apiserver()
    up = time.monotonic()
    with early:
        running.wait_told("server-back", BACK)
        assert b"200 OK" in early.recv(1000)
        assert time.monotonic() - up < BACK
    assert lost["reason"]
    assert running.names() == names
    world.apply(world.service("after", [port(80, "http")], app="web"))
    running.wait_serves("after", 80, limit=BACK)
    within(BACK, lambda: running.told("forwarding", service="after"), "its pods")
    world.kubectl("delete", "service", "after")
    running.wait_gone("after")
    assert running.told_times("server-lost", 1)
    assert running.told_times("server-back", 1)
    assert running.told("connection-failed") == []


def test_packets_vanish(cluster: Cluster, world: World, running: Services) -> None:
    """A pod's program ends meanwhile, which is learned as soon as they come through again."""
    began = time.monotonic()
    with podclient.dial(80, running.names()["web"]) as held:
        held.sendall(b"GET /pod HTTP/1.1\r\n\r\n")
        own = held.recv(1000).rpartition(b"\r\n")[2].decode()
        (other,) = {pod["metadata"]["name"] for pod in world.pods("web")} - {own}
        cluster.drop_packets()
        dropped = time.monotonic()
        try:
            lost = running.wait_told("server-lost", NOTICED + 1)
            assert lost["at"] - began < NOTICED
            cluster.kill_container(other, namespace=world.namespace)
            waits = asks(running, 40)
            time.sleep(max(0.0, began + 20 - time.monotonic()))  # for so long nobody is there
        finally:
            cluster.restore_packets()
        restored = time.monotonic()
        with waits:
            back = running.wait_told("server-back", 5)
            assert back["after"] >= restored - dropped, "since it was last heard of, and not since that was noticed"
            assert back["context"] == lost["context"] != ""
            assert b"200 OK" in waits.recv(1000)
            assert time.monotonic() - restored < 5
        held.sendall(b"GET /pod HTTP/1.1\r\n\r\n")
        assert b"200 OK" in held.recv(1000), "what was open goes on"
    assert running.told("connection-failed") == []


def test_it_ends_while_the_network_is_away(cluster: Cluster, running: Services) -> None:
    cluster.drop_packets()
    try:
        running.wait_told("server-lost", NOTICED + 1)
        running.end()
    finally:
        cluster.restore_packets()
