"""A headless service: a name for each pod, and its own for those that are ready, in turn."""

from __future__ import annotations

import pytest

from tests.real.conftest import StartServices
from tests.support import podapp, podclient
from tests.support.world import World, port, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]
ECHO, HTTP = podapp.BASE + podapp.ECHO, podapp.BASE + podapp.HTTP


@pytest.fixture(scope="module")
def kafka(world: World) -> World:
    """Three pods with names that stay, and a headless service whose ports are not all the pods' own."""
    ports = [port(9092, "echo"), port(HTTP, "http")]
    made = world.workload("StatefulSet", "kafka", replicas=3, more={"podManagementPolicy": "Parallel"})
    world.start(world.service("kafka", ports, clusterIP="None"), made)
    return world


def echoes(address: str, number: int) -> None:
    podclient.run(podclient.echo(number, host=address))


def test_each_pod_has_its_name_and_address(kafka: World, services: StartServices) -> None:
    with services() as running:
        addresses = {running.names()["kafka"]}
        for index in range(3):
            name = f"kafka-{index}"
            short = f"{name}.kafka"
            full = f"{short}.{kafka.namespace}.svc.cluster.local"
            for form in (short, full, f"{short}.{kafka.namespace}", f"{short}.{kafka.namespace}.svc"):
                assert running.pod_of(form, HTTP) == name
            addresses.add(running.names()[short])
            echoes(running.names()[short], 9092)
            echoes(running.names()[short], ECHO)
        assert len(addresses) == 4
        echoes(running.names()["kafka"], 9092)
        echoes(running.names()["kafka"], ECHO)
        assert running.pods_of("kafka", HTTP, 30) == {"kafka-0", "kafka-1", "kafka-2"}


def test_names_come_and_go_with_pods(kafka: World, services: StartServices) -> None:
    """The rest stays where it is, also for a pod that comes back under its name."""
    with services() as running:
        before = running.names()
        kafka.kubectl("scale", "statefulset/kafka", "--replicas=5")
        for index in (3, 4):
            running.wait_serves(f"kafka-{index}.kafka", HTTP, limit=30)
        kafka.kubectl("rollout", "status", "statefulset/kafka", "--timeout=60s")
        within(3, lambda: running.pods_of("kafka", HTTP, 30) >= {"kafka-3", "kafka-4"}, "the new ones are used")
        assert running.pod_of("kafka-4.kafka", HTTP) == "kafka-4"

        kafka.kubectl("delete", "pod", "kafka-1", "--wait=true")
        kafka.kubectl("rollout", "status", "statefulset/kafka", "--timeout=60s")
        assert running.pod_of("kafka-1.kafka", HTTP) == "kafka-1"
        assert running.names()["kafka-1.kafka"] == before["kafka-1.kafka"]

        kafka.kubectl("scale", "statefulset/kafka", "--replicas=2")
        kafka.kubectl("wait", "--for=delete", "pod/kafka-2", "pod/kafka-3", "pod/kafka-4", "--timeout=60s")
        for index in (2, 3, 4):
            running.wait_gone(f"kafka-{index}.kafka")
        within(3, lambda: running.pods_of("kafka", HTTP, 10) == {"kafka-0", "kafka-1"}, "those that are left")
        assert running.names() == {name: at for name, at in before.items() if not name.startswith("kafka-2.")}
        kafka.kubectl("scale", "statefulset/kafka", "--replicas=3")
        assert running.wait_serves("kafka-2.kafka", HTTP, limit=30) == before["kafka-2.kafka"]
        assert len(running.told("stopped-forwarding", pod="kafka-2")) == 1


def test_a_pod_that_is_not_ready_keeps_its_name(kafka: World, services: StartServices) -> None:
    """Its own connections wait; the service's go to the others. With publishNotReadyAddresses it is used."""
    pod = kafka.pod("slow", "--delay=3", label="slow")
    kafka.apply(
        pod,
        kafka.service("slow", [port(HTTP)], clusterIP="None"),
        kafka.service("early", [port(HTTP)], app="slow", clusterIP="None", publishNotReadyAddresses=True),
    )
    kafka.wait_ready(pod)
    with services("--only", "slow,early", "--wait", "20s") as running:
        podclient.run(podclient.http(HTTP, "/none", host=running.names()["slow"]))
        spec = {**kafka.pod_spec(), "hostname": "first", "subdomain": "slow"}
        spec["containers"][0]["readinessProbe"]["httpGet"]["path"] = "/no-such"
        kafka.apply(kafka.pod("never", spec=spec, label="slow"))
        address = running.wait_serves("first.slow", HTTP, limit=30)
        assert running.names()["never.slow"] == address, "its own name, and the one that cluster DNS has"
        running.wait_told("forwarding", 30, service="early", pod="never")
        assert running.pods_of("slow", HTTP, 20) == {"slow"}
        within(10, lambda: running.pods_of("early", HTTP, 20) == {"slow", "never"}, "both")
        assert running.told("forwarding", service="slow", pod="never") == []
        running.wait_told("service-state", 5, service="slow", pod="never", state="waiting")
