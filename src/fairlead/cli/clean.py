"""``fairlead clean``: remove what killed runs left on this machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fairlead.cli.parse import Parsed


def run(parsed: Parsed, program: str) -> int:
    """Say what was removed, or that there was nothing."""
    from fairlead.errors import UsageError
    from fairlead.host import privilege
    from fairlead.host.hosts import SYSTEM
    from fairlead.session.clean import run

    if parsed.words or parsed.after:
        raise UsageError(f'"{(*parsed.words, "--")[0]}" is one word too many', remedy=f"{program} clean --help")
    path = parsed.values.get("hosts_file", SYSTEM)
    if not path:
        raise UsageError("--hosts-file needs a file")
    if _is_missing(path):
        print(f"there is no {path}: nothing to remove")
        return 0
    user = privilege.invoker(os.environ)
    early = privilege.become(user, os.environ, path) if user is not None else None
    pids = run(path, early)
    for pid in pids:
        print(f"removed from {path} what a killed run (pid {pid}) had left there")
    if not pids:
        print(f"no killed run has left anything in {path}")
    return 0


def _is_missing(path: str) -> bool:
    try:
        os.stat(path)
    except FileNotFoundError:
        return True
    except OSError:
        pass  # which is told when it is read
    return False
