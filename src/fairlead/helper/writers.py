"""Who has a file open for writing (proc(5))."""

from __future__ import annotations

import os
import time

SEARCH_LIMIT = 0.3
"""Seconds spent on looking for it."""


def describe_writer(path: str, *, proc: str = "/proc") -> str:
    """``vim (pid 42)``, or "" if that cannot be told."""
    give_up = time.monotonic() + SEARCH_LIMIT
    for pid in sorted(filter(str.isdigit, os.listdir(proc)), key=int, reverse=True):
        if time.monotonic() > give_up:
            break
        try:
            if any(_writes(f"{proc}/{pid}", number, path) for number in os.listdir(f"{proc}/{pid}/fd")):
                with open(f"{proc}/{pid}/comm") as file:
                    return f"{file.read().strip()} (pid {pid})"
        except OSError:
            continue  # another user's, or just ended
    return ""


def _writes(process: str, number: str, path: str) -> bool:
    if os.readlink(f"{process}/fd/{number}") != path:
        return False
    with open(f"{process}/fdinfo/{number}") as file:
        flags = next((line for line in file if line.startswith("flags:")), "flags: 0")
    return int(flags.split()[1], 8) & os.O_ACCMODE != os.O_RDONLY
