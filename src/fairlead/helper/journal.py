"""What a file held and is to hold, kept while it is written in place, so that a killed writer's work can be completed.

A file that may not be replaced (one that is mounted by itself, as containers have it) is written over. A writer that is
killed meanwhile leaves the new beginning and the old rest. Who comes next recognises that by this record, and only then
acts on it: a file that somebody edited since is left alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Sequence

from fairlead.errors import MachineError

SYSTEM = ("/var/lib/fairlead", "/run/fairlead")
"""Where root keeps them; the second where the first cannot be made, as in a container with a read-only root."""


class Journal:
    """The record for one file, in the first of ``folders`` that will do. They belong to the user we work as."""

    def __init__(self, path: str, folders: Sequence[str]) -> None:
        self._path = path
        self._folders = folders
        self._name = f"hosts-{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}"

    def write(self, before: bytes, after: bytes) -> None:
        """Keep both, on the disk. Raises MachineError."""
        head = {"before": len(before), "after": len(after), "sha256": hashlib.sha256(before + after).hexdigest()}
        data = json.dumps(head).encode() + b"\n" + before + after
        wrong = "no folder"
        for folder in self._folders:
            try:
                _make(folder)
                # An older record may be all that there is of what the file has to hold: it is replaced at once.
                unfinished = os.path.join(folder, f"{self._name}.new")
                flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
                with open(os.open(unfinished, flags, 0o600), "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                os.rename(unfinished, os.path.join(folder, self._name))
                return
            except OSError as error:
                wrong = f"{folder}: {error.strerror}"
        raise MachineError(f"cannot keep a record of changes to {self._path}: {wrong}")

    def clear(self) -> None:
        """Forget: the file is whole. A folder of root's that is empty then goes too."""
        for folder in self._folders:
            for name in (f"{self._name}.new", self._name):
                _try(os.unlink, os.path.join(folder, name))
            if folder in SYSTEM:
                _try(os.rmdir, folder)

    def completed(self, content: bytes) -> bytes:
        """What the file was to hold, if ``content`` is what a killed writer left of it; else ``content``."""
        for folder in self._folders:
            if (kept := self._read(folder)) is not None:
                return complete(content, *kept)
        return content

    def _read(self, folder: str) -> tuple[bytes, bytes] | None:
        try:
            _check(folder)
            with open(os.open(os.path.join(folder, self._name), os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
                if os.fstat(file.fileno()).st_uid != os.geteuid():
                    return None
                head, _, rest = file.read().partition(b"\n")
            found = json.loads(head)
            before, after = rest[: found["before"]], rest[found["before"] :]
            whole = len(after) == found["after"] and hashlib.sha256(rest).hexdigest() == found["sha256"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return (before, after) if whole else None  # somebody's hands were on it


def complete(content: bytes, before: bytes, after: bytes) -> bytes:
    """``after`` if ``content`` is a beginning of it with the rest of ``before``; what others added to that stays.

    A beginning that reaches past the end of ``before`` counts only if there is nothing behind it: a file that was
    written whole and edited since looks the same otherwise.
    """
    if content == before:
        return content  # nothing was written yet
    written = _common(content, after)
    rest, found = before[written:], content[written:]
    return after + found[len(rest) :] if found.startswith(rest) and (rest or not found) else content


def _common(one: bytes, other: bytes) -> int:
    """How many bytes both begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _try(remove: Callable[[str], None], path: str) -> None:
    try:
        remove(path)
    except OSError:
        pass  # there is none, or there is something else in the folder


def _make(folder: str) -> None:
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        pass
    _check(folder)


def _check(folder: str) -> None:
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise PermissionError(1, "not a folder of this user alone", folder)
