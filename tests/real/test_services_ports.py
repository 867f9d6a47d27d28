"""Which port leads where, and what cannot be served."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from tests.real.conftest import StartServices
from tests.support import podapp, podclient
from tests.support.running import listens
from tests.support.serving import Services
from tests.support.world import Json, World, port

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]
ECHO, HTTP = podapp.BASE + podapp.ECHO, podapp.BASE + podapp.HTTP


@pytest.fixture(scope="module")
def web(world: World) -> World:
    """One pod, with its HTTP on 7003."""
    world.start(world.pod("web"))
    return world


def outside(world: World, name: str, addresses: list[str], **more: Any) -> list[Json]:
    """A service without a selector, with a slice that somebody wrote by hand."""
    service = world.service(name, [port(80)])
    del service["spec"]["selector"]
    piece = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": f"{name}-1", "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], **more} for address in addresses],
        "ports": [{"name": "p80", "port": HTTP, "protocol": "TCP"}],
    }
    return [service, piece]


def test_target_ports_and_mappings(web: World, services: StartServices) -> None:
    """A mapping changes the laptop's side alone."""
    ports = [port(80, HTTP), port(81, "http"), port(82, "echo"), port(HTTP)]
    web.apply(web.service("plain", ports, app="web"), web.service("other", [port(80, "http")], app="web"))
    with services("--only", "plain,other", "-m", "80:18080", "-m", "plain:82:19082", "-m", "plain:81:18081") as running:
        for number in (18080, 18081, HTTP):
            assert running.pod_of("plain", number) == "web"
        assert running.pod_of("other", 18080) == "web"
        address = running.names()["plain"]
        podclient.run(podclient.echo(19082, host=address))
        assert not any(listens(address, number) for number in (80, 81, 82))


def test_a_named_port_that_moves_in_a_rollout(web: World, services: StartServices) -> None:
    """``http`` is 7003 in old pods and 8003 in new ones."""
    made = web.workload("Deployment", "moves", replicas=2)
    web.start(made, web.service("moves", [port(80, "http")]))
    with services("--only", "moves") as running:
        old = running.pods_of("moves")
        made["spec"]["template"]["spec"] = web.pod_spec(base=8000)
        web.apply(made)
        seen: set[str] = set()

        async def watch() -> None:
            address = running.names()["moves"]
            while len(seen - old) < 2 or len({name for to in _to(running) for name in to}) != 2:
                seen.add(await podclient.pod_of(80, address))
                await asyncio.sleep(0.05)

        podclient.run(watch(), 90)
        web.kubectl("rollout", "status", "deploy/moves", "--timeout=60s")
        assert running.pods_of("moves").isdisjoint(old)
        last = running.told("forwarding", service="moves")[-1]
        assert all(pod.endswith(":8003") for pod in last["to"])


def _to(running: Services) -> list[list[str]]:
    return [event["to"] for event in running.told("forwarding", service="moves")[-1:]]


def test_a_named_port_that_no_container_has(web: World, services: StartServices) -> None:
    """One line, and no listener; the service's other port works."""
    web.apply(web.service("half", [port(80, "http"), port(81, "nowhere")], app="web"))
    web.apply(web.service("none", [port(81, "nowhere")], app="web"))
    with services("--only", "half,none") as running:
        assert running.pod_of("half") == "web"
        assert not listens(running.names()["half"], 81)
        assert "none" not in running.names()
        for name in ("half", "none"):
            (told,) = running.told("not-served", service=name)
            assert (told["port"], told["relay"]) == ("81", False)
            assert "nowhere" in told["reason"]


def test_what_is_not_plain_tcp(web: World, services: StartServices) -> None:
    """Each is named with the reason, and what is TCP works."""
    manual = outside(web, "manual", ["198.18.7.7"])
    pods = outside(web, "by-hand", ["10.0.0.1"], targetRef={"kind": "Pod", "name": "web", "namespace": web.namespace})
    alias = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "alias"}}
    both = [port(53, HTTP, "tcp"), port(53, HTTP, "udp", "UDP"), port(90, HTTP, "sctp", "SCTP")]
    web.apply(
        *manual,
        *pods,
        {**alias, "spec": {"type": "ExternalName", "externalName": "db.example.com"}},
        web.service("dns", [port(53, HTTP, "dns", "UDP")], app="web"),
        web.service("both", both, app="web"),
    )
    with services("--only", "manual,by-hand,alias,dns,both") as running:
        wanted = [
            ("alias", "", "db.example.com"),
            ("both", "53/UDP", "TCP only"),
            ("both", "90/SCTP", "TCP only"),
            ("dns", "53/UDP", "TCP only"),
            ("manual", "", r"no selector.*198\.18\.7\.7"),
        ]
        told = sorted(running.told("not-served"), key=lambda event: (event["service"], event["port"]))
        assert [(event["service"], event["port"], event["relay"]) for event in told] == [
            (service, number, True) for service, number, _ in wanted
        ]
        for event, (_, _, reason) in zip(told, wanted, strict=True):
            assert re.search(reason, event["reason"])
        assert {name for name in running.names() if "." not in name} == {"both", "by-hand"}
        assert running.pod_of("both", 53) == "web"
        assert running.pod_of("by-hand") == "web", "pods that somebody listed by hand are as good as others"


def test_the_service_that_i_am_working_on(web: World, services: StartServices) -> None:
    """Its name leads to a program here, whatever stands behind it in the cluster."""
    web.apply(web.service("mine", [port(80, "http"), port(81, "http")], app="nobody"))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nhere")
        writer.close()

    async def ask(running: Services, own: int) -> bytes:
        async with await asyncio.start_server(answer, "127.0.0.1", own):
            found = (await podclient.http(80, "/", host=running.names()["mine"]))[1]
            # The server is seen within a second.
            await asyncio.to_thread(running.wait_told, "forwarding", 5, service="mine", port=80)
            return found

    own = 28080
    with services("--only", "mine", "--local", f"mine:80={own}") as running:
        assert podclient.run(ask(running, own)) == b"here"
        assert running.told("forwarding", service="mine", port=80)[0]["to"] == [f"localhost:{own}"]
        with pytest.raises(ConnectionError):
            podclient.run(podclient.http(80, "/", host=running.names()["mine"]))
        failed = running.wait_told("connection-failed", 5)
        assert str(own) in str(failed)
