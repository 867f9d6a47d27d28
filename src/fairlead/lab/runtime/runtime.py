"""The container runtime: sandboxes and the containers in them, by their ids."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from fairlead.kit.tasks import Background
from fairlead.lab.images.catalogue import Catalogue, Image, ImageError
from fairlead.lab.runtime import containers
from fairlead.lab.runtime.argv import PATH, command_line, environment
from fairlead.lab.runtime.attaching import Attached, Joined
from fairlead.lab.runtime.becoming import Identity, Program
from fairlead.lab.runtime.config import (
    ContainerConfig,
    ContainerStatus,
    NodeError,
    Sandbox,
    SandboxConfig,
    State,
)
from fairlead.lab.runtime.containers import Container
from fairlead.lab.runtime.layout import layout, mount_points
from fairlead.lab.runtime.logs import Log
from fairlead.lab.runtime.machine import Machine
from fairlead.lab.runtime.pod_names import LOCALHOST, NSSWITCH
from fairlead.lab.runtime.root import Root, look
from fairlead.lab.runtime.sandboxes import Held, Sandboxes
from fairlead.lab.runtime.stdio import Spoken

MOST_SAID = 16 << 10
"""Bytes of a command's output that are kept, as of a probe's."""

Ended = Callable[[Sandbox | ContainerStatus], None]
"""Told of each container that ended, and of each sandbox that is not ready any more by no wish of ours."""


def _utc() -> datetime:
    return datetime.now(UTC)


class Runtime:
    """All that runs on the node. One object for the main process, in the node's namespaces."""

    def __init__(
        self,
        machine: Machine,
        catalogue: Catalogue,
        ended: Ended,
        tasks: Background,
        *,
        now: Callable[[], datetime] = _utc,
        token: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._machine = machine
        self._catalogue = catalogue
        self._told = ended
        self._tasks = tasks
        self._now = now
        self._token = token
        self._sandboxes = Sandboxes(ended)
        self._held: dict[str, Held] = {}
        self._containers: dict[str, Container] = {}

    # -- sandboxes --

    async def run_sandbox(self, config: SandboxConfig) -> Sandbox:
        """Make a sandbox. Raises NodeError."""
        ident = self._token(32).hex()
        held = await self._sandboxes.make(ident, config, self._now())
        self._held[ident] = held
        return held.sandbox

    async def stop_sandbox(self, sandbox_id: str) -> None:
        """End all in it at once; it stays known, and is not ready. One that is not known is none."""
        held = self._held.get(sandbox_id)
        if held is None:
            return
        held.sandbox.state = State.NOTREADY
        for container in self._of(sandbox_id):
            await self.stop_container(container.status.id, 0)
        await self._sandboxes.end(held)

    async def remove_sandbox(self, sandbox_id: str) -> None:
        """End it and forget it, with its containers and their logs."""
        await self.stop_sandbox(sandbox_id)
        for container in list(self._of(sandbox_id)):
            self.remove_container(container.status.id)
        self._held.pop(sandbox_id, None)

    def get(self, sandbox_id: str) -> Sandbox | None:
        """The sandbox of that id."""
        held = self._held.get(sandbox_id)
        return held.sandbox if held is not None else None

    def sandboxes(self) -> list[Sandbox]:
        """All that are known."""
        return [held.sandbox for held in self._held.values()]

    # -- containers --

    def image(self, name: str) -> Image:
        """What an image's name stands for. Raises NodeError."""
        try:
            return self._catalogue.find(name)
        except ImageError as error:
            raise NodeError(error.reason, error.message) from error

    async def start_container(self, sandbox_id: str, config: ContainerConfig) -> str:
        """Start a container; its id. Raises NodeError."""
        held = self._held.get(sandbox_id)
        if held is None or not held.is_ready():
            raise NodeError("CreateContainerError", f"the sandbox {sandbox_id} is not ready")
        image = self.image(config.image)
        program = self._program(config, image, held.sandbox)
        ident = self._token(32).hex()
        log = Log(self._machine.log(held.sandbox.config, config), self._now)
        root = self._root(config, image, held.sandbox, program)
        try:
            process, ends = await containers.start(program, held.namespaces, root, stdin=config.stdin)
        except BaseException:
            log.close()
            raise
        status = ContainerStatus(ident, sandbox_id, config, image.name, log.path, process.pid, self._now())
        container = Container(status, process, ends, program, log)
        container.stop_signal = signal.Signals[image.stop_signal]
        self._containers[ident] = container
        process.exited.add_done_callback(lambda _: self._watch(container))
        if not held.is_ready():
            process.send(signal.SIGKILL)  # it was stopped meanwhile
        return ident

    async def stop_container(self, container_id: str, grace: float) -> None:
        """Its image's stop signal, and SIGKILL after ``grace`` seconds; returns once it has ended."""
        container = self._containers.get(container_id)
        if container is None or container.status.state is State.EXITED:
            return
        process = container.process
        if grace > 0:
            process.send(container.stop_signal)
            await asyncio.wait([process.exited], timeout=grace)
        process.send(signal.SIGKILL)
        await process.wait()
        await self._ended(container)

    def remove_container(self, container_id: str) -> None:
        """Forget one that has ended, with its log."""
        container = self._containers.get(container_id)
        if container is None or container.status.state is State.RUNNING:
            return
        del self._containers[container_id]
        for path in (container.status.log, f"{container.status.log}.1"):
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass  # it had none

    def status(self, container_id: str) -> ContainerStatus | None:
        """A container as it is now."""
        container = self._containers.get(container_id)
        return container.status if container is not None else None

    def containers(self, sandbox_id: str = "") -> list[ContainerStatus]:
        """Those of a sandbox, or all."""
        return [container.status for container in self._of(sandbox_id)]

    async def exec(self, container_id: str, argv: Sequence[str], *, tty: bool = False, stdin: bool = False) -> Joined:
        """One more process in a container that runs. Raises NodeError."""
        return await containers.join(self._container(container_id), argv, stdin=stdin, tty=tty)

    async def exec_sync(self, container_id: str, argv: Sequence[str], timeout: float) -> tuple[int, bytes]:
        """Run a command to its end: its exit code, and the first bytes that it said. TimeoutError, and NodeError."""
        process = await self.exec(container_id, argv)
        said = bytearray()
        assert process.stdout is not None
        spoken = Spoken(process.stdout, process.stderr)
        spoken.listen(lambda _, data: said.extend(data[: max(0, MOST_SAID - len(said))]))
        try:
            async with asyncio.timeout(timeout):
                code = await process.wait()
                await asyncio.wait([spoken.ended], timeout=containers.REST)
        finally:
            process.leave()
            spoken.close()
        return code, bytes(said)

    async def attach(self, container_id: str, *, tty: bool = False, stdin: bool = False) -> Attached:
        """A container's own process, what it says from now on. Raises NodeError.

        Whether that has a terminal the container decides, whatever the client asks for.
        """
        container = self._container(container_id)
        if container.status.state is not State.RUNNING:
            raise NodeError("AttachError", f"container {container_id} is not running")
        return container.attach(stdin=stdin)

    def known(self, container_id: str) -> bool:
        """Whether there is such a container, and it runs."""
        container = self._containers.get(container_id)
        return container is not None and container.status.state is State.RUNNING

    async def close(self) -> None:
        """End everything."""
        await asyncio.gather(*(self.remove_sandbox(ident) for ident in list(self._held)))
        self._sandboxes.close()

    # -- how --

    def _of(self, sandbox_id: str) -> list[Container]:
        return [each for each in self._containers.values() if sandbox_id in ("", each.status.sandbox)]

    def _container(self, container_id: str) -> Container:
        container = self._containers.get(container_id)
        if container is None:
            raise NodeError("ExecError", f"container {container_id} is not known")
        return container

    def _program(self, config: ContainerConfig, image: Image, sandbox: Sandbox) -> Program:
        own = environment(config.env)
        argv = command_line(config.command, config.args, image.entrypoint, image.args, own)
        if not argv:
            raise NodeError("CreateContainerError", f"no command is given, and {config.image} has none")
        config_name = sandbox.config.hostname or sandbox.config.name
        hostname = socket.gethostname() if sandbox.host_network else config_name
        home = "/" if config.user else "/root"
        terminal = {"TERM": "xterm"} if config.tty else {}
        env = {"PATH": PATH, "HOSTNAME": hostname, "HOME": home, **terminal, **image.env, **own}
        return Program(argv, env, config.folder or image.folder, self._identity(config), terminal=config.tty)

    def _identity(self, config: ContainerConfig) -> Identity:
        user, group = config.user or 0, config.group or 0
        return Identity(user, group, config.groups, mapped=self._machine.has_ids({user, group, *config.groups}))

    def _root(self, config: ContainerConfig, image: Image, sandbox: Sandbox, program: Program) -> Root:
        hosts = sandbox.config.hosts.replace(b"{ip}", sandbox.ip.encode())
        files = {
            "/etc/hosts": LOCALHOST + hosts,
            "/etc/hostname": program.env["HOSTNAME"].encode() + b"\n",
            "/etc/resolv.conf": sandbox.config.resolv,
            "/etc/nsswitch.conf": NSSWITCH,
        }
        own = {bind.target.rstrip("/") for bind in config.binds}
        files = {path: data for path, data in files.items() if path not in own}
        folders = [*image.folders, program.folder]
        needed = [*files, *image.programs, *(bind.target for bind in config.binds), *(f"{each}/." for each in folders)]
        parts = layout(
            look, self._mounted(), closed=[self._machine.scratch], overlays=self._machine.overlays, needed=needed
        )
        return Root(
            self._machine.workplace, parts, config.binds, files, image.programs, folders, image.kept,
            read_only=config.read_only,
        )  # fmt: skip

    def _mounted(self) -> list[str]:
        with open("/proc/self/mountinfo") as file:
            return mount_points(file.read())

    def _watch(self, container: Container) -> None:
        """It has ended, and somebody is to hear of it once its output is all there."""
        self._tasks.start(self._ended(container), name=f"the end of container {container.status.config.name}")

    async def _ended(self, container: Container) -> None:
        code = await container.wait()
        status = container.status
        if status.state is State.EXITED:
            return
        status.state, status.finished, status.code = State.EXITED, self._now(), code
        status.signal = max(0, -container.process.exited.result())
        status.reason = "Error" if code else "Completed"
        container.close()
        self._told(status)
