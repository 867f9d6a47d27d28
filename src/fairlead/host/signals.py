"""The signals that end a run: the first one asks, a second Ctrl-C does not wait."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def exit_code(number: int) -> int:
    """The exit code of a run that this signal ended: 0 for Ctrl-C, as with kubectl, else 128 + n as a shell has it."""
    return 0 if number == signal.SIGINT else 128 + number


@contextmanager
def ending(
    loop: asyncio.AbstractEventLoop, on_signal: Callable[[int], bool], last: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Call ``on_signal`` with each ending signal; a second SIGINT that is ours ends the process, after ``last``.

    ``on_signal`` returns whether the signal is ours, or was somebody else's to take: a command's that runs for us.

    A SIGHUP that was ignored at the start stays ignored: that is what nohup(1) is for.
    """
    handled = [number for number in ENDING if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN]
    interrupts = 0

    def received(number: int) -> None:
        nonlocal interrupts
        ours = on_signal(number)
        interrupts += ours and number == signal.SIGINT
        if interrupts > 1:
            # By the signal itself, so that a shell script that started us sees an interrupt and stops too.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            last()
            os.kill(os.getpid(), signal.SIGINT)

    before = {number: signal.getsignal(number) for number in handled}
    for number in handled:
        loop.add_signal_handler(number, received, number)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
            signal.signal(number, before[number])
