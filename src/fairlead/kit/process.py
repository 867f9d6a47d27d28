"""Child processes: no shell, one exit code whatever their end, and the descriptors and limit that users expect.

The module-level values here mirror what is the process's own: its descriptor limit (getrlimit(2)), and what was open in
it before it ran.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO

from fairlead.errors import MachineError

_STREAMS = (0, 1, 2)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_FOR_SHELLS = re.compile(r"[\s|&;<>$*?]")
_TERMINALS_STOPS = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)

_inherited: tuple[int, int] | None = None
_given: frozenset[int] = frozenset()


def children_get(limit: tuple[int, int]) -> None:
    """Give every child started from now on this (soft, hard) RLIMIT_NOFILE instead of our own.

    A program that uses select(2) breaks on descriptors above 1023, so a raised soft limit is not passed on.
    """
    global _inherited
    _inherited = limit


def children_keep_given() -> None:
    """Give every child the descriptors that this process was given, under their numbers: a shell's 3>file and <(list).

    To be called before anything is opened that is not closed by exec; what is opened later stays ours.
    """
    global _given
    _given = frozenset(descriptor for descriptor in _descriptors() if _is_inheritable(descriptor))


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
        """Whether a terminal stopped it since this was asked last (Ctrl-Z, or use of it from the background).

        One that was continued since has not stopped, nor one that somebody halts for a while by SIGSTOP. A shell that
        suspends itself does that by SIGSTOP too, and leaves the terminal to nobody.
        """
        try:
            # Of its end nothing is taken: that is the loop's own watcher's.
            found = os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOHANG)
            if found is None:
                return False
            return found.si_status in _TERMINALS_STOPS or os.getpgrp() != _foreground() == os.getpgid(self.process.pid)
        except (ChildProcessError, ProcessLookupError):
            return False

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

    Besides its streams it gets the descriptors that we were given, and none of ours. ``own_group``: it leads a process
    group, which signals then go to. ``in_child`` is called between fork and exec, so it makes system calls and takes no
    lock; the MachineError that it raises is raised here.
    """

    def before_exec() -> None:
        _keep_ours()
        if _inherited is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, _inherited)
        if own_group:
            os.setpgid(0, 0)
        if in_child is not None:
            in_child()

    try:
        with _telling(argv[0], before_exec) as told:
            process = await asyncio.create_subprocess_exec(
                *argv, env=env, stdin=stdin, stdout=stdout, stderr=stderr, close_fds=False, preexec_fn=told
            )
    except OSError as error:
        raise _cannot_run(argv[0], error) from error
    return Child(process, leads_group=own_group)


@contextmanager
def _telling(program: str, before_exec: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """It, to be called in the child; what it raises there is raised here. Of subprocess itself, that has no words."""
    read, write = os.pipe()
    with open(read, "rb") as heard, open(write, "wb", buffering=0) as said:

        def told() -> None:
            try:
                before_exec()
            except (MachineError, OSError) as error:
                known = error if isinstance(error, MachineError) else _cannot_run(program, error)
                said.write(f"{known.what}\0{known.remedy}".encode(errors="surrogateescape"))
                raise

        try:
            yield told
        except subprocess.SubprocessError as error:
            said.close()
            what, _, remedy = heard.read().decode(errors="replace").partition("\0")
            if not what:
                raise
            raise MachineError(what, remedy=remedy) from error


def _cannot_run(program: str, error: OSError) -> MachineError:
    return MachineError(f"cannot run {program}: {error.strerror}")


def _keep_ours() -> None:
    """In the child: exec closes all that is ours. uvloop has copies of its own that would stay open."""
    for descriptor in _descriptors():
        if descriptor not in _given:
            try:
                os.set_inheritable(descriptor, False)
            except OSError:
                pass  # the one that listed them


def _descriptors() -> list[int]:
    """Those that are open, but the streams; none where the machine does not tell, as without /proc."""
    try:
        return [int(name) for name in os.listdir("/dev/fd") if int(name) not in _STREAMS]
    except OSError:
        return []


def _is_inheritable(descriptor: int) -> bool:
    try:
        return os.get_inheritable(descriptor)
    except OSError:
        return False  # the one that listed them


def require(program: str) -> None:
    """Raise MachineError, as ``start`` would, if there is no such program or it may not be run."""
    import shutil  # with its compressors, which a run without a command has no use for

    if shutil.which(program) is None:
        exists = "/" in program and os.path.exists(program)
        what = f"cannot run {program}: {os.strerror(errno.EACCES if exists else errno.ENOENT)}"
        raise MachineError(what, remedy="" if exists else _remedy(program))


def _remedy(program: str) -> str:
    """What to do about the name of a program that looks as if it were meant for a shell."""
    if _ASSIGNMENT.match(program):
        return f"variables are set by a program: -- env {program} COMMAND"
    return "one line of a shell is given to a shell: -- sh -c 'LINE'" if _FOR_SHELLS.search(program) else ""


def in_foreground() -> bool:
    """Whether we are in the foreground of our controlling terminal: its keys are signals to us, and we may read it."""
    return _foreground() == os.getpgrp()


def _foreground() -> int:
    """The process group in the foreground of our controlling terminal; 0 if there is none."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return 0
    try:
        return os.tcgetpgrp(terminal)
    except OSError:
        return 0
    finally:
        os.close(terminal)
