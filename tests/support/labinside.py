"""A node of the lab for one test: ``labinside SCENARIO`` does it inside, and says what it found as a line of JSON.

Standard library and fairlead only: it runs as an ordinary user, too. The scenarios stand in ``labscenarios``.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import fairlead
from fairlead.host.private.setup import StepError
from fairlead.kit.tasks import Background
from fairlead.lab.images.catalogue import Catalogue
from fairlead.lab.images.catalogue import Machine as Behind
from fairlead.lab.node import enter
from fairlead.lab.node.network import Network
from fairlead.lab.runtime.attaching import Attached, Joined
from fairlead.lab.runtime.config import ContainerConfig, ContainerStatus, Sandbox, SandboxConfig
from fairlead.lab.runtime.machine import Machine
from fairlead.lab.runtime.pod_names import hosts, resolv
from fairlead.lab.runtime.runtime import Runtime
from fairlead.lab.runtime.stdio import Spoken

LIMIT = 20.0
"""Seconds for what a busy machine takes one for."""


class Node:
    """What scenarios work with."""

    def __init__(
        self, runtime: Runtime, network: Network, machine: Machine, told: list[Sandbox | ContainerStatus]
    ) -> None:
        self.runtime = runtime
        self.network = network
        self.machine = machine
        self.told = told

    async def sandbox(self, name: str, **more: Any) -> Sandbox:
        spec = {"hostNetwork": more.get("host_network", False), "hostname": more.get("hostname")}
        pod = {"metadata": {"name": name, "namespace": "default"}, "spec": spec}
        config = SandboxConfig(name, "default", f"uid-{name}", hosts=hosts(pod), resolv=resolv(pod), **more)
        return await self.runtime.run_sandbox(config)

    async def pod(self, name: str, image: str = "busybox", *command: str, **more: Any) -> tuple[Sandbox, str]:
        """A sandbox with one container."""
        sandbox = await self.sandbox(name)
        config = ContainerConfig(name, image, command=command, **more)
        return sandbox, await self.runtime.start_container(sandbox.id, config)

    async def run(self, container: str, *argv: str, stdin: bytes | None = None, tty: bool = False) -> tuple[int, str]:
        """A command in a container: its exit code, and all that it said."""
        joined = await self.runtime.exec(container, argv, stdin=stdin is not None, tty=tty)
        if stdin is not None:
            assert joined.stdin is not None
            os.write(joined.stdin, stdin)
            if not tty:
                os.close(joined.stdin)
        code, said = await self.read(joined)
        if stdin is not None and tty:
            os.close(joined.stdin or -1)
        return code, said.decode()

    async def read(self, process: Joined | Attached) -> tuple[int, bytes]:
        """All that a process says, to its end."""
        assert process.stdout is not None
        said = bytearray()
        spoken = Spoken(process.stdout, process.stderr)
        spoken.listen(lambda _, data: said.extend(data))
        async with asyncio.timeout(LIMIT):
            code = await process.wait()
            await spoken.ended
        return code, bytes(said)

    async def end_of(self, container: str) -> ContainerStatus:
        """A container once it has ended, and that was told."""
        async with asyncio.timeout(LIMIT):
            while not any(isinstance(each, ContainerStatus) and each.id == container for each in self.told):
                await asyncio.sleep(0.005)
        status = self.runtime.status(container)
        assert status is not None
        return status

    async def until_listening(self, address: str, port: int) -> None:
        async with asyncio.timeout(LIMIT):
            while True:
                try:
                    socket.create_connection((address, port), 1).close()
                except OSError:
                    await asyncio.sleep(0.01)
                else:
                    return

    def log(self, container: str) -> str:
        """Its lines, without what is before them."""
        status = self.runtime.status(container)
        assert status is not None
        return "\n".join(line.split(" ", 3)[3] for line in Path(status.log).read_text().splitlines())


Scenario = Callable[[Node], Coroutine[Any, Any, Any]]


async def _inside(scenario: Scenario, folder: str) -> None:
    python = os.environ.get("LAB_PYTHON", sys.executable)
    sources = str(Path(fairlead.__file__).parent.parent)
    behind = Behind(python, os.environ.get("LAB_PREFIX", sys.base_prefix), sources, shutil.which, os.environ)
    machine, network = Machine.learn(folder), Network()
    assert machine.overlays
    if scenario.__name__.endswith("_without_overlays"):
        machine = replace(machine, overlays=False)
    told: list[Sandbox | ContainerStatus] = []
    await network.start()
    async with Background() as tasks:
        runtime = Runtime(machine, Catalogue(behind), told.append, tasks)
        node = Node(runtime, network, machine, told)
        try:
            say(await scenario(node))
        finally:
            await runtime.close()
            network.close()


def say(found: Any) -> None:
    """One line for the test."""
    print(json.dumps(found), flush=True)


def start(main: Callable[[socket.socket], int], folder: str) -> int:
    """A node, to its end."""
    try:
        entered = enter.start(main, scratch=folder, hostname="lab-node")
    except StepError as error:
        say({"step": error.step, "text": error.text})
        return 1
    with entered.link:
        return os.waitstatus_to_exitcode(os.waitpid(entered.process, 0)[1])


def main() -> int:
    from tests.support import labscenarios

    name = sys.argv[1]
    folder = tempfile.mkdtemp(prefix="fairlead-lab-", dir="/tmp")

    def within(link: socket.socket) -> int:
        scenario = getattr(labscenarios, name)
        if name.startswith("plain_"):
            return int(scenario(link, folder))
        asyncio.run(_inside(scenario, folder))
        return 0

    try:
        code = start(within, folder)
        assert os.listdir(folder) == [], "what is in the scratch folder is the node's alone"
    finally:
        os.rmdir(folder)
    return code


def words(text: str) -> Sequence[str]:
    return text.split()


if __name__ == "__main__":
    sys.exit(main())
