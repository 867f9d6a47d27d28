"""The client of a runtime's socket against a real containerd, and its streams by the URLs that it gives."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairlead.errors import UnreachableError
from fairlead.lab.cri import messages
from fairlead.lab.cri.drivers.netns import socket_inside
from fairlead.lab.cri.errors import CallError, Code
from fairlead.lab.cri.grpc_client import CriClient
from fairlead.lab.cri.sandboxes import Sandbox
from fairlead.protocol.portforward import Outcome
from testbed.cluster import Cluster, pids
from tests.real.conftest import fresh_namespace, world_of
from tests.support import podapp
from tests.support.cri import UPGRADE, SpdyClient, exchange_on
from tests.support.loop import run
from tests.support.world import World

pytestmark = [pytest.mark.real, pytest.mark.node, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster.obtain(f"cri{os.getpid()}") as started:
        yield started


@pytest.fixture(scope="module")
def app(cluster: Cluster) -> Iterator[World]:
    made = fresh_namespace(world_of(cluster), "cri")
    made.start(made.pod("app"))
    yield made
    made.remove_namespace()


def runtime_of(cluster: Cluster) -> tuple[Path, Sandbox]:
    """Its socket, in the node's own file system, and the node's network."""
    pid = pids(cluster)["init"]
    node = Sandbox("node", pid, f"/proc/{pid}/ns/net")
    return Path(f"/proc/{pid}/root/run/containerd/containerd.sock"), node


async def connected(node: Sandbox, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """To a port of the node's loopback."""
    sock = socket_inside(node, socket.AF_INET)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    return await asyncio.open_connection(sock=sock)


def test_questions(cluster: Cluster, app: World) -> None:
    async def main() -> None:
        path, _ = runtime_of(cluster)
        async with CriClient(path) as client:
            version = await client.version()
            assert (version["runtime_name"], version["runtime_api_version"]) == ("containerd", "v1")
            assert (await client.status())["RuntimeReady"]
            labels = {"io.kubernetes.pod.namespace": app.namespace, "io.kubernetes.pod.name": "app"}
            (box,) = await client.list_sandboxes(ready=True, labels=labels)
            assert (box["metadata"]["name"], box["metadata"]["namespace"]) == ("app", app.namespace)
            status = await client.sandbox_status(box["id"])
            assert status["state"] == messages.SandboxState.READY
            assert status["network"]["ip"] == app.get("pod", "app")["status"]["podIP"]
            assert await client.list_sandboxes(sandbox_id="nobody") == []

    run(main())


def test_an_unknown_sandbox(cluster: Cluster) -> None:
    """Refused as by the lab's own runtime."""

    async def main() -> None:
        path, _ = runtime_of(cluster)
        async with CriClient(path) as client:
            with pytest.raises(CallError, match='failed to find sandbox "nobody"') as caught:
                await client.port_forward("nobody")
            assert caught.value.code == Code.NOT_FOUND
        with pytest.raises(UnreachableError):
            await CriClient(Path("/nowhere/containerd.sock")).version()

    run(main())


def test_a_port_forward(cluster: Cluster, app: World) -> None:
    async def main() -> None:
        path, node = runtime_of(cluster)
        async with CriClient(path) as client:
            labels = {"io.kubernetes.pod.namespace": app.namespace, "io.kubernetes.pod.name": "app"}
            (box,) = await client.list_sandboxes(ready=True, labels=labels)
            url = await client.port_forward(box["id"])
        reader, writer = await connected(node, int(url.split(":")[2].split("/")[0]))
        headers = (*UPGRADE, ("X-Stream-Protocol-Version", "portforward.k8s.io"))
        streams = SpdyClient(await exchange_on(reader, writer, url, headers))
        async with asyncio.TaskGroup() as group:
            task = group.create_task(streams.run())
            log = streams.forward(podapp.BASE, b"by the real one", eof=True)
            assert await log.end() == (Outcome.CLEAN, b"by the real one", "")
            task.cancel()
        writer.close()

    run(main())
