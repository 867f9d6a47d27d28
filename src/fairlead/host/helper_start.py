"""Starting the helper: a socket that waits in a folder of the user's, and a program that connects to it.

sudo closes all that a program inherits but its standard streams, hence a socket that has a name.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import fairlead.helper
from fairlead.errors import MachineError
from fairlead.helper.connect import peer
from fairlead.helper.processes import alive, owner
from fairlead.host import dirs
from fairlead.host.hosts import is_system
from fairlead.policy.hostsblock import Owner

CONNECTED = 5.0
"""Seconds in which a helper that says it is connected can be seen to be."""

_PAUSE = 0.005
"""Seconds between two looks at a process that has closed its standard error, which is the last that it does."""
_LONGEST = 100
"""Bytes of a socket's path; the kernel takes 107 (unix(7))."""
_SOCKET = re.compile(r"helper-(\d{1,10})-(\d{1,20})\.sock")


class Rights(NamedTuple):
    """What gives the helper the rights that it needs."""

    prefix: tuple[str, ...] = ()
    """The command before its own."""
    why: str = ""
    """Why there is one, as a sentence without its end."""
    remedy: str = ""
    """What can be done without it."""


class Early:
    """A helper that was started while this process still had root's rights, and waits to be told where to connect."""

    def __init__(self, hosts_file: str, uid: int, env: Mapping[str, str]) -> None:
        self.process = _run((), _words("-", uid, hosts_file, dirs.state_place(env)))

    def forget(self) -> None:
        """It is not needed after all."""
        self.process.communicate(timeout=CONNECTED)


async def connected(hosts_file: str, rights: Rights, env: Mapping[str, str], early: Early | None) -> socket.socket:
    """A connection with a helper that was just started. Raises MachineError."""
    try:
        return await _connected(hosts_file, rights, env, early)
    except OSError as error:
        raise MachineError(
            f"cannot make a socket for the helper to connect to: {error.strerror or error}",
            remedy="it needs a little room in /tmp, or XDG_RUNTIME_DIR set to a folder of yours",
        ) from error


async def _connected(hosts_file: str, rights: Rights, env: Mapping[str, str], early: Early | None) -> socket.socket:
    with _meeting_place(env) as path, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        os.chmod(path, 0o600)
        listener.listen(1)
        listener.setblocking(False)
        words = _words(path, os.getuid(), hosts_file, _lasting(hosts_file, env))
        process = _run(rights.prefix, words) if early is None else early.process
        await _detached(process, path, rights)
        try:
            async with asyncio.timeout(CONNECTED):
                return await _accept(listener)
        except TimeoutError:
            raise MachineError("the helper does not connect") from None


def _run(prefix: Sequence[str], words: Sequence[str]) -> subprocess.Popen[bytes]:
    # -I: nothing of the user's environment; -S: no site-packages; -B: no file of root's among the user's.
    program = os.path.join(os.path.dirname(os.path.realpath(fairlead.helper.__file__)), "__main__.py")
    command = [*prefix, sys.executable, "-I", "-S", "-B", program, *words]
    try:
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/"
        )
    except OSError as error:
        raise MachineError(f"cannot run {command[0]}: {error.strerror}") from error


def _words(path: str, uid: int, hosts_file: str, state: str) -> list[str]:
    us = owner(os.getpid())
    assert us is not None, "this process runs"
    return [path, str(uid), str(us.pid), str(us.start), os.path.abspath(hosts_file), state]


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


async def _detached(process: subprocess.Popen[bytes], path: str, rights: Rights) -> None:
    """Wait until what was started has ended: then the helper is connected and on its own, or an error is told."""
    assert process.stdin is not None
    assert process.stderr is not None
    try:
        process.stdin.write(f"{path}\n".encode())
        process.stdin.close()
    except BrokenPipeError:
        pass  # it ended at once, and says why
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), process.stderr
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
        pass  # sudo, which is not ours to end; it finds nobody to connect to


async def _accept(listener: socket.socket) -> socket.socket:
    loop = asyncio.get_running_loop()
    while True:
        sock, _ = await loop.sock_accept(listener)
        if peer(sock)[1] in (0, os.getuid()):
            return sock
        sock.close()


@contextmanager
def _meeting_place(env: Mapping[str, str]) -> Iterator[str]:
    """The path of a socket to be, in a folder that only this user can look into."""
    us = owner(os.getpid())
    assert us is not None, "this process runs"
    name = f"helper-{us.pid}-{us.start}.sock"
    folder = dirs.runtime(env)
    if folder is not None and len(os.fsencode(folder)) + len(name) < _LONGEST:
        _remove_stale(folder, us.boot)
        path = os.path.join(folder, name)
        try:
            yield path
        finally:
            _remove(path)
        return
    made = tempfile.mkdtemp(prefix="fairlead-", dir="/tmp")
    path = os.path.join(made, name)
    try:
        yield path
    finally:
        _remove(path)
        os.rmdir(made)


def _remove_stale(folder: str, boot: str) -> None:
    """Remove the sockets of processes that were killed while their helper started."""
    for name in os.listdir(folder):
        found = _SOCKET.fullmatch(name)
        if found and not alive(Owner(int(found[1]), int(found[2]), boot)):
            _remove(os.path.join(folder, name))


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass  # it was not made, or somebody tidied up
