"""Files that others read while we write them."""

from __future__ import annotations

import errno
import os
import select
import stat
import time
from collections.abc import Callable

from fairlead.errors import MachineError

PATIENCE = 0.2
"""Seconds that the reader of a named pipe has to make room."""


def require_writable(path: str) -> None:
    """Raise MachineError if it can be told now that ``write_atomically`` will fail."""
    if _is_special(path):
        wrong = "" if os.access(path, os.W_OK) else os.strerror(errno.EACCES)
    elif os.path.isdir(path):
        wrong = os.strerror(errno.EISDIR)
    else:
        folder = os.path.dirname(os.path.realpath(path))
        wrong = (
            ""
            if os.access(folder, os.W_OK | os.X_OK)
            else os.strerror(errno.EACCES if os.path.isdir(folder) else errno.ENOENT)
        )
    if wrong:
        raise MachineError(f"cannot write {path}: {wrong}")


def write_atomically(
    path: str, data: bytes, *, mode: int = 0o600, before: Callable[[int], None] = lambda descriptor: None
) -> bool:
    """Make ``path`` hold ``data``: a reader sees all of it or the file that was there before. Raises MachineError.

    ``before`` is called with the new file's descriptor before anybody sees the file.
    A named pipe or a device is written to and left where it is; False if nobody reads it.
    """
    try:
        if _is_special(path):
            return _write_special(path, data)
        _replace(path, data, mode, before)
        return True
    except OSError as error:
        raise MachineError(f"cannot write {path}: {error.strerror}") from error


def remove(path: str, data: bytes) -> None:
    """Remove the file that ``write_atomically`` made of ``data``, unless it is another's by now; never a pipe."""
    target = os.path.realpath(path)  # as when it was written
    try:
        if stat.S_ISREG(os.lstat(target).st_mode) and _holds(target, data):
            os.unlink(target)
    except OSError:
        pass  # it is gone, or may not be removed: nothing depends on it any more


def _holds(path: str, data: bytes) -> bool:
    with open(path, "rb") as file:
        return file.read(len(data) + 1) == data


def _is_special(path: str) -> bool:
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _replace(path: str, data: bytes, mode: int, before: Callable[[int], None]) -> None:
    # A link is followed, so that the file it names is replaced and not the link.
    target = os.path.realpath(path)
    unfinished = os.path.join(
        os.path.dirname(target), f".{os.path.basename(target)}.{os.getpid()}.{os.urandom(4).hex()}"
    )
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            os.fchmod(handle, mode)
            before(handle)
        os.replace(unfinished, target)
    except BaseException:
        os.unlink(unfinished)
        raise


def _write_special(path: str, data: bytes) -> bool:
    try:
        # Without O_NONBLOCK a named pipe that nobody reads would stop us here for ever.
        handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return False
        raise
    rest, until = data, time.monotonic() + PATIENCE
    try:
        while rest and (left := until - time.monotonic()) > 0:
            if select.select([], [handle], [], left)[1]:
                rest = rest[_write_some(handle, rest) :]
    except BrokenPipeError:
        pass
    finally:
        os.close(handle)
    return not rest


def _write_some(handle: int, data: bytes) -> int:
    try:
        return os.write(handle, data)
    except BlockingIOError:
        return 0  # less room than one atomic write takes


def stamp(path: str) -> tuple[int, ...]:
    """What is another after a file was written, or replaced; () if there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
