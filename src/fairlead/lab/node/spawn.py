"""A child process made by fork, with whatever has to happen in it before another program takes its place.

Nothing but this module forks in the main process, which has no other thread: the child may therefore run Python. No
signal reaches it before its handlers are gone, or ours would be told of what was meant for the child.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NoReturn

CODE = 127
"""The exit code of a child that another program could not take the place of."""
_MOST_SAID = 4096


class SpawnError(Exception):
    """The child could not become what it was to be; ``what`` is where it failed, and ``number`` an errno."""

    def __init__(self, what: str, number: int) -> None:
        super().__init__(what, number)
        self.what = what
        self.number = number

    def __str__(self) -> str:
        return f"{self.what}: {os.strerror(self.number).lower()}" if self.number else self.what


class Step:
    """What a child is doing, for the words of its failure."""

    def __init__(self) -> None:
        self.what = "fork"


class Process:
    """A child that is ours to wait for."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.exited: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """Its exit code; minus the number of the signal that ended it."""
        self._descriptor = os.pidfd_open(pid)
        asyncio.get_running_loop().add_reader(self._descriptor, self._ended)

    def send(self, number: int) -> None:
        """Send it a signal, if it lives."""
        if not self.exited.done():
            try:
                signal.pidfd_send_signal(self._descriptor, number)
            except ProcessLookupError:
                pass  # we are about to hear of its end

    async def wait(self) -> int:
        """See ``exited``; whoever is cancelled here leaves the others waiting."""
        return await asyncio.shield(self.exited)

    def _ended(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)
        _, status = os.waitpid(self.pid, 0)
        if not self.exited.done():
            self.exited.set_result(os.waitstatus_to_exitcode(status))


async def spawn(
    become: Callable[[Step], None],
    *,
    stdio: tuple[int, int, int],
    around: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> Process:
    """Fork; ``become`` ends in exec, in the child, which has this standard input, output and error and nothing else.

    ``around`` surrounds the fork, in our own process. Raises SpawnError once the child has failed and is gone, and
    OSError where there could be none.
    """
    heard, told = os.pipe()
    try:
        with around():
            pid = _fork(become, stdio, told)
        os.close(told)
        told = -1
        process = Process(pid)
        try:
            said = await _all_of(heard)
        except BaseException:
            process.send(signal.SIGKILL)
            raise
    finally:
        os.close(heard)
        if told >= 0:
            os.close(told)
    if said:
        await process.wait()
        raise SpawnError(*json.loads(said))
    return process


async def _all_of(descriptor: int) -> bytes:
    """What is said on a pipe until its end."""
    loop = asyncio.get_running_loop()
    os.set_blocking(descriptor, False)
    said = b""
    while True:
        ready = loop.create_future()
        loop.add_reader(descriptor, _set, ready)
        try:
            await ready
        finally:
            loop.remove_reader(descriptor)
        part = os.read(descriptor, _MOST_SAID)
        if not part:
            return said
        said += part


def _set(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def _fork(become: Callable[[Step], None], stdio: tuple[int, int, int], told: int) -> int:
    held = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = os.fork()
    except OSError:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
        raise
    if not pid:
        _child(become, stdio, told)
    signal.pthread_sigmask(signal.SIG_SETMASK, held)
    return pid


def _child(become: Callable[[Step], None], stdio: tuple[int, int, int], told: int) -> NoReturn:
    step = Step()
    try:
        _forget_signals()
        for number, descriptor in enumerate(stdio):
            os.dup2(descriptor, number)
        for name in os.listdir("/proc/self/fd"):
            if int(name) > 2:
                try:
                    os.set_inheritable(int(name), False)
                except OSError:
                    pass  # the one that listed them
        become(step)
    except OSError as error:
        os.write(told, json.dumps([step.what, error.errno or 0]).encode())
    except BaseException as error:
        os.write(told, json.dumps([f"{step.what}: {error}"[:_MOST_SAID], 0]).encode())
    finally:
        os._exit(CODE)


def _forget_signals() -> None:
    """As a new program expects them: nothing handled, ignored or held back."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def execute(program: str, argv: Sequence[str], env: Mapping[str, str], step: Step) -> NoReturn:
    """Let ``program`` take our place, looked for in the PATH that it will have. Raises OSError."""
    quoted = json.dumps(program)
    step.what = f"exec: {quoted}" if "/" in program else f"exec: {quoted}: executable file not found in $PATH"
    try:
        os.execvpe(program, list(argv), dict(env))  # noqa: S606
    except (FileNotFoundError, NotADirectoryError) as error:
        raise (error if "/" in program else OSError()) from None
    except PermissionError:
        step.what = f"exec: {quoted}"
        raise
