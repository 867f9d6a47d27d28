"""What runs in a network namespace, and its end (namespaces(7), /proc/PID/ns)."""

from __future__ import annotations

import os
import signal
import time

GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL."""
_LOOK = 0.02
"""Seconds between two looks whether it has ended."""


def processes_in(namespace: os.stat_result) -> list[int]:
    """Every process there that we may see, but our own."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                theirs = os.stat(f"/proc/{name}/ns/net")
            except OSError:
                continue  # it has ended, or is none of ours
            if (theirs.st_ino, theirs.st_dev) == (namespace.st_ino, namespace.st_dev):
                found.append(int(name))
    return found


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
