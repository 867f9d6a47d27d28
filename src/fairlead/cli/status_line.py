"""The last line of a terminal: how a run of ``services`` stands, kept below the lines that come.

The cursor rests at its beginning, so that a terminal which breaks it anew when it is resized still has the cursor where
erasing begins.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping

from fairlead.kit.lines import Lines
from fairlead.model.summary import Summary

EVERY = 0.5
"""Seconds after which a change is shown at the latest."""
_ERASE = "\r\x1b[J"
"""To the beginning of the line, and nothing from there on (ECMA-48, ED)."""
_NARROW = 20
"""Columns that a terminal has at least; it says 0 where it does not know."""


def is_possible(descriptor: int, env: Mapping[str, str]) -> bool:
    """Whether this is a terminal on which a line can be erased."""
    return env.get("TERM", "dumb") not in ("", "dumb") and os.isatty(descriptor)


class StatusLine:
    """That of the terminal which ``lines`` are written to."""

    def __init__(self, descriptor: int, lines: Lines) -> None:
        self._descriptor = descriptor
        self._lines = lines
        self._shown = ""

    def write(self, line: str) -> None:
        """Write one line above it."""
        if self._shown:
            self._lines.write(f"{_ERASE}{line}\n{self._shown}\r", end="")
        else:
            self._lines.write(line)

    async def run(self, summary: Callable[[], Summary]) -> None:
        """Show it until this is cancelled, and then no more."""
        loop, moved = asyncio.get_running_loop(), asyncio.Event()
        for number in (signal.SIGWINCH, signal.SIGCONT):
            loop.add_signal_handler(number, moved.set)
        try:
            while True:
                self._draw(text(summary(), self._columns() - 1), anew=moved.is_set())
                moved.clear()
                try:
                    async with asyncio.timeout(EVERY):
                        await moved.wait()
                except TimeoutError:
                    pass
        finally:
            for number in (signal.SIGWINCH, signal.SIGCONT):
                loop.remove_signal_handler(number)
            self._draw("")

    def _draw(self, shown: str, *, anew: bool = False) -> None:
        if not self._is_ours():
            self._shown = ""
        elif (shown != self._shown or anew) and not self._lines.are_waiting:
            self._shown = shown
            self._lines.write(f"{_ERASE}{shown}\r", end="")

    def _is_ours(self) -> bool:
        """Whether we are in the foreground; elsewhere it would stand in the midst of what the shell's user types."""
        try:
            return os.tcgetpgrp(self._descriptor) == os.getpgrp()
        except OSError:
            return True  # a terminal that is nobody's controlling one

    def _columns(self) -> int:
        try:
            return max(os.get_terminal_size(self._descriptor).columns or 80, _NARROW)
        except OSError:
            return 80


def text(summary: Summary, columns: int) -> str:
    """The line, in as many columns at most; what matters least goes first."""
    parts = [
        (6, summary.proved, "proved"),
        (4, summary.ready, "ready"),
        (3, summary.waiting, "waiting"),
        (2, summary.failing, "failing"),
        (5, summary.relay, "needs the relay" if summary.relay == 1 else "need the relay"),
        (7, summary.open, "connection" if summary.open == 1 else "connections"),
    ]
    found = [(rank, f"{count} {word}") for rank, count, word in parts if count]
    if summary.lost:
        found.insert(0, (1, "the API server is away"))
    if not found:
        found = [(1, "no services")]
    while len(line := ", ".join(part for _, part in found)) > columns and len(found) > 1:
        found.remove(max(found))
    return line[:columns]
