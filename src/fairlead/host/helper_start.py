"""Starting the helper: a program that has one end of a pair of sockets as its standard input, and nothing else of ours.

sudo closes all that a program inherits but its standard streams. A socket without a name can be reached by nobody else,
and whoever is killed leaves nothing of it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import fairlead.helper
from fairlead.errors import MachineError
from fairlead.helper.processes import owner
from fairlead.host import dirs
from fairlead.host.hosts import is_system

ENDED = 5.0
"""Seconds in which a helper that is not needed ends."""

_PAUSE = 0.005
"""Seconds between two looks at a process that has closed its standard streams, which is the last that it does."""


class Rights(NamedTuple):
    """What gives the helper the rights that it needs."""

    prefix: tuple[str, ...] = ()
    """The command before its own."""
    why: str = ""
    """Why there is one, as a sentence without its end."""
    remedy: str = ""
    """What can be done without it."""


class Early:
    """A helper that was started while this process still had root's rights."""

    def __init__(self, hosts_file: str, uid: int, env: Mapping[str, str]) -> None:
        self.process, self.sock = _run((), _words(uid, hosts_file, dirs.state_place(env)))

    def forget(self) -> None:
        """It is not needed after all."""
        self.sock.close()
        self.process.communicate(timeout=ENDED)


async def connected(hosts_file: str, rights: Rights, env: Mapping[str, str], early: Early | None) -> socket.socket:
    """The connection with a helper that was just started. Raises MachineError."""
    words = _words(os.getuid(), hosts_file, _lasting(hosts_file, env))
    process, sock = _run(rights.prefix, words) if early is None else (early.process, early.sock)
    try:
        await _detached(process, rights)
    except BaseException:
        sock.close()
        raise
    return sock


def _run(prefix: Sequence[str], words: Sequence[str]) -> tuple[subprocess.Popen[bytes], socket.socket]:
    # -I: nothing of the user's environment; -S: no site-packages; -B: no file of root's among the user's.
    program = os.path.join(os.path.dirname(os.path.realpath(fairlead.helper.__file__)), "__main__.py")
    command = [*prefix, sys.executable, "-I", "-S", "-B", program, *words]
    ours = None
    try:
        ours, theirs = socket.socketpair()
        with theirs:
            # A pipe as its output: some versions of sudo leave the terminal to us only where it is part of a pipeline.
            process = subprocess.Popen(
                command, stdin=theirs.fileno(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/"
            )
    except OSError as error:
        if ours is not None:
            ours.close()
        raise MachineError(f"cannot run {command[0]}: {error.strerror}") from error
    return process, ours


def _words(uid: int, hosts_file: str, state: str) -> list[str]:
    us = owner(os.getpid())
    assert us is not None, "this process runs"
    return [str(uid), str(us.pid), str(us.start), os.path.abspath(hosts_file), state]


def _lasting(hosts_file: str, env: Mapping[str, str]) -> str:
    """A folder for what has to outlive a killed helper.

    Where there is none, a file that is not the system's can still be replaced; only to write one in place is refused.
    """
    try:
        return dirs.state(env)
    except MachineError:
        if is_system(hosts_file):
            raise
    try:
        return dirs.runtime(env) or os.devnull
    except MachineError:
        return os.devnull


async def _detached(process: subprocess.Popen[bytes], rights: Rights) -> None:
    """Wait until what was started has ended: then the helper is on its own, or an error is told."""
    assert process.stdout is not None
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), process.stdout
    )
    try:
        words = (await reader.read()).decode(errors="replace").split("\n")
        while (code := process.poll()) is None:  # noqa: ASYNC110 (nothing tells of the end in every kernel)
            await asyncio.sleep(_PAUSE)
    except BaseException:
        _give_up(process)
        raise
    finally:
        transport.close()
    if code:
        said = next((line.strip() for line in reversed(words) if line.strip()), f"it ended with {code}")
        if not rights.prefix:
            raise MachineError(said)
        program = rights.prefix[0]
        failed = f"{program} did not start the helper: {said.removeprefix(f'{program}: ')}"
        raise MachineError(f"{rights.why}, and {failed}" if rights.why else failed, remedy=rights.remedy)


def _give_up(process: subprocess.Popen[bytes]) -> None:
    try:
        process.terminate()
        process.wait(1)
    except (PermissionError, subprocess.TimeoutExpired):
        pass  # sudo, which is not ours to end; whom it starts finds the socket closed
