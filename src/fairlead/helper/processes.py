"""Which process is meant, also when its id was used again (proc(5))."""

from __future__ import annotations

import os

from fairlead.policy.hostsblock import Owner


def boot_id(proc: str = "/proc") -> str:
    """The id of this start of the machine."""
    with open(f"{proc}/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def started(pid: int, *, proc: str = "/proc") -> int | None:
    """When the process started, in clock ticks after the machine's start; None if it is no more, or a zombie."""
    try:
        with open(f"{proc}/{pid}/stat", "rb") as file:
            # The name may have spaces and parentheses of its own.
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def owner(pid: int) -> Owner | None:
    """The process as it is named in a hosts file; None if it is no more."""
    start = started(pid)
    return None if start is None else Owner(pid, start, boot_id())


def alive(who: Owner, *, proc: str = "/proc") -> bool:
    """Whether this very process runs; one that we may not look at counts as alive."""
    if who.boot != boot_id(proc):
        return False
    if (start := started(who.pid, proc=proc)) is not None:
        return start == who.start
    return not os.path.exists(f"{proc}/{who.pid}") and _hidden(who.pid)


def _hidden(pid: int) -> bool:
    """Whether there is such a process that /proc does not show us (its mount option hidepid)."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        pass
    return False
