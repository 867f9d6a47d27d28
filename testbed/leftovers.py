"""Removing a cluster: the end of every way out, and the start of the next ``up`` after a way out that was none."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import time

from testbed import cgroups, network, paths, processes
from testbed.errors import TestbedError


def acquire(state: paths.State) -> int | None:
    """Take the cluster's lock, making its folder; None if somebody has it, and so the cluster runs."""
    deadline = time.monotonic() + 0.5  # whoever only looks has it for a moment
    while time.monotonic() < deadline:
        handle = _try(state)
        if handle is not None:
            return handle
        time.sleep(0.02)
    return None


def _try(state: paths.State) -> int | None:
    state.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(state.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return None  # the folder was just removed
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if holds(state, handle):
            return handle
    except BlockingIOError:
        pass
    os.close(handle)
    return None


def holds(state: paths.State, handle: int) -> bool:
    """Whether this is still the cluster's lock: one on a file that was removed meanwhile keeps nobody out."""
    try:
        return os.path.samestat(os.fstat(handle), state.lock.stat())
    except FileNotFoundError:
        return False


def running(state: paths.State) -> bool:
    """Whether somebody has the lock."""
    try:
        handle = os.open(state.lock, os.O_RDWR | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def remove(state: paths.State) -> None:
    """Remove all that a cluster may have left: processes, veth pair, cgroups, files. The caller has the lock."""
    clear(state)
    state.lock.unlink(missing_ok=True)
    try:
        state.folder.rmdir()
    except FileNotFoundError:
        pass


def clear(state: paths.State) -> None:
    """Do all of ``remove`` except giving up the folder and its lock."""
    for name, process in processes.read(state.processes).items():
        if process.pid != os.getpid() and not process.end(signal.SIGKILL, wait=10):
            raise TestbedError(f"the {name} of cluster {state.name} (process {process.pid}) does not end")
    cgroups.kill(state.name)
    where = network.of(state)
    if where is not None:
        network.part(where)
    cgroups.remove(state.name)
    for entry in state.folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry != state.lock:
            entry.unlink()


def down(state: paths.State) -> bool:
    """End the cluster and remove what is left; say whether there was anything."""
    if not state.folder.exists():
        cgroups.kill(state.name)
        cgroups.remove(state.name)
        return False
    keeper = processes.read(state.processes).get("keeper")
    if running(state) and keeper is not None:
        keeper.end(signal.SIGTERM, wait=30) or keeper.end(signal.SIGKILL, wait=5)
    deadline = time.monotonic() + 10
    while (handle := acquire(state)) is None:
        if time.monotonic() > deadline:
            raise TestbedError(f"cluster {state.name} does not end: its lock {state.lock} is still held")
    try:
        remove(state)
    finally:
        os.close(handle)
    return True
