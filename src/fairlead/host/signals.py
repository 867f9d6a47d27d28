"""The signals that end a run: the first one asks, a second Ctrl-C does not wait. And those that are a command's."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
COMMANDS = (signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
"""What mean nothing to us, end a program that does not expect them, and may be of use to one that does."""


def exit_code(number: int) -> int:
    """The exit code of a run that this signal ended: 0 for Ctrl-C, as with kubectl, else 128 + n as a shell has it."""
    return 0 if number == signal.SIGINT else 128 + number


def end_by(number: int) -> None:
    """End this process by the signal, as if it had never been handled: a shell script that started us stops, too."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


@contextmanager
def held_back() -> Iterator[Callable[[], None]]:
    """Keep the ending signals until the function that this gives is called, or the block ends.

    Python raises KeyboardInterrupt wherever it is at that moment, also where it drops exceptions. No thread may run yet
    but the calling one: the kernel would give them to another.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)

    def let_through() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    try:
        yield let_through
    finally:
        let_through()


@contextmanager
def ending(
    loop: asyncio.AbstractEventLoop, on_signal: Callable[[int], bool], last: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Call ``on_signal`` with each ending signal; a second SIGINT that is ours ends the process, after ``last``.

    ``on_signal`` returns whether the signal is ours, or was somebody else's to take: a command's that runs for us.

    A SIGHUP that was ignored at the start stays ignored: that is what nohup(1) is for.
    """
    interrupts = 0

    def received(number: int) -> None:
        nonlocal interrupts
        ours = on_signal(number)
        interrupts += ours and number == signal.SIGINT
        if interrupts > 1:
            last()
            end_by(signal.SIGINT)

    handled = [number for number in ENDING if number == signal.SIGINT or not _is_ignored(number)]
    with _handling(loop, handled, received):
        yield


def for_command(loop: asyncio.AbstractEventLoop, on_signal: Callable[[int], None]) -> AbstractContextManager[None]:
    """Call ``on_signal`` with each of COMMANDS, while one runs; what was ignored at the start stays ignored."""
    return _handling(loop, [number for number in COMMANDS if not _is_ignored(number)], on_signal)


@contextmanager
def _handling(
    loop: asyncio.AbstractEventLoop, numbers: Sequence[signal.Signals], received: Callable[[int], None]
) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        loop.add_signal_handler(number, received, number)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
            signal.signal(number, before[number])


def _is_ignored(number: signal.Signals) -> bool:
    return signal.getsignal(number) == signal.SIG_IGN
