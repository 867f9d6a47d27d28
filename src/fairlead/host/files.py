"""Files that others read while we write them."""

from __future__ import annotations

import os
import stat

from fairlead.errors import MachineError


def write_atomically(path: str, data: bytes, *, mode: int = 0o600) -> None:
    """Make ``path`` hold ``data``: a reader sees all of it or the file that was there before. Raises MachineError.

    A named pipe or a device is written to and left where it is.
    """
    try:
        if os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode):
            _write_special(path, data)
        else:
            _replace(path, data, mode)
    except OSError as error:
        raise MachineError(f"cannot write {path}: {error.strerror}") from error


def remove(path: str) -> None:
    """Remove a file that ``write_atomically`` made, if it is still there; never anything else than a regular file."""
    try:
        if stat.S_ISREG(os.lstat(path).st_mode):
            os.unlink(path)
    except OSError:
        pass  # it is gone, or may not be removed: nothing depends on it any more


def _replace(path: str, data: bytes, mode: int) -> None:
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
        os.replace(unfinished, target)
    except BaseException:
        os.unlink(unfinished)
        raise


def _write_special(path: str, data: bytes) -> None:
    # Without O_NONBLOCK a named pipe that nobody reads would stop us here for ever.
    handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    try:
        os.write(handle, data)
    finally:
        os.close(handle)
