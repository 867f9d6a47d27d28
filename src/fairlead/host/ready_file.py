"""The file that says what is served, and by which process.

A run that lives holds a lock on its file (flock(2)), which ends with the process however that ends: so a file that a
killed run left is told from one that is in use, though a process id may be another's by then.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from fairlead.errors import MachineError
from fairlead.host import files
from fairlead.model.events import ReadyPort

MOST = 4 << 20
"""Bytes that are looked at of a file which may be anybody's."""
_LINE = re.compile(r"(?:\d+ \d+ [^ ]+/[^ ]+|127[\d.]+ [\d,]+ [^ ]+) ([1-9]\d*)")


class Listening(NamedTuple):
    """One loopback address of services."""

    address: str
    ports: tuple[int, ...]
    names: tuple[str, ...]


def of_services(groups: Iterable[Listening], pid: int) -> bytes:
    """One line an address: it, its ports, its names and our process id, as ``127.4.5.6 80,443 web,web.shop 4711``."""
    found = [(group.address, ",".join(map(str, group.ports)), ",".join(group.names)) for group in groups]
    return "".join(f"{' '.join(line)} {pid}\n" for line in found).encode()


def of_ports(ports: Sequence[ReadyPort], pid: int) -> bytes:
    """One line a port: the local port, the remote one, the target and our process id, as ``8080 80 svc/web 4711``."""
    return "".join(f"{port.local} {port.remote} {port.target} {pid}\n" for port in ports).encode()


class ReadyFile:
    """That of one run."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._written = b""
        self._lock: int | None = None

    def claim(self) -> None:
        """Raise MachineError if ``write`` will fail, as for the file of a run that lives; remove one that was left."""
        files.require_writable(self._path)
        if not os.path.isfile(self._path):
            return
        try:
            with open(self._path, "rb") as file:
                data = file.read(MOST)
                pid = _writer(data)
                locked = _locked(file.fileno()) if pid else None
        except OSError:
            return
        if locked:
            raise MachineError(
                f"cannot write {self._path}: another run (process {pid}) has it as its ready file",
                remedy="give each run a file of its own",
            )
        if locked is False:
            files.remove(self._path, data)

    def write(self, text: bytes) -> bool:
        """Say what is served, in lines of ours; False if it is a pipe that nobody reads. Raises what ``claim`` does."""
        self.claim()
        if not files.write_atomically(self._path, text, mode=0o644, before=self._hold):
            return False
        self._written = text
        return True

    def remove(self) -> None:
        """Remove it, if it was written, and by nobody else since."""
        if self._written:
            files.remove(self._path, self._written)
            self._written = b""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _hold(self, descriptor: int) -> None:
        self._lock = os.dup(descriptor)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pass  # a file system without locks: a second run cannot know of us


def _writer(data: bytes) -> str:
    """The process id in a file that ``content`` made; "" for any other file."""
    found = [_LINE.fullmatch(line) for line in data.decode(errors="replace").splitlines()]
    return next((match[1] for match in found if match), "") if all(found) else ""


def _locked(descriptor: int) -> bool | None:
    """Whether a process holds a lock on it; None where that cannot be known."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return True if error.errno == errno.EWOULDBLOCK else None
    return False
