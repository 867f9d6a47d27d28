"""A process of its own: nobody waits for it, no terminal reaches it, and it ends by its own rules."""

from __future__ import annotations

import os
import signal

_IGNORED = (
    signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGPIPE,
)  # fmt: skip


def ignore_terminal() -> None:
    """Let a terminal's keys and its end be the main process's business."""
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)


def detach() -> None:
    """Go on in a session of our own, without standard streams; the process that was started ends with 0.

    It ends only when we have left its terminal: sudo, which waits for it, may then close that.
    """
    reader, writer = os.pipe()
    if os.fork():
        os.close(writer)
        os._exit(0 if os.read(reader, 1) else 1)
    os.close(reader)
    os.setsid()
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)
    os.write(writer, b".")
    os.close(writer)
