"""A connection by ``nsenter -t PID -n SOCAT - TCP4:localhost:PORT``, as runtimes had it at first, with socat's rules.

These are: IPv4 alone; the client's end of input is passed on, and the answer may take another half second (socat -t);
the pod's end reaches the client when socat ends, half a second later unless the client ends too; a reset is an end like
any other, and nobody is told. The command stands in
the debug log and in the process table.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import signal
from collections.abc import Callable
from contextlib import ExitStack

from fairlead.errors import MachineError
from fairlead.kit import log, process
from fairlead.kit.process import Child
from fairlead.kit.tasks import Background
from fairlead.lab.cri.drivers.driver import PodEnd, open_namespace
from fairlead.lab.cri.errors import BrokenError, NoWayError
from fairlead.lab.cri.pipes import Sink, Source
from fairlead.lab.cri.sandboxes import Sandbox
from fairlead.net.buffer import ReadBuffer
from fairlead.net.stream import RemoteEnd

MOST_WORDS = 4096
"""Bytes of socat's own words that are kept."""
LINGER = 2.0
"""Seconds that it has to end by itself once nobody waits for it."""

_log = log.get(__name__)


class SocatDriver:
    """Starts one pair of programs a connection. ``tasks`` wait for their ends."""

    name = "socat"

    def __init__(self, buffer: ReadBuffer, tasks: Background, *, path: str | None = None) -> None:
        self._buffer = buffer
        self._tasks = tasks
        self._path = path
        """Where programs are looked for; None is the environment's."""

    def command(self, sandbox: Sandbox, port: int) -> list[str]:
        """The command. NoWayError if a program is missing: socat is looked for first."""
        socat = self._find("socat")
        return [self._find("nsenter"), "-t", str(sandbox.pid), "-n", socat, "-", f"TCP4:localhost:{port}"]

    def _find(self, program: str) -> str:
        found = shutil.which(program, path=self._path)
        if found is None:
            raise NoWayError(f"unable to do port forwarding: {program} not found.")
        return found

    async def open(
        self,
        sandbox: Sandbox,
        port: int,
        accept: Callable[[PodEnd], RemoteEnd | None],
        gone: Callable[[PodEnd], None],
    ) -> None:
        """See Driver."""
        command = self.command(sandbox, port)
        if not sandbox.host_network:
            os.close(open_namespace(sandbox))
        _log.decision("executing port forwarding command: %s", shlex.join(command))
        with ExitStack() as theirs:
            pairs = [os.pipe() for _ in range(3)]
            for descriptor in (pairs[0][0], pairs[1][1], pairs[2][1]):
                theirs.callback(os.close, descriptor)
            ours = [pairs[0][1], pairs[1][0], pairs[2][0]]
            try:
                child = await process.start(command, stdin=pairs[0][0], stdout=pairs[1][1], stderr=pairs[2][1])
            except BaseException as error:
                for descriptor in ours:
                    os.close(descriptor)
                if isinstance(error, MachineError):
                    raise BrokenError(error.what) from error
                raise
        end = SocatEnd(child, ours, self._buffer, gone)
        self._tasks.start(end.wait(), name=f"socat {child.process.pid}")
        end.join(accept(end))


class SocatEnd:
    """The pod's end of a connection that socat makes."""

    failure = ""

    def __init__(self, child: Child, ours: list[int], buffer: ReadBuffer, gone: Callable[[PodEnd], None]) -> None:
        self._child = child
        self._gone = gone
        self._remote: RemoteEnd | None = None
        self._words = bytearray()
        self._over = False
        self._silent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._heard: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sink = Sink(ours[0], blocked=self._blocked, drained=self._drained)
        self._source = Source(ours[1], buffer, self._taken, lambda: _done(self._silent))
        self._errors = Source(ours[2], buffer, self._said, lambda: _done(self._heard))
        self._source.pause()

    def join(self, remote: RemoteEnd | None) -> None:
        """Begin, or end at once."""
        self._remote = remote
        if remote is None:
            self.abort()

    # -- what the remote end calls --

    @property
    def unsent(self) -> int:
        """Bytes that socat has not read."""
        return self._sink.unsent

    def write(self, data: memoryview) -> None:
        """Pass on."""
        self._sink.write(data)

    def flush(self) -> None:
        """Was done by ``write``."""

    def write_eof(self) -> None:
        """End its input."""
        self._sink.end()

    def close(self) -> None:
        """Nobody waits for more: it gets what was written, and some time."""
        if not self._over:
            self._over = True
            self._sink.end()
            self._forget_output()
            asyncio.get_running_loop().call_later(LINGER, self._child.send, signal.SIGKILL)

    def abort(self) -> None:
        """End it now."""
        self._over = True
        self._sink.close()
        self._forget_output()
        self._child.send(signal.SIGKILL)

    def pause_reading(self) -> None:
        """Read no more for now."""
        self._source.pause()

    def resume_reading(self) -> None:
        """Read on."""
        self._source.resume()

    # -- the programs --

    async def wait(self) -> None:
        """Until its end, which is told to the remote end."""
        try:
            code = await self._child.wait()
            if not self._over:
                # What it wrote is still in the pipe.
                await self._silent
                await self._heard
                self._tell(code)
        finally:
            self.abort()
            self._gone(self)
            await self._child.wait()

    def _tell(self, code: int) -> None:
        if self._over or self._remote is None:
            return
        if code:
            ended = f"signal: {code - 128}" if code > 128 else f"exit status {code}"
            self.failure = f"{ended}: {self._words.decode('utf-8', 'replace')}"
        else:
            self._remote.send_eof()
        self._remote.local_lost()

    def _forget_output(self) -> None:
        self._source.close()
        self._errors.close()
        _done(self._silent)
        _done(self._heard)

    def _taken(self, buffer: memoryview, start: int, end: int) -> None:
        if self._remote is not None:
            self._remote.send(buffer, start, end)

    def _said(self, buffer: memoryview, start: int, end: int) -> None:
        self._words += buffer[start : min(end, start + MOST_WORDS - len(self._words))]

    def _blocked(self) -> None:
        if self._remote is not None:
            self._remote.local_blocked()

    def _drained(self) -> None:
        if self._remote is not None and not self._over:
            self._remote.local_drained()


def _done(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
