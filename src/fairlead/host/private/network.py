"""The supervisor's side of a private network: the sockets that were made there, and what is asked of its agent."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from fairlead.errors import MachineError
from fairlead.host.private import agent, kernel, wire
from fairlead.host.private.entering import enter
from fairlead.host.private.rest import end_all
from fairlead.host.private.setup import Names
from fairlead.net.descriptors import REMEDY
from fairlead.policy.capture import CaptureRules
from fairlead.policy.namespace_advice import SETTINGS, advice

_POOL = 8
"""Sockets that are fetched at once: one question to the agent costs about 0.1 ms."""

_Answer: TypeAlias = tuple[dict[str, Any], list[int]]


class PrivateNetwork:
    """Made by ``start`` before an event loop runs; ``made`` waits for it, ``close`` ends all that is inside."""

    def __init__(self, process: int, link: socket.socket) -> None:
        self.sockets: dict[str, socket.socket] = {}
        """``tcp4``, ``udp4``, ``raw4``, the same with 6 where the machine has IPv6, and ``diag`` (sock_diag(7))."""
        self._process = process
        self._link = link
        self._namespaces: dict[str, int] = {}
        self._answers: deque[asyncio.Future[_Answer]] = deque()
        """Of what was asked and is not answered; answers come in the order of the questions."""
        self._fetching = asyncio.Lock()
        self._pools: dict[int, list[socket.socket]] = {}
        self._ended = asyncio.Event()

    @classmethod
    def start(cls, rules: CaptureRules, names: Names) -> PrivateNetwork:
        """Begin to make it, in a process of its own. No thread may run yet but the calling one."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        process = os.fork()
        if process:
            theirs.close()
            ours.setblocking(False)
            return cls(process, ours)
        try:
            ours.close()
            agent.run(theirs, rules, names)
        finally:
            os._exit(0)

    async def made(self) -> None:
        """Wait until it stands. Raises MachineError with what this machine forbids or lacks."""
        made = self._expected()
        asyncio.get_running_loop().add_reader(self._link, self._heard)
        try:
            said, descriptors = await made
        except EOFError:
            raise MachineError("the process that makes the private network was killed") from None
        if "failed" in said:
            raise _advice(said)
        if len(descriptors) < len(said["made"]):
            _close(descriptors)
            raise MachineError("this process may open too few files for a private network", remedy=REMEDY)
        for name, descriptor in zip(said["made"], descriptors, strict=True):
            if name.startswith("ns-"):
                self._namespaces[name.removeprefix("ns-")] = descriptor
            else:
                self.sockets[name] = socket.socket(fileno=descriptor)

    async def gone(self) -> None:
        """Return when the agent has ended, which it does by itself only if it was killed."""
        await self._ended.wait()

    async def show(self, name: str, data: bytes) -> None:
        """Let programs inside find this as one of the files of ``Names``. Raises MachineError."""
        descriptor = os.memfd_create("fairlead")
        try:
            with os.fdopen(descriptor, "wb", closefd=False) as file:
                file.write(data)
            said, _ = await self._ask({"show": name}, [descriptor])
        finally:
            os.close(descriptor)
        if "failed" in said:
            raise _advice(said)

    async def outgoing(self, family: int) -> socket.socket:
        """A socket that connects to what listens inside; the caller's to close. Raises MachineError, and OSError."""
        pool = self._pools.setdefault(family, [])
        if not pool:
            async with self._fetching:  # many may wait here, and each finds what the one before it has left
                if not pool:
                    _, descriptors = await self._ask({"sockets": [family] * _POOL})
                    pool += [socket.socket(fileno=descriptor) for descriptor in descriptors]
        if not pool:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return pool.pop()

    async def change_rules(self, commands: str) -> None:
        """Give nft these commands inside. Raises MachineError."""
        said, _ = await self._ask({"rules": commands})
        if "failed" in said:
            raise _advice(said)

    async def left(self) -> list[str]:
        """The processes inside but the agent, as ``name (pid 42)``. Raises MachineError."""
        said, _ = await self._ask({"left": None})
        return [str(each) for each in said["left"]]

    async def end_rest(self) -> None:
        """End what is inside, with SIGTERM first; the network still stands meanwhile."""
        try:
            await self._ask({"end": None})
        except MachineError:
            if "user" in self._namespaces:
                # It was killed, and what it would have done is ours to do.
                await asyncio.to_thread(end_all, os.fstat(self._namespaces["user"]))

    def enter(self) -> Callable[[], None]:
        """A function for a child to call between fork and exec: it is inside from then on, in the same folder."""
        spaces = [
            (self._namespaces[name], kind)
            for name, kind in (("user", kernel.NEWUSER), ("net", kernel.NEWNET), ("mnt", kernel.NEWNS))
        ]
        return partial(enter, spaces)

    async def close(self) -> None:
        """End what is inside, with SIGTERM first, and wait for the agent, which does that."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._link)
        self._link.close()
        if not self._namespaces:
            self._kill()
        for sock in (*self.sockets.values(), *(sock for pool in self._pools.values() for sock in pool)):
            sock.close()
        _close(self._namespaces.values())
        watch = os.pidfd_open(self._process)
        over = loop.create_future()
        loop.add_reader(watch, over.set_result, None)
        try:
            await over
        finally:
            loop.remove_reader(watch)
            os.close(watch)
        os.waitpid(self._process, os.WNOHANG)  # noqa: ASYNC222 (it has ended)

    def _kill(self) -> None:
        """End an agent that is not ready, and the program that it may be waiting for, which is of its group."""
        for kill in (os.kill, os.killpg):
            try:
                kill(self._process, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it has no group yet

    async def _ask(self, said: Mapping[str, Any], descriptors: Sequence[int] = ()) -> _Answer:
        answer = self._expected()
        try:
            wire.send(self._link, dict(said), descriptors)
        except OSError:
            self._answers.remove(answer)
            raise _killed() from None
        try:
            return await answer
        except EOFError:
            raise _killed() from None

    def _expected(self) -> asyncio.Future[_Answer]:
        answer: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        self._answers.append(answer)
        return answer

    def _heard(self) -> None:
        try:
            heard = wire.receive(self._link)
        except BlockingIOError:
            return
        except (EOFError, OSError) as error:
            asyncio.get_running_loop().remove_reader(self._link)
            self._ended.set()
            for each in self._answers:
                if not each.done():
                    each.set_exception(EOFError(str(error)))
            return
        answer = self._answers.popleft() if self._answers else None
        if answer is not None and not answer.done():
            answer.set_result(heard)
        else:
            _close(heard[1])  # who asked for them does not wait any more


def _close(descriptors: Iterable[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _killed() -> MachineError:
    return MachineError("the process that holds the private network was killed")


def _advice(said: Mapping[str, Any]) -> MachineError:
    settings = {}
    for name in SETTINGS:
        try:
            with open(f"/proc/sys/{name}") as file:
                settings[name] = file.read().strip()
        except OSError:
            settings[name] = ""
    return advice(said["failed"], said["errno"], said["text"], settings, os.path.realpath(sys.executable))
