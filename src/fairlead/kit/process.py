"""Child processes: no shell, one exit code whatever their end, and the descriptor limit that users expect.

The one module-level value here mirrors something that is the process's own: its descriptor limit (getrlimit(2)).
"""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import IO

from fairlead.errors import MachineError

_inherited: tuple[int, int] | None = None


def children_get(limit: tuple[int, int]) -> None:
    """Give every child started from now on this (soft, hard) RLIMIT_NOFILE instead of our own.

    A program that uses select(2) breaks on descriptors above 1023, so a raised soft limit is not passed on.
    """
    global _inherited
    _inherited = limit


def exit_code(returncode: int) -> int:
    """A child's return code as a shell tells it: 128 + n when signal n ended it."""
    return 128 - returncode if returncode < 0 else returncode


class Child:
    """A running child process."""

    def __init__(self, process: asyncio.subprocess.Process, *, leads_group: bool = False) -> None:
        self.process = process
        self._leads_group = leads_group

    async def wait(self) -> int:
        """Wait for its end; its exit code as a shell tells it."""
        return exit_code(await self.process.wait())

    def has_stopped(self) -> bool:
        """Whether it was stopped since this was asked last, and has not been continued: by Ctrl-Z or the like."""
        try:
            # Of its end nothing is taken: that is the loop's own watcher's.
            found = os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOHANG)
        except ChildProcessError:
            return False
        return found is not None

    def go_on(self) -> None:
        """Continue it, and all of its process group."""
        try:
            os.killpg(os.getpgid(self.process.pid), signal.SIGCONT)
        except (ProcessLookupError, PermissionError):
            pass  # it has ended

    def pass_on(self, number: int) -> None:
        """Send it a signal that we got, unless it got it too: a terminal signals its whole foreground group."""
        if number not in (signal.SIGINT, signal.SIGQUIT) or self._leads_group or not in_foreground():
            self.send(number)

    def send(self, number: int) -> None:
        """Send it a signal; to its whole process group, if it has one of its own."""
        if self.process.returncode is None:
            try:
                # Not process.send_signal: that polls, and so may steal the exit code from the loop's own watcher.
                (os.killpg if self._leads_group else os.kill)(self.process.pid, number)
            except ProcessLookupError:
                pass  # it ended meanwhile; wait() tells how

    async def end(self, *, grace: float) -> int:
        """SIGTERM, and SIGKILL after ``grace`` seconds; its exit code."""
        self.send(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace):
                return await self.wait()
        except TimeoutError:
            self.send(signal.SIGKILL)
            return await self.wait()


async def start(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    stdin: int | IO[bytes] | None = None,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
    own_group: bool = False,
    in_child: Callable[[], None] | None = None,
) -> Child:
    """Start ``argv``; the streams are ours unless given. MachineError if there is no such program or it cannot run.

    ``own_group``: it leads a process group, which signals then go to. ``in_child`` is called between fork and exec, so
    it makes system calls and takes no lock.
    """

    def before_exec() -> None:
        _keep_to_ourselves()
        if _inherited is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, _inherited)
        if own_group:
            os.setpgid(0, 0)
        if in_child is not None:
            in_child()

    needed = _inherited is not None or own_group or in_child is not None
    try:
        process = await asyncio.create_subprocess_exec(
            *argv, env=env, stdin=stdin, stdout=stdout, stderr=stderr, preexec_fn=before_exec if needed else None
        )
    except OSError as error:
        raise MachineError(f"cannot run {argv[0]}: {error.strerror}") from error
    return Child(process, leads_group=own_group)


def _keep_to_ourselves() -> None:
    """In the child: it gets no descriptor of ours but its streams. uvloop has copies of ours that would stay open."""
    for name in os.listdir("/dev/fd"):
        if int(name) > 2:
            try:
                os.set_inheritable(int(name), False)
            except OSError:
                pass  # the one that listed them


def require(program: str) -> None:
    """Raise MachineError, as ``start`` would, if there is no such program or it may not be run."""
    import shutil  # with its compressors, which a run without a command has no use for

    if shutil.which(program) is None:
        exists = "/" in program and os.path.exists(program)
        raise MachineError(f"cannot run {program}: {os.strerror(errno.EACCES if exists else errno.ENOENT)}")


def in_foreground() -> bool:
    """Whether we are in the foreground of our controlling terminal: its keys are signals to us, and we may read it."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False  # there is none
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
