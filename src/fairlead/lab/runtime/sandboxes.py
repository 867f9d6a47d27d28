"""Sandboxes: for each pod a process that holds its network, its hostname and its shared memory, and does nothing."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import NoReturn

from fairlead.lab.node import kernel, links
from fairlead.lab.node.links import PodLink
from fairlead.lab.node.plan import NODE, FullError, PodAddresses
from fairlead.lab.node.spawn import Process, SpawnError, Step, execute, spawn
from fairlead.lab.runtime.argv import PATH
from fairlead.lab.runtime.config import NodeError, Sandbox, SandboxConfig, State

_KINDS = ((kernel.NEWNET, "net"), (kernel.NEWUTS, "uts"), (kernel.NEWIPC, "ipc"))
_MOST_HOSTNAME = 63
_LOOK = 0.01
"""Seconds between two looks whether processes have ended."""
_PATIENCE = 2.0
"""Seconds after which a process that does not end by SIGKILL waits for a device, and is left."""


class Held:
    """A sandbox, with what it holds."""

    def __init__(self, sandbox: Sandbox, pause: Process, link: PodLink | None) -> None:
        self.sandbox = sandbox
        self.pause = pause
        self.link = link
        self.ending = asyncio.Lock()
        self.namespaces: list[tuple[int, int]] = []
        """Descriptors and their kinds, for whoever is to be inside."""

    def is_ready(self) -> bool:
        """At this moment."""
        return self.sandbox.state is State.READY

    def close(self) -> None:
        """The namespaces are held by nobody but those inside."""
        for descriptor, _ in self.namespaces:
            os.close(descriptor)
        self.namespaces = []


class Sandboxes:
    """Makes sandboxes and ends them."""

    def __init__(self, ended: Callable[[Sandbox], None]) -> None:
        self._ended = ended
        self._addresses = PodAddresses()
        self._own = links.open_namespace()
        self._null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)

    async def make(self, ident: str, config: SandboxConfig, now: datetime) -> Held:
        """A new one, ready. Raises NodeError."""
        link = None
        try:
            if not config.host_network:
                link = PodLink(self._addresses.take())
                link.clear()
            pause = await spawn(_pause, stdio=(self._null,) * 3, around=lambda: self._around(config, link))
        except BaseException as error:
            if link is not None:
                self._addresses.give_back(link.address)
            if isinstance(error, OSError | SpawnError | FullError):
                raise NodeError("FailedCreatePodSandBox", f"failed to make the pod's sandbox: {error}") from error
            raise
        sandbox = Sandbox(ident, config, now, pause.pid, link.address if link is not None else NODE)
        held = Held(sandbox, pause, link)
        try:
            for kind, name in _KINDS:
                held.namespaces.append((os.open(f"/proc/{pause.pid}/ns/{name}", os.O_RDONLY | os.O_CLOEXEC), kind))
            if link is not None:
                link.join()
        except OSError as error:
            await self.end(held)
            raise NodeError("FailedCreatePodSandBox", f"failed to join the pod's network: {error}") from error
        pause.exited.add_done_callback(lambda _: self._over(sandbox))
        return held

    async def end(self, held: Held) -> None:
        """End all that is in its network namespace; its address is free for others, after all others."""
        held.sandbox.state = State.NOTREADY
        async with held.ending:
            held.pause.send(signal.SIGKILL)
            await held.pause.wait()
            if held.link is not None:
                if held.namespaces:
                    await _empty(os.fstat(held.namespaces[0][0]).st_ino)
                self._addresses.give_back(held.link.address)
                held.link = None
            held.close()

    def close(self) -> None:
        """There will be no more."""
        os.close(self._own)
        os.close(self._null)

    @contextmanager
    def _around(self, config: SandboxConfig, link: PodLink | None) -> Iterator[None]:
        """The namespaces that what is forked keeps."""
        if link is None:
            yield
            return
        with kernel.unshared(kernel.NEWNET | kernel.NEWUTS | kernel.NEWIPC):
            kernel.set_hostname((config.hostname or config.name)[:_MOST_HOSTNAME].rstrip("-."))
            link.make(self._own)
            yield

    def _over(self, sandbox: Sandbox) -> None:
        if sandbox.state is State.READY:
            sandbox.state = State.NOTREADY
            self._ended(sandbox)


def processes_in(namespace: int) -> list[int]:
    """Every process in a network namespace, by its inode, as far as we see them; but never ourselves."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                if os.stat(f"/proc/{name}/ns/net").st_ino == namespace:
                    found.append(int(name))
            except OSError:
                pass  # it has ended
    return found


async def _empty(namespace: int) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + _PATIENCE
    while (left := processes_in(namespace)) and loop.time() < until:
        for process in left:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it has ended
        await asyncio.sleep(_LOOK)


def _pause(step: Step) -> NoReturn:
    os.setsid()
    # One program for many names looks at its own.
    name = "pause" if os.path.basename(os.path.realpath("/bin/sleep")) == "sleep" else "sleep"
    execute("sleep", [name, "infinity"], {"PATH": PATH}, step)
