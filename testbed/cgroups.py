"""One cgroup for each cluster, in every hierarchy there is (version 1, hybrid or 2).

It holds everything the cluster started, containers too, so that it is the list of what is left if the rest fails.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

_TOP = "fairlead-testbed"
_SYSTEM = "system"  # the node's own processes; the kubelet keeps its pods beside it


def path(name: str) -> str:
    """The cluster's cgroup, as the kubelet names it."""
    return f"/{_TOP}/{name}"


def create(name: str) -> list[Path]:
    """Make the cluster's cgroups; return the files that a process writes 0 to in order to enter."""
    doors = []
    for mount, version in _hierarchies():
        home = mount
        for step in (_TOP, name, _SYSTEM):
            # In version 2 a group hands out only what it was handed, and one with processes of its own hands out
            # nothing: hence the leaf, and no more than an attempt at the root, which is the system's.
            if version == 2 and _is_alone(mount):
                _delegate(home)
            home = home / step
            _make(home)
            if version == 1:
                _inherit_cpuset(home)
        doors.append(home / "cgroup.procs")
    return doors


def kill(name: str) -> None:
    """End whatever still runs in the cluster's cgroups."""
    for _ in range(100):
        pids = {pid for mount, _version in _hierarchies() for pid in _pids(mount / _TOP / name)}
        if not pids:
            return
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it ended by itself
        time.sleep(0.05)


def remove(name: str) -> None:
    """Remove the cluster's cgroups."""
    deadline = time.monotonic() + 5
    for mount, _version in _hierarchies():
        home = mount / _TOP / name
        # A group is busy for a moment after its last process ended.
        while home.exists() and time.monotonic() < deadline:
            for folder, _folders, _files in os.walk(home, topdown=False):
                _remove(Path(folder))
            if home.exists():
                time.sleep(0.02)
        _remove(mount / _TOP)  # refused while another cluster is in it


def _hierarchies() -> Iterator[tuple[Path, int]]:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        kind = fields[fields.index("-") + 1]
        if kind in ("cgroup", "cgroup2"):
            yield Path(fields[4]), 1 if kind == "cgroup" else 2


def _is_alone(mount: Path) -> bool:
    """Whether this is the only hierarchy; on a hybrid system version 2 has no controller worth having."""
    return mount == Path("/sys/fs/cgroup")


def _pids(home: Path) -> Iterator[int]:
    for folder, _folders, _files in os.walk(home):
        try:
            yield from map(int, (Path(folder) / "cgroup.procs").read_text().split())
        except OSError:
            pass  # gone meanwhile


def _make(home: Path) -> None:
    for _ in range(50):
        try:
            home.mkdir(exist_ok=True)
        except FileNotFoundError:
            # The parent was removed meanwhile, by the end of another cluster.
            home.parent.mkdir(exist_ok=True)
        else:
            return
    raise OSError(f"cannot make {home}")


def _remove(home: Path) -> None:
    try:
        home.rmdir()
    except OSError:
        pass  # not there, or busy: the caller tries again


def _delegate(home: Path) -> None:
    for controller in (home / "cgroup.controllers").read_text().split():
        try:
            (home / "cgroup.subtree_control").write_text(f"+{controller}")
        except OSError:
            pass  # the kubelet says which one it misses


def _inherit_cpuset(home: Path) -> None:
    """Version 1 lets nobody into a cpuset that does not say which processors and memory it has."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        file = home / name
        if file.exists() and not file.read_text().strip():
            file.write_text((home.parent / name).read_text())
