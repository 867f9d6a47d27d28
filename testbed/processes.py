"""Processes known by pid and start time: a pid alone may mean somebody else by now."""

from __future__ import annotations

import json
import os
import select
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Process:
    """One process, for as long as it lives and never its successor."""

    pid: int
    started: int
    """Clock ticks after boot."""

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """The process that has this pid now."""
        fields = _stat(pid)
        return None if fields is None else cls(pid, int(fields[19]))

    def alive(self) -> bool:
        """Whether it still runs."""
        fields = _stat(self.pid)
        return fields is not None and int(fields[19]) == self.started and fields[0] not in ("Z", "X")

    def end(self, number: signal.Signals, *, wait: float) -> bool:
        """Signal it and wait for its end; say whether it ended."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            # The handle is held now: if the start time fits, the signal reaches this process or nobody.
            if not self.alive():
                return True
            signal.pidfd_send_signal(handle, number)
            return bool(select.select([handle], [], [], wait)[0])
        except ProcessLookupError:
            return True
        finally:
            os.close(handle)


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the state on (the name before it may hold anything)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def child_of(pid: int) -> Process | None:
    """The first child of this process."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields is not None and int(fields[1]) == pid:
                return Process.of(int(entry.name))
    return None


def write(file: Path, processes: Mapping[str, Process]) -> None:
    """Write processes down, whole or not at all."""
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(json.dumps({name: [process.pid, process.started] for name, process in processes.items()}))
    unfinished.replace(file)


def read(file: Path) -> dict[str, Process]:
    """The processes written down, or none."""
    try:
        return {name: Process(*numbers) for name, numbers in json.loads(file.read_text()).items()}
    except (FileNotFoundError, ValueError):
        return {}
