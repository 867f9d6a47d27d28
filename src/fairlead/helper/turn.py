"""Turns among processes of one user that nobody else can take or keep: a lock (flock(2)) on a folder of that user's.

Any user may lock a file that all may read, and keep it locked for as long as it likes. The folder is empty, and removed
by whoever leaves it last.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager

from fairlead.errors import MachineError

FOLDER = "/run/fairlead-turn"
"""Root's. Nothing else is kept there, which somebody could tidy up, the folder too, while a turn is had."""
PATIENCE = 5.0
"""Seconds to wait; a turn takes milliseconds."""
_PAUSE = 0.005


def users_folder(state: str, path: str) -> str:
    """For a file that is not the system's: one that its user has for it, in the folder ``state``."""
    return os.path.join(state, f"turn-{hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()[:16]}")


@contextmanager
def turn(folder: str) -> Iterator[bool]:
    """Have it for the time of the block; False where there can be no such folder. MachineError after PATIENCE."""
    handle = _take(folder)
    try:
        yield handle >= 0
    finally:
        if handle >= 0:
            try:
                os.rmdir(folder)
            except OSError:
                pass  # somebody keeps something there
            os.close(handle)


def _take(folder: str) -> int:
    until = time.monotonic() + PATIENCE
    while True:
        handle = _open(folder)
        if handle < 0:
            return handle
        while not try_lock(handle):
            if time.monotonic() > until:
                os.close(handle)
                raise MachineError(f"another run has kept {folder} locked for {PATIENCE:g} s")
            time.sleep(_PAUSE)
        try:
            if os.path.samestat(os.stat(folder, follow_symlinks=False), os.fstat(handle)):
                return handle
        except FileNotFoundError:
            pass  # it was removed before we had it
        os.close(handle)


def _open(folder: str) -> int:
    """-1 where it cannot be made, or is not ours alone."""
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        pass
    except OSError:
        return -1
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return _open(folder)
    except OSError:
        return -1
    found = os.fstat(handle)
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        os.close(handle)
        return -1
    return handle


def try_lock(handle: int) -> bool:
    """Lock it for ourselves alone (flock(2)); False if somebody else has locked it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
