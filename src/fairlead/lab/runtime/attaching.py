"""What exec and attach give: a process, with descriptors for whoever serves the client."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

from fairlead.lab.node.spawn import Process
from fairlead.lab.runtime.stdio import STDERR, STDOUT, Ends, Spoken, resize

MOST_WAITING = 256 << 10
"""Bytes of output that wait for one client; a container is held back for it beyond."""


class Joined:
    """A process that was started for a client, whose descriptors are the client's to close."""

    def __init__(self, process: Process, ends: Ends) -> None:
        self.tty = ends.terminal
        self.stdin = ends.stdin
        self.stdout: int | None = ends.stdout
        self.stderr = ends.stderr
        self._process = process
        self._terminal = os.dup(ends.stdout) if ends.terminal else -1
        process.exited.add_done_callback(lambda _: self._close())

    def resize(self, columns: int, rows: int) -> None:
        """The size of its terminal, if it has one and lives."""
        if self._terminal >= 0:
            resize(self._terminal, columns, rows)

    async def wait(self) -> int:
        """Its exit code, as a shell tells it."""
        return exit_code(await self._process.wait())

    def leave(self) -> None:
        """Its client is gone: it ends."""
        self._process.send(signal.SIGKILL)

    def _close(self) -> None:
        if self._terminal >= 0:
            os.close(self._terminal)
            self._terminal = -1


class Attached:
    """A container's own process, as one client sees it from now on; the descriptors are the client's to close."""

    def __init__(self, spoken: Spoken, wait: Callable[[], Awaitable[int]], stdin: int | None, *, tty: bool) -> None:
        self.tty = tty
        self.stdin = stdin
        self.stderr: int | None = None
        self._wait = wait
        self._spoken = spoken
        self.stdout, out = os.pipe()
        self._copies = {STDOUT: _Copy(out, spoken)}
        if not tty:
            self.stderr, err = os.pipe()
            self._copies[STDERR] = _Copy(err, spoken)
        if spoken.ended.done():
            self.leave()
        else:
            spoken.listen(self._told)

    def resize(self, columns: int, rows: int) -> None:
        """The size of the container's terminal, if it has one."""
        if self.tty:
            self._spoken.resize(columns, rows)

    async def wait(self) -> int:
        """Its exit code, as a shell tells it."""
        return await self._wait()

    def leave(self) -> None:
        """Its client is gone, or it has ended: nothing more is told."""
        self._spoken.forget(self._told)
        for copy in self._copies.values():
            copy.close()

    def _told(self, stream: int, data: bytes) -> None:
        copy = self._copies[stream]
        if data:
            copy.write(data)
        else:
            copy.end()


class _Copy:
    """Writes to a client's pipe."""

    def __init__(self, descriptor: int, spoken: Spoken) -> None:
        self._loop = asyncio.get_running_loop()
        self._descriptor = descriptor
        self._spoken = spoken
        self._waiting = bytearray()
        self._ending = False
        self._holds = False
        os.set_blocking(descriptor, False)

    def write(self, data: bytes) -> None:
        if self._descriptor < 0:
            return
        begins = not self._waiting
        self._waiting += data
        if begins:
            self._flush()
        if len(self._waiting) > MOST_WAITING and not self._holds:
            self._holds = True
            self._spoken.hold()

    def end(self) -> None:
        self._ending = True
        if not self._waiting:
            self.close()

    def close(self) -> None:
        if self._descriptor >= 0:
            self._loop.remove_writer(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1
        self._waiting.clear()
        self._let_go()

    def _flush(self) -> None:
        self._loop.remove_writer(self._descriptor)
        try:
            done = os.write(self._descriptor, self._waiting)
        except BlockingIOError:
            done = 0
        except OSError:  # the client is gone
            self.close()
            return
        del self._waiting[:done]
        if self._waiting:
            self._loop.add_writer(self._descriptor, self._flush)
            return
        self._let_go()
        if self._ending:
            self.close()

    def _let_go(self) -> None:
        if self._holds:
            self._holds = False
            self._spoken.release()


def exit_code(code: int) -> int:
    """As a shell tells it: 128 + n where a signal ended it."""
    return 128 - code if code < 0 else code
