"""The API server goes and comes back, packets vanish, the laptop sleeps. On a cluster of its own."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from testbed.cluster import Cluster
from tests.real.conftest import Start, fresh_namespace, world_of
from tests.support import podapp, podclient
from tests.support.running import Forward
from tests.support.world import World, port

pytestmark = [pytest.mark.real, pytest.mark.node, pytest.mark.timeout(240)]
P = podapp.BASE
NOTICED = 10.0
"""Seconds to notice on an idle lane: promised."""
BACK = 3.0
"""Seconds to be back, from when the network is: promised."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster.start(f"out{os.getpid()}") as started:
        yield started


@pytest.fixture(scope="module")
def world(cluster: Cluster) -> World:
    made = fresh_namespace(world_of(cluster), "outage")
    deployment = made.workload("Deployment", "web", replicas=2)
    made.start(made.pod("app"), deployment, made.service("web", [port(80, "http")]))
    return made


@pytest.fixture
def running(forward: Start) -> Iterator[Forward]:
    """Three targets, so that one line for each change would be three if it were not one."""
    with forward("pod/app", f":{P}", "svc/web", ":80", "deploy/web", f":{P + podapp.SOURCE}") as started:
        podclient.run(podclient.echo(started.port(P)))
        yield started


def works_within(running: Forward, limit: float) -> None:
    """New connections to all targets have an answer before the limit is over."""
    began = time.monotonic()
    podclient.run(podclient.echo(running.port(P)))
    podclient.run(podclient.pod_of(running.port(P + podapp.HTTP)))
    podclient.run(podclient.download(running.port(P + podapp.SOURCE), 10_000))
    took = time.monotonic() - began
    assert took < limit, f"{took:.1f} s"


class Asking:
    """A connection that is opened while the network is away, and its answer."""

    def __init__(self, local: int) -> None:
        self.error: BaseException | None = None
        self.ended = 0.0
        self._local = local
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            podclient.run(podclient.echo(self._local))
        except (ConnectionError, EOFError) as error:
            self.error = error
        self.ended = time.monotonic()

    def join(self, limit: float) -> None:
        self._thread.join(limit)
        assert not self._thread.is_alive()


def test_the_api_server_is_stopped_and_started(cluster: Cluster, running: Forward) -> None:
    began = time.monotonic()
    cluster.stop_apiserver()
    try:
        lost = running.wait_told("server-lost", NOTICED)
        assert lost["at"] - began < NOTICED
        asking = Asking(running.port(P))
    finally:
        cluster.start_apiserver()
    up = time.monotonic()
    back = running.wait_told("server-back", BACK)
    assert back["at"] - up < BACK
    asking.join(BACK + 5)
    assert asking.error is None
    assert asking.ended - up < BACK
    works_within(running, BACK)
    assert running.told_times("server-lost", 1)
    assert running.told_times("server-back", 1)
    assert running.told("connection-failed") == []


def test_the_pods_change_while_the_api_server_is_away(cluster: Cluster, world: World, running: Forward) -> None:
    """What was missed is learned at once when it is back."""
    old = podclient.run(podclient.pod_of(running.port(P + podapp.HTTP)))
    cluster.stop_apiserver()
    try:
        running.wait_told("server-lost", NOTICED)
    finally:
        cluster.start_apiserver()
    world.kill(old)
    running.wait_told("pod-gone", 15, pod=old)
    works_within(running, 5)


class Dials:
    """Counts the TCP connections that the laptop begins to the API server, by the ports that they come from."""

    NAME = "fairlead_test_dials"

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._nft(
            f"add table inet {self.NAME}",
            f"add set inet {self.NAME} ports {{ type inet_service; flags dynamic; size 65535; }}",
            # Before the rule that drops them.
            f"add chain inet {self.NAME} seen {{ type filter hook prerouting priority -500; }}",
            f"add rule inet {self.NAME} seen iifname eth0 tcp dport 6443 tcp flags & (syn | ack) == syn"
            " add @ports { tcp sport }",
        )

    def take(self) -> int:
        """How many there were; from now on none is counted."""
        listed = json.loads(self._cluster.node_exec(["nft", "-j", "list", "set", "inet", self.NAME, "ports"]).stdout)
        self._nft(f"delete table inet {self.NAME}")
        return len(next(each["set"].get("elem", []) for each in listed["nftables"] if "set" in each))

    def _nft(self, *lines: str) -> None:
        self._cluster.node_exec(["nft", "-f", "-"], text="\n".join(lines))


