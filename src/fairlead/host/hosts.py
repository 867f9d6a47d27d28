"""A hosts file as an ordinary user may treat it: looked at, and the machine's own copied once."""

from __future__ import annotations

import os

from fairlead.errors import MachineError
from fairlead.helper import hostsfile
from fairlead.helper.names import SYSTEM
from fairlead.helper.processes import alive
from fairlead.host.files import write_atomically
from fairlead.policy.hostsblock import blocks, heal

__all__ = ["SYSTEM", "clean_command", "is_system", "keep_original", "left_behind", "require_readable", "what_is_left"]


def left_behind(path: str) -> tuple[int, ...]:
    """Process ids of killed runs whose blocks are still in the file. Raises MachineError."""
    return tuple(block.owner.pid for block in blocks(hostsfile.read(path)) if not alive(block.owner))


def is_system(path: str) -> bool:
    """Whether it is this machine's own."""
    return os.path.realpath(path) == os.path.realpath(SYSTEM)


def what_is_left(path: str) -> str:
    """What killed runs left in the file and what to do about it, in one line; "" if it is clean, or cannot be read."""
    try:
        pids = left_behind(path)
    except MachineError:
        return ""
    if not pids:
        return ""
    run = "a killed run" if len(pids) == 1 else f"{len(pids)} killed runs"
    return f"{path} still has names of {run} (pid {', '.join(map(str, pids))}); {clean_command(path)} removes them"


def clean_command(path: str) -> str:
    """What removes such names."""
    return "fairlead clean" if is_system(path) else f"fairlead clean --hosts-file {path}"


def require_readable(path: str) -> None:
    """Raise MachineError if it cannot be read."""
    hostsfile.read(path)


def keep_original(path: str, state_folder: str) -> str | None:
    """Copy the machine's own file, without blocks of ours, unless there is a copy; where, if it was made now.

    None for any other file, which was made for us. Raises MachineError.
    """
    copy = os.path.join(state_folder, "hosts.original")
    if not is_system(path) or os.path.lexists(copy):
        return None
    write_atomically(copy, heal(hostsfile.read(path), lambda owner: False)[0])
    return copy
