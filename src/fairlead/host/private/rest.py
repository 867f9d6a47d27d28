"""What runs in a user namespace, and its end (namespaces(7), ioctl_ns(2))."""

from __future__ import annotations

import fcntl
import os
import signal
import time

from fairlead.helper.processes import started

GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL."""
_NS_GET_PARENT = 0xB702
"""<linux/nsfs.h>."""
_MOST_NESTED = 33
"""User namespaces are at most 32 deep (user_namespaces(7))."""
_LOOK = 0.02
"""Seconds between two looks whether it has ended."""


def processes_in(namespace: os.stat_result) -> list[int]:
    """Every process of this user namespace, or of one made below it, but our own; as far as we may see them.

    Network namespaces do not tell: a browser's sandbox makes one of its own, for which it makes a user namespace first.
    """
    return [
        int(name)
        for name in os.listdir("/proc")
        # One that has ended, and that nobody has asked about yet, is still of its user namespace.
        if name.isdigit() and int(name) != os.getpid() and _is_below(name, namespace) and started(int(name)) is not None
    ]


def _is_below(process: str, namespace: os.stat_result) -> bool:
    try:
        descriptor = os.open(f"/proc/{process}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False  # it has ended, or is none of ours
    for _ in range(_MOST_NESTED):
        found = os.fstat(descriptor)
        if (found.st_ino, found.st_dev) == (namespace.st_ino, namespace.st_dev):
            os.close(descriptor)
            return True
        try:
            above = fcntl.ioctl(descriptor, _NS_GET_PARENT)
        except OSError:
            break  # ours is the outermost that we may see
        finally:
            os.close(descriptor)
        descriptor = above
    else:
        os.close(descriptor)
    return False


def end_all(namespace: os.stat_result, grace: float = GRACE) -> None:
    """SIGTERM to all of them, and SIGKILL after ``grace`` seconds; blocks until they are gone."""
    began = time.monotonic()
    asked: set[int] = set()
    # What does not end by SIGKILL waits for a device, and is not waited for.
    while (left := processes_in(namespace)) and (waited := time.monotonic() - began) < 2 * grace:
        for process in left:
            if waited > grace:
                _signal(process, signal.SIGKILL)
            elif process not in asked:
                asked.add(process)
                _signal(process, signal.SIGTERM)
        time.sleep(_LOOK)


def name_of(process: int) -> str:
    """``name (pid 42)``."""
    try:
        with open(f"/proc/{process}/comm") as file:
            return f"{file.read().strip()} (pid {process})"
    except OSError:
        return f"a process (pid {process})"


def _signal(process: int, number: int) -> None:
    try:
        os.kill(process, number)
    except (ProcessLookupError, PermissionError):
        pass  # it has ended, or a security rule keeps us from it
