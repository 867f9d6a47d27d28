"""The file that says what is served, and by which process: so that one whose process was killed can be told."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from fairlead.host.files import remove
from fairlead.model.events import ReadyPort

MOST = 64 * 1024
"""Bytes that are looked at of a file which may be anybody's."""
_LINE = re.compile(r"\d+ \d+ [^ ]+/[^ ]+ ([1-9]\d*)")


def content(ports: Sequence[ReadyPort], pid: int) -> bytes:
    """One line a port: the local port, the remote one, the target and our process id, as ``8080 80 svc/web 4711``."""
    return "".join(f"{port.local} {port.remote} {port.target} {pid}\n" for port in ports).encode()


def remove_stale(path: str) -> None:
    """Remove a file that ``content`` made for a process which is no more; never anything else."""
    if not os.path.isfile(path):
        return
    try:
        with open(path, "rb") as file:
            data = file.read(MOST)
        text = data.decode()
    except (OSError, ValueError):
        return
    found = [_LINE.fullmatch(line) for line in text.splitlines()]
    pids = {int(match[1]) for match in found if match}
    if found and all(found) and not any(map(_lives, pids)):
        remove(path, data)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # another user's
    return True
