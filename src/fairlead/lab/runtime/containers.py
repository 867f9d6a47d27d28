"""Containers: the first process of each, what that reads and writes, and the processes that join it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from dataclasses import replace

from fairlead.lab.node import kernel
from fairlead.lab.node.spawn import Process, SpawnError, spawn
from fairlead.lab.runtime import becoming
from fairlead.lab.runtime.attaching import Attached, Joined, exit_code
from fairlead.lab.runtime.becoming import Program
from fairlead.lab.runtime.config import ContainerStatus, NodeError, State
from fairlead.lab.runtime.logs import Log
from fairlead.lab.runtime.root import Root
from fairlead.lab.runtime.stdio import Ends, Spoken

REST = 1.0
"""Seconds that output may still come once a process has ended: others may hold its pipes."""
_KINDS = (
    (kernel.NEWNET, "net"), (kernel.NEWUTS, "uts"), (kernel.NEWIPC, "ipc"), (kernel.NEWNS, "mnt"),
    (kernel.NEWUSER, "user"),
)  # fmt: skip
"""In the order in which they are entered: rights over the others end with the user namespace."""


class Container:
    """A container that was started."""

    def __init__(self, status: ContainerStatus, process: Process, ends: Ends, program: Program, log: Log) -> None:
        self.status = status
        self.process = process
        self.program = program
        self.log = log
        self.stop_signal = signal.SIGTERM
        self.spoken = Spoken(ends.stdout, ends.stderr)
        self.spoken.listen(log)
        self.stdin = ends.stdin
        """What it reads, for whoever attaches; None if that was given away, or never was."""

    async def wait(self) -> int:
        """Its exit code, as a shell tells it, once all that it said was told."""
        code = await self.process.wait()
        await asyncio.wait([self.spoken.ended], timeout=REST)
        self.spoken.close()
        return exit_code(code)

    def attach(self, *, stdin: bool) -> Attached:
        """It, for one client. Where it has input once, that ends with this client."""
        config = self.status.config
        given = None
        if stdin and self.stdin is not None:
            given = self.stdin if config.stdin_once else os.dup(self.stdin)
            if config.stdin_once:
                self.stdin = None
        return Attached(self.spoken, self.wait, given, tty=config.tty)

    def close(self) -> None:
        """It has ended."""
        self.log.close()
        if self.stdin is not None:
            os.close(self.stdin)
            self.stdin = None


async def start(
    program: Program, sandbox: Sequence[tuple[int, int]], root: Root, *, stdin: bool
) -> tuple[Process, Ends]:
    """A container's first process, which is the first in a process namespace, too. Raises NodeError."""
    ends = Ends(stdin=stdin, terminal=program.terminal)
    made = replace(root, console=ends.console)
    try:
        process = await spawn(
            lambda step: becoming.container(program, sandbox, made, step),
            stdio=ends.child,
            around=lambda: kernel.unshared(kernel.NEWPID),
        )
    except BaseException as error:
        ends.close()
        if isinstance(error, SpawnError | OSError):
            raise NodeError("RunContainerError", f"failed to start the container: {error}") from error
        raise
    ends.given()
    return process, ends


async def join(container: Container, argv: Sequence[str], *, stdin: bool, tty: bool) -> Joined:
    """One more process in the container. Raises NodeError."""
    if container.status.state is not State.RUNNING:
        raise NodeError("ExecError", f"container {container.status.id} is not running")
    before = container.program
    env = {"TERM": "xterm", **before.env} if tty else before.env
    program = replace(before, argv=argv, env=env, terminal=tty)
    try:
        ends = Ends(stdin=stdin, terminal=tty, terminals=f"/proc/{container.status.pid}/root/dev/pts")
    except OSError as error:
        raise NodeError("ExecError", f"failed to exec in container: open a terminal: {error.strerror}") from error
    held: list[tuple[int, int]] = []
    try:
        processes = _open(container.status.pid, held)
        try:
            process = await spawn(
                lambda step: becoming.guest(program, held, step),
                stdio=ends.child,
                around=lambda: kernel.among(processes),
            )
        finally:
            os.close(processes)
    except BaseException as error:
        ends.close()
        if isinstance(error, SpawnError | OSError):
            raise NodeError("ExecError", f"failed to exec in container: {error}") from error
        raise
    finally:
        for descriptor, _ in held:
            os.close(descriptor)
    ends.given()
    return Joined(process, ends)


def _open(pid: int, held: list[tuple[int, int]]) -> int:
    """Descriptors of its namespaces; that of its processes is returned."""
    for kind, name in _KINDS:
        path = f"/proc/{pid}/ns/{name}"
        if kind == kernel.NEWUSER and os.stat(path).st_ino == os.stat("/proc/self/ns/user").st_ino:
            continue  # it is ours, and nobody may enter their own
        held.append((os.open(path, os.O_RDONLY | os.O_CLOEXEC), kind))
    return os.open(f"/proc/{pid}/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
