"""A hosts file as an ordinary user may treat it: looked at, and copied once."""

from __future__ import annotations

import hashlib
import os

from fairlead.errors import MachineError
from fairlead.helper import hostsfile
from fairlead.helper.names import SYSTEM
from fairlead.helper.processes import alive
from fairlead.host.files import write_atomically
from fairlead.policy.hostsblock import blocks, heal

__all__ = ["SYSTEM", "is_system", "keep_original", "left_behind", "what_is_left"]


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
    command = "fairlead clean" if is_system(path) else f"fairlead clean --hosts-file {path}"
    return f"{path} still has names of {run} (pid {', '.join(map(str, pids))}); {command} removes them"


def keep_original(path: str, state_folder: str) -> str | None:
    """Copy the file, without blocks of ours, to where copies are kept, unless there is one; where, if it was made now.

    Raises MachineError.
    """
    real = os.path.realpath(path)
    known = hashlib.sha256(os.fsencode(real)).hexdigest()[:8]
    copy = os.path.join(state_folder, "hosts.original" if real == "/etc/hosts" else f"hosts.original-{known}")
    if os.path.lexists(copy):
        return None
    write_atomically(copy, heal(hostsfile.read(real), lambda owner: False)[0])
    return copy
