"""What a command that runs for us is given of the machine: its end with ours, and a process group of its own."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence

_OF_JOBS = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGTSTP, signal.SIGTTIN,
            signal.SIGTTOU, signal.SIGUSR1, signal.SIGUSR2)  # fmt: skip
"""Signals that somebody may have made us ignore; Python itself ignores others."""
_SHELL = "/bin/sh"
_PR_SET_PDEATHSIG = 1
"""prctl(2), <sys/prctl.h>."""


def has_terminal() -> bool:
    """Whether there is a controlling terminal, whose user may stop and continue jobs and interrupt them."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def environment(proc: str = "/proc") -> dict[str, str]:
    """Ours, without what Python has put into it for itself: LC_CTYPE, where the locale is C (PEP 538)."""
    env = dict(os.environ)
    try:
        with open(f"{proc}/self/environ", "rb") as file:
            given = file.read().split(b"\0")
    except OSError:
        return env
    if "LC_CTYPE" in env and not any(each.startswith(b"LC_CTYPE=") for each in given):
        del env["LC_CTYPE"]
    return env


def ignoring(command: Sequence[str]) -> list[str]:
    """The command that ignores what we ignore, as by nohup(1): an event loop's children do not.

    To be asked before signals are handled.
    """
    names = [number.name.removeprefix("SIG") for number in _OF_JOBS if signal.getsignal(number) is signal.SIG_IGN]
    if not names or not os.path.exists(_SHELL):
        return list(command)
    return [_SHELL, "-c", f'trap "" {" ".join(names)}; exec "$@"', "sh", *command]


def ends_with_us() -> Callable[[], None]:
    """A function for the child to call between fork and exec: SIGTERM when we are gone, SIGKILL included.

    The kernel ties it to the thread that forked, which for an event loop on the main thread is the process. Programs
    that change their user (setuid) are not signalled, nor are the command's own children. Only system calls are made,
    and what they need is looked up here, before the fork.
    """
    import ctypes  # which costs a start more than all that a run without a command needs of the machine

    parent = os.getpid()
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

    def in_child() -> None:
        if prctl is not None:
            # Until exec the handlers are an event loop's, which would take the signal for news of its own.
            if callable(signal.getsignal(signal.SIGTERM)):
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
            prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
            if os.getppid() != parent:  # it was gone before the kernel knew
                os.kill(os.getpid(), signal.SIGTERM)

    return in_child
