from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from fairlead.host import signals
from tests.support.loop import run


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_the_first_signal_is_told_and_has_a_code(number: int, code: int) -> None:
    async def main() -> int:
        loop = asyncio.get_running_loop()
        told: asyncio.Future[int] = loop.create_future()

        def tell(received: int) -> bool:
            told.set_result(received)
            return True

        with signals.ending(loop, tell):
            os.kill(os.getpid(), number)
            return await told

    before = signal.getsignal(number)
    assert run(main()) == number
    assert signals.exit_code(number) == code
    assert signal.getsignal(number) == before


def test_an_ignored_hangup_stays_ignored() -> None:
    async def main() -> list[int]:
        told: asyncio.Queue[int] = asyncio.Queue()

        def tell(received: int) -> bool:
            told.put_nowait(received)
            return True

        with signals.ending(asyncio.get_running_loop(), tell):
            os.kill(os.getpid(), signal.SIGHUP)
            os.kill(os.getpid(), signal.SIGTERM)
            first = await told.get()
        return [first, *(told.get_nowait() for _ in range(told.qsize()))]

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert run(main()) == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_second_interrupt_does_not_wait() -> None:
    code = """
import asyncio
from fairlead.host import signals
async def main():
    def last():
        print("last", flush=True)
    with signals.ending(asyncio.get_running_loop(), lambda number: print("told", flush=True) is None, last):
        print("up", flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "up\n"
        child.send_signal(signal.SIGINT)
        assert child.stdout.readline() == "told\n"
        child.send_signal(signal.SIGINT)
        assert child.stdout.readline() == "told\n"
        assert child.stdout.readline() == "last\n"
        assert child.wait(10) == -signal.SIGINT


def test_interrupts_that_somebody_else_takes_are_not_counted() -> None:
    code = """
import asyncio
from fairlead.host import signals
async def main():
    with signals.ending(asyncio.get_running_loop(), lambda number: print("passed on", flush=True) is not None):
        print("up", flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "up\n"
        for _ in range(3):
            child.send_signal(signal.SIGINT)
            assert child.stdout.readline() == "passed on\n"
        child.kill()


@pytest.mark.parametrize("number", signals.COMMANDS)
def test_what_is_a_commands_is_taken_only_while_one_runs(number: int) -> None:
    async def main() -> int:
        loop = asyncio.get_running_loop()
        told: asyncio.Future[int] = loop.create_future()
        with signals.for_command(loop, told.set_result):
            os.kill(os.getpid(), number)
            return await told

    assert signal.getsignal(number) == signal.SIG_DFL
    assert run(main()) == number
    assert signal.getsignal(number) == signal.SIG_DFL


def test_a_quit_that_was_ignored_at_the_start_stays_ignored() -> None:
    """As of a job in the background of a script."""

    async def main() -> list[int]:
        told: asyncio.Queue[int] = asyncio.Queue()
        with signals.for_command(asyncio.get_running_loop(), told.put_nowait):
            os.kill(os.getpid(), signal.SIGQUIT)
            os.kill(os.getpid(), signal.SIGUSR1)
            first = await told.get()
        return [first, *(told.get_nowait() for _ in range(told.qsize()))]

    before = signal.signal(signal.SIGQUIT, signal.SIG_IGN)
    try:
        assert run(main()) == [signal.SIGUSR1]
    finally:
        signal.signal(signal.SIGQUIT, before)


HELD_BACK = """
import os, signal
from fairlead.host import signals

heard = []
signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
with signals.held_back() as let_through:
    os.kill(os.getpid(), signal.SIGTERM)
    print(len(heard))
    let_through()
    print(len(heard))
with signals.held_back():
    os.kill(os.getpid(), signal.SIGTERM)
    print(len(heard))
print(len(heard))
"""


def test_signals_that_are_held_back_come_when_they_are_let_through() -> None:
    """In a process of its own, since threads that run tests would take them."""
    ran = subprocess.run([sys.executable, "-c", HELD_BACK], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["0", "1", "1", "2"]
