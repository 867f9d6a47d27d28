"""The console scripts, and ``python -m fairlead``."""

from __future__ import annotations

import os
import signal
import sys

# Python would answer a Ctrl-C that comes while it still loads us with a traceback; any other program just ends.
_LOADING = signal.getsignal(signal.SIGINT) is signal.default_int_handler
if _LOADING:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

# Under sudo, which some put before every command: what root compiles now would be root's, among the user's files.
if "SUDO_UID" in os.environ and os.geteuid() == 0:
    sys.dont_write_bytecode = True

from fairlead.cli import main  # noqa: E402

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def script() -> NoReturn:
    """Run one command line, and out."""
    if _LOADING:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    main.script()


if __name__ == "__main__":
    script()
