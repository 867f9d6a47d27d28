"""A process and its children: what they have used, from /proc, and their end."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from bench.errors import BenchError

_TICK = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """The process and all it started, as far as they are alive."""
    found = [pid]
    for parent in found:
        for file in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += [int(word) for word in file.read_text().split()]
            except OSError:
                continue  # the thread has just ended
    return found


def end(process: subprocess.Popen[bytes], limit: float) -> None:
    """Ask a process of ours to end, and see to it after ``limit`` seconds."""
    process.terminate()
    try:
        process.wait(limit)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def cpu_seconds(pid: int) -> float:
    """User and system time of the whole family, in steps of a clock tick (10 ms)."""
    return sum(_ticks(member) for member in family(pid)) / _TICK


def _ticks(pid: int) -> int:
    try:
        return parse_ticks(Path(f"/proc/{pid}/stat").read_text())
    except OSError:
        return 0


def parse_ticks(stat: str) -> int:
    """utime + stime. The name in parentheses may hold anything, parentheses too."""
    fields = stat.rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def memory(pid: int) -> tuple[float, float]:
    """MB resident, and MB that nobody else shares (USS), of the whole family."""
    resident = own = 0.0
    for member in family(pid):
        try:
            part = parse_smaps(Path(f"/proc/{member}/smaps_rollup").read_text())
        except OSError as error:
            raise BenchError(f"the memory of process {member} cannot be read: {error}") from error
        resident, own = resident + part[0], own + part[1]
    return resident, own


def shares(pid: int) -> tuple[float, float]:
    """MB resident of one process, and MB of it when what it shares is divided among all who do (PSS)."""
    try:
        sizes = _sizes(Path(f"/proc/{pid}/smaps_rollup").read_text())
    except OSError as error:
        raise BenchError(f"the memory of process {pid} cannot be read: {error}") from error
    return sizes["Rss"] * 1024 / 1e6, sizes["Pss"] * 1024 / 1e6


def parse_smaps(text: str) -> tuple[float, float]:
    """The same of one smaps_rollup; the kernel's kB are 1,024 bytes, our MB are 1,000,000."""
    sizes = _sizes(text)
    own = sizes["Private_Clean"] + sizes["Private_Dirty"]
    return sizes["Rss"] * 1024 / 1e6, own * 1024 / 1e6


def _sizes(text: str) -> dict[str, int]:
    return {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines() if line.endswith(" kB")}
