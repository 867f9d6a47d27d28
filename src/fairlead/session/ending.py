"""What ends a run: a signal, the command that it was started for, or that nobody reads what it says."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from fairlead.host import children, signals
from fairlead.host.stdio import unread
from fairlead.kit import process

STDOUT, STDERR = 1, 2
SAME_KEY = 0.05
"""Seconds by which one process of a terminal may see a key later than another."""
LOOK = 0.1
"""Seconds from one look whether the command was stopped to the next; no loop tells."""
CHILD_GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL for a command that outlives what it was started for."""


class Ending:
    """Made inside a running loop; ``watching`` must be entered before anything is started.

    ``on_signal`` is called once, when a signal ends the run; ``last`` before a second Ctrl-C ends it at once.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        on_signal: Callable[[], None] = lambda: None,
        last: Callable[[], None] = lambda: None,
    ) -> None:
        self.told: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """Done when something told the run to end, with the exit code."""
        self.interrupted = False
        """A key of the terminal ended the command, or the run before that, and all that its user had begun with it."""
        self._command = children.ignoring(command) if command else []
        self._on_signal = on_signal
        self._last = last
        self._early: list[int] = []
        """Signals that came when there was no command yet to take them."""
        self._child: process.Child | None = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Take signals."""
        with signals.ending(asyncio.get_running_loop(), self._signal, self._last):
            yield

    async def follow_output(self) -> None:
        """End the run when nobody reads standard output any more, as SIGPIPE ends other programs."""
        await unread(STDOUT)
        if not self.told.done():
            self._on_signal()
            self.told.set_result(128 + signal.SIGPIPE)

    async def first(self, *futures: asyncio.Future[Any]) -> bool:
        """Wait for one of these; whether a signal came instead, or as well."""
        await asyncio.wait({*futures, self.told}, return_when=asyncio.FIRST_COMPLETED)
        return self.told.done()

    async def was_the_key(self) -> bool:
        """Whether a program that a key of the terminal ended took us along: that may be seen a moment later."""
        await asyncio.wait([self.told], timeout=SAME_KEY)
        return self.told.done()

    def before_ready(self) -> int:
        """The exit code of a run that a signal ended before all was ready."""
        # A command that never ran has not succeeded: 130, as a shell has it, and not kubectl's 0.
        return self.told.result() or (128 + signal.SIGINT if self._command else 0)

    @property
    def runs_command(self) -> bool:
        """Whether the command runs."""
        return self._child is not None

    async def run_command(
        self, env: Mapping[str, str], *, output: str = "text", enter: Callable[[], None] = lambda: None
    ) -> int:
        """Run the command to its end, with ``env`` on top of ours; its exit code.

        ``enter`` is called in the child before it becomes the command, and before it is tied to our end, which a change
        of the user namespace would undo (prctl(2), PR_SET_PDEATHSIG).
        """
        tie, on_terminal = children.ends_with_us(), children.has_terminal()

        def in_child() -> None:
            enter()
            tie()

        with signals.for_command(asyncio.get_running_loop(), self._pass_on):
            child = self._child = await process.start(
                self._command,
                env={**children.environment(), **env},
                # The stream that holds events holds nothing else.
                stdout=STDERR if output == "json" else None,
                # At a terminal it stays in the job that the shell and the keys know; elsewhere signals go to all of it.
                own_group=not on_terminal,
                in_child=in_child,
            )
            for number in self._early:
                # It came while the command was being started, too early to reach it: it was meant for it.
                child.send(number)
            if on_terminal:
                self._follow_stops(child)
            code = await child.wait()
            self._child = None
        self.interrupted = on_terminal and child.process.returncode == -signal.SIGINT
        return code

    def _follow_stops(self, child: process.Child) -> None:
        """Stop when a terminal stopped the command, so that the shell has it back; continue it when we are.

        A command that is a shell has a process group of its own, which the keys of the terminal then mean.
        """
        if self._child is not child:
            return
        if child.has_stopped():
            # Where no shell is there to continue us, the kernel lets this pass.
            os.killpg(os.getpgrp(), signal.SIGTSTP)
            child.go_on()
        asyncio.get_running_loop().call_later(LOOK, self._follow_stops, child)

    async def end_command(self) -> None:
        """End a command that still runs."""
        if self._child is not None:
            await self._child.end(grace=CHILD_GRACE)

    def _signal(self, number: int) -> bool:
        if self._child is not None:
            self._child.pass_on(number)
            return False
        if not self.told.done():
            self._early.append(number)
            self.interrupted = number == signal.SIGINT and children.has_terminal()
            self._on_signal()
            self.told.set_result(signals.exit_code(number))
        return True

    def _pass_on(self, number: int) -> None:
        if self._child is None:
            self._early.append(number)
        else:
            self._child.pass_on(number)
