"""Containers that are none: their processes are this machine's, with real pipes and terminals."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import signal
import struct
import termios
from collections.abc import Sequence

from fairlead.errors import MachineError
from fairlead.kit import process
from fairlead.kit.process import Child


class LocalProcess:
    """One process of its own session."""

    def __init__(self, child: Child, *, tty: bool, stdin: int | None, stdout: int | None, stderr: int | None) -> None:
        self.child = child
        self.tty = tty
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.left = 0
        self.size = (0, 0)
        self._terminal = os.dup(stdout) if tty and stdout is not None else -1

    def resize(self, columns: int, rows: int) -> None:
        self.size = (columns, rows)
        if self._terminal >= 0:
            fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def wait(self) -> int:
        code = await self.child.wait()
        if self._terminal >= 0:
            os.close(self._terminal)
            self._terminal = -1
        return code

    def leave(self) -> None:
        self.left += 1
        self.child.send(signal.SIGKILL)


class LocalContainers:
    """The container "c", whose own process is started by the first attach."""

    def __init__(self, main: Sequence[str] = ("cat",)) -> None:
        self.main = main
        self.processes: list[LocalProcess] = []

    def known(self, container_id: str) -> bool:
        return container_id == "c"

    async def exec(self, container_id: str, argv: Sequence[str], *, tty: bool, stdin: bool) -> LocalProcess:
        made = await start(argv, tty=tty)
        self.processes.append(made)
        return made

    async def attach(self, container_id: str, *, tty: bool, stdin: bool) -> LocalProcess:
        return await self.exec(container_id, self.main, tty=tty, stdin=stdin)

    async def end(self) -> None:
        """Nobody is there any more, so all were told to end."""
        for made in self.processes:
            await gone(made)


async def start(argv: Sequence[str], *, tty: bool) -> LocalProcess:
    """Raises MachineError if there is no such program."""
    if tty:
        ours, theirs = pty.openpty()

        def controlling() -> None:
            os.setsid()
            fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

        try:
            child = await process.start(argv, stdin=theirs, stdout=theirs, stderr=theirs, in_child=controlling)
        except MachineError:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        return LocalProcess(child, tty=True, stdin=os.dup(ours), stdout=ours, stderr=None)
    pairs = [os.pipe() for _ in range(3)]
    theirs_ours = [(pairs[0][0], pairs[0][1]), (pairs[1][1], pairs[1][0]), (pairs[2][1], pairs[2][0])]
    try:
        child = await process.start(
            argv, stdin=theirs_ours[0][0], stdout=theirs_ours[1][0], stderr=theirs_ours[2][0], own_group=True
        )
    except MachineError:
        for _, ours in theirs_ours:
            os.close(ours)
        raise
    finally:
        for theirs, _ in theirs_ours:
            os.close(theirs)
    stdin, stdout, stderr = (ours for _, ours in theirs_ours)
    return LocalProcess(child, tty=False, stdin=stdin, stdout=stdout, stderr=stderr)


async def gone(made: LocalProcess, limit: float = 5.0) -> int:
    """Its exit code, soon."""
    async with asyncio.timeout(limit):
        return await made.child.wait()
