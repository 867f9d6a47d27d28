"""One container: its first process, what that reads and writes, and the processes that join it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence

from fairlead.lab.node import kernel
from fairlead.lab.node.spawn import Process, SpawnError, spawn
from fairlead.lab.runtime import becoming
from fairlead.lab.runtime.becoming import Program
from fairlead.lab.runtime.config import ContainerStatus, RuntimeFailure, State
from fairlead.lab.runtime.logs import Log
from fairlead.lab.runtime.root import Root
from fairlead.lab.runtime.stdio import Stdio

REST = 1.0
"""Seconds that output may still come once a process has ended: others may hold its pipes."""
_KINDS = (
    (kernel.NEWNET, "net"), (kernel.NEWUTS, "uts"), (kernel.NEWIPC, "ipc"), (kernel.NEWNS, "mnt"),
    (kernel.NEWUSER, "user"),
)  # fmt: skip
"""In the order in which they are entered: rights over the others end with the user namespace."""


class Running:
    """A process of a container, with what it reads and writes."""

    def __init__(self, process: Process, stdio: Stdio) -> None:
        self.process = process
        self.stdio = stdio

    async def wait(self) -> int:
        """Its exit code as a shell tells it, once all of its output was told."""
        code = await self.process.wait()
        await asyncio.wait([self.stdio.closed], timeout=REST)
        self.stdio.close()
        return 128 - code if code < 0 else code

    def kill(self) -> None:
        """End it at once."""
        self.process.send(signal.SIGKILL)


class Container:
    """A container that was started."""

    def __init__(self, status: ContainerStatus, running: Running, program: Program, log: Log) -> None:
        self.status = status
        self.running = running
        self.program = program
        self.log = log
        self.stop_signal = signal.SIGTERM
        self.guests: set[Running] = set()
        """Processes that joined it."""


async def start(program: Program, sandbox: Sequence[tuple[int, int]], root: Root, *, stdin: bool, log: Log) -> Running:
    """A container's first process, which is the first in a process namespace, too. Raises RuntimeFailure."""
    stdio = Stdio(stdin=stdin, terminal=program.terminal)
    stdio.listen(log)
    made = Root(**{**root.__dict__, "console": stdio.console})
    try:
        process = await spawn(
            lambda step: becoming.container(program, sandbox, made, step),
            stdio=stdio.child,
            around=lambda: kernel.unshared(kernel.NEWPID),
        )
    except BaseException as error:
        stdio.close()
        if isinstance(error, SpawnError | OSError):
            raise RuntimeFailure("RunContainerError", f"failed to start the container: {error}") from error
        raise
    stdio.given()
    return Running(process, stdio)


async def join(container: Container, argv: Sequence[str], *, stdin: bool, tty: bool) -> Running:
    """One more process in the container. Raises RuntimeFailure; its output is to be listened to at once."""
    if container.status.state is not State.RUNNING:
        raise RuntimeFailure("ExecError", f"container {container.status.id} is not running")
    before = container.program
    program = Program(argv, before.env, before.folder, before.identity, terminal=tty)
    if tty:
        program = Program(argv, {"TERM": "xterm", **before.env}, before.folder, before.identity, terminal=True)
    stdio = Stdio(stdin=stdin, terminal=tty)
    held: list[tuple[int, int]] = []
    try:
        processes = _open(container.status.pid, held)
        try:
            process = await spawn(
                lambda step: becoming.guest(program, held, step),
                stdio=stdio.child,
                around=lambda: kernel.among(processes),
            )
        finally:
            os.close(processes)
    except BaseException as error:
        stdio.close()
        if isinstance(error, SpawnError | OSError):
            raise RuntimeFailure("ExecError", f"failed to exec in container: {error}") from error
        raise
    finally:
        for descriptor, _ in held:
            os.close(descriptor)
    running = Running(process, stdio)
    container.guests.add(running)
    process.exited.add_done_callback(lambda _: container.guests.discard(running))
    return running


def _open(pid: int, held: list[tuple[int, int]]) -> int:
    """Descriptors of its namespaces; that of its processes is returned."""
    for kind, name in _KINDS:
        path = f"/proc/{pid}/ns/{name}"
        if kind == kernel.NEWUSER and os.stat(path).st_ino == os.stat("/proc/self/ns/user").st_ino:
            continue  # it is ours, and nobody may enter their own
        held.append((os.open(path, os.O_RDONLY | os.O_CLOEXEC), kind))
    return os.open(f"/proc/{pid}/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