def test_packets_vanish_for_a_minute(cluster: Cluster, running: Forward) -> None:
    with podclient.dial(running.port(P)) as held:
        held.sendall(b"x")
        assert held.recv(1) == b"x"
        before = running.descriptors
        began = time.monotonic()
        cluster.drop_packets()
        try:
            lost = running.wait_told("server-lost", NOTICED + 1)
            assert lost["at"] - began < NOTICED
            early = Asking(running.port(P))
            assert running.descriptors <= before + 6
            dials, since = Dials(cluster), time.monotonic()
            time.sleep(max(0.0, began + 45 - time.monotonic()))
            rate = dials.take() / (time.monotonic() - since)
            assert 0.3 < rate < 0.7, f"{rate:.2f} connects a second, not one in two seconds for all three targets"
            late = Asking(running.port(P))
            time.sleep(max(0.0, began + 60 - time.monotonic()))
            assert running.descriptors <= before + 6
        finally:
            cluster.restore_packets()
    restored = time.monotonic()
    back = running.wait_told("server-back", BACK + 1)
    assert back["at"] - restored < BACK
    late.join(10)
    assert late.error is None, "what had waited for 15 s is served"
    assert late.ended - restored < BACK
    early.join(1)
    assert isinstance(early.error, ConnectionError), "what had waited for 30 s was told so"
    assert 28 < early.ended - lost["at"] < 34
    words = [event["words"] for event in running.told("connection-failed")]
    assert any("API server" in said for said in words), words
    works_within(running, BACK)
    assert running.told_times("server-lost", 1)
    assert running.told_times("server-back", 1)


def test_a_short_silence_hurts_nobody(cluster: Cluster, running: Forward) -> None:
    """3 s without packets are less than anybody's patience: TCP sends again what was lost."""
    with podclient.dial(running.port(P)) as held:
        held.sendall(b"x")
        assert held.recv(1) == b"x"
        cluster.drop_packets()
        held.sendall(b"y")
        time.sleep(3)
        cluster.restore_packets()
        assert held.recv(1) == b"y"
    assert running.told("server-lost") == []
    assert running.told("connection-failed") == []


@pytest.mark.parametrize("how", ["dropped", "frozen"])
def test_what_is_open_outlives_an_outage(how: str, cluster: Cluster, running: Forward) -> None:
    """As it does with kubectl: TCP goes on where it was, also with what was sent meanwhile."""
    away, back = {
        "dropped": (cluster.drop_packets, cluster.restore_packets),
        "frozen": (cluster.freeze_apiserver, cluster.thaw_apiserver),
    }[how]
    with podclient.dial(running.port(P), timeout=40) as idle, podclient.dial(running.port(P), timeout=40) as busy:
        for held in (idle, busy):
            held.sendall(b"x")
            assert held.recv(1) == b"x"
        away()
        try:
            busy.sendall(b"y")
            running.wait_told("server-lost", NOTICED + 1)
            time.sleep(6)  # longer than any proof that one lane is dead
        finally:
            back()
        running.wait_told("server-back", BACK + 1)
        assert busy.recv(1) == b"y"
        idle.sendall(b"z")
        assert idle.recv(1) == b"z"
    works_within(running, BACK)
    assert running.told("connection-failed") == []


def test_the_laptop_sleeps(running: Forward) -> None:
    """20 s later everybody else is still there: what was open goes on, and what is new works."""
    with podclient.dial(running.port(P)) as held:
        held.sendall(b"x")
        assert held.recv(1) == b"x"
        running.process.send_signal(signal.SIGSTOP)
        time.sleep(20)
        running.process.send_signal(signal.SIGCONT)
        works_within(running, BACK)
        held.sendall(b"y")
        assert held.recv(1) == b"y"
    assert running.told("server-lost") == []
    assert running.told("connection-failed") == []


def test_the_api_server_hangs(cluster: Cluster, running: Forward) -> None:
    """TCP connections open, and nothing answers: what comes meanwhile waits, and is served when it goes on."""
    began = time.monotonic()
    cluster.freeze_apiserver()
    try:
        lost = running.wait_told("server-lost", NOTICED + 1)
        assert lost["at"] - began < NOTICED
        assert lost["reason"].endswith("accepts connections and does not answer")
        asking = Asking(running.port(P))
        time.sleep(20)
    finally:
        cluster.thaw_apiserver()
    thawed = time.monotonic()
    back = running.wait_told("server-back", BACK)
    assert back["at"] - thawed < BACK
    asking.join(BACK + 5)
    assert asking.error is None
    assert asking.ended - thawed < BACK
    works_within(running, BACK)
    assert running.told_times("server-lost", 1)
    assert running.told_times("server-back", 1)
    assert running.told("connection-failed") == []


def test_it_ends_while_the_network_is_away(cluster: Cluster, forward: Start) -> None:
    with forward("pod/app", f":{P}") as running:
        cluster.drop_packets()
        try:
            asking = Asking(running.port(P))
            running.wait_told("handling", 5)
            running.end(signal.SIGINT, 0)
            asking.join(5)
            assert isinstance(asking.error, ConnectionError)
        finally:
            cluster.restore_packets()


@pytest.mark.parametrize("service", ["kubelet", "containerd"])
def test_a_program_of_the_node_is_killed_and_started(service: str, cluster: Cluster, running: Forward) -> None:
    """All lanes go through it: what is open is reset, what comes meanwhile waits, and no API server is missed."""
    with podclient.dial(running.port(P)) as held:
        held.sendall(b"x")
        assert held.recv(1) == b"x"
        cluster.stop_service(service)
        try:
            with pytest.raises(ConnectionResetError):
                held.recv(1)
            asking = Asking(running.port(P))
            time.sleep(3)
        finally:
            cluster.start_service(service)
        asking.join(25)
    assert asking.error is None
    works_within(running, BACK)
    assert running.told("server-lost") == []
    assert running.told("pod-gone") == []
    failed = running.told("connection-failed")
    assert len(failed) == 1, failed
