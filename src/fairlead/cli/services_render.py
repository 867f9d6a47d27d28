"""What a run of ``services`` tells: lines in the style of kubefwd, or JSON."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from time import localtime, monotonic, strftime
from typing import Any

from fairlead.cli.destinations import Destinations
from fairlead.cli.render import LAST_MOMENT, STDERR, STDOUT, as_json
from fairlead.cli.repeats import Repeats
from fairlead.cli.services_text import USUAL, Manner, failure, text
from fairlead.cli.status_line import StatusLine, is_possible
from fairlead.kit.lines import Lines
from fairlead.model import service_events as told
from fairlead.model.service_events import ServiceEvent
from fairlead.model.summary import Summary
from fairlead.policy.text import one_line

GATHER = 1.0
"""Seconds for which changes of where names lead are gathered."""
MOST_WAITING = 20_000
"""Lines kept for a reader that does not read: some for each of the services of a large cluster."""


def _clock() -> str:
    return strftime("%H:%M:%S", localtime())


class ServicesScreen:
    """Standard output and error of a run; neither ever blocks it. ``lines_to`` has the lines that are no errors."""

    def __init__(
        self, output: str, manner: Manner = USUAL, *, lines_to: int = STDOUT, clock: Callable[[], str] = _clock
    ) -> None:
        self._json = output == "json"
        self._manner = manner
        self._clock = clock
        self._repeats = Repeats()
        self._kinds: set[object] = set()
        """Of the events that were shown."""
        self._destinations = Destinations(manner)
        self._later: asyncio.TimerHandle | None = None
        self._lines_to = lines_to
        self._lines = {each: Lines(each, most=MOST_WAITING) for each in (STDOUT, STDERR)}
        self._status: StatusLine | None = None
        # A command has the terminal for itself.
        if not self._json and lines_to == STDOUT and is_possible(STDOUT, os.environ):
            if _are_one():
                # One queue, lest a line of one comes between the status line and its end.
                self._lines[STDERR] = self._lines[STDOUT]
            self._status = StatusLine(STDOUT, self._lines[STDOUT])

    @property
    def status(self) -> Callable[[Callable[[], Summary]], Coroutine[Any, Any, None]] | None:
        """What shows a status line while it runs; None where there is no terminal for one."""
        return self._status.run if self._status else None

    def show(self, event: ServiceEvent) -> None:
        """Write what there is to say about ``event``, which may be nothing."""
        if self._json:
            self._lines[STDOUT].write(as_json(event))
            return
        lines = self._text(event)
        if lines:
            # Things are told in the order in which they came.
            self._tell_rest()
            self._tell(lines)
        if self._destinations.waiting and self._later is None:
            self._later = asyncio.get_running_loop().call_later(GATHER, self._tell_rest)

    def say(self, line: str) -> None:
        """Write one line to stderr as it is: an error, or one of the log."""
        self._tell_rest()
        self._write(STDERR, line)

    def finish(self) -> None:
        """Give slow readers a moment for the last lines; nothing can be said any more."""
        self._tell_rest()
        for lines in dict.fromkeys(self._lines.values()):
            lines.flush(LAST_MOMENT)
            lines.close()

    def _tell_rest(self) -> None:
        """Where names lead by now."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        self._tell(self._destinations.rest())

    def _tell(self, lines: list[tuple[str, str]]) -> None:
        for level, line in lines:
            shown = one_line(line)
            self._write(self._lines_to, f"{level}[{self._clock()}] {shown}" if level else shown)

    def _text(self, event: ServiceEvent) -> list[tuple[str, str]]:
        if isinstance(event, told.ConnectionFailed):
            unsaid = self._repeats.again((event.target, event.port, event.meaning or event.words), monotonic())
            return [] if unsaid is None else [failure(event, self._manner, unsaid)]
        if isinstance(event, told.Forwarding):
            return self._destinations.take(event)
        if isinstance(event, told.StoppedForwarding) or (
            isinstance(event, told.ServiceState) and event.state == "waiting"
        ):
            self._tell_rest()
            self._destinations.forget(event)
        kind = (type(event), getattr(event, "relay", None))
        new = kind not in self._kinds
        self._kinds.add(kind)
        return text(event, self._manner, new=new)

    def _write(self, where: int, line: str) -> None:
        lines = self._lines[where]
        if self._status is not None and lines is self._lines[STDOUT]:
            self._status.write(line)
        else:
            lines.write(line)


def _are_one() -> bool:
    """Whether standard output and error are the same terminal."""
    try:
        out, err = os.fstat(STDOUT), os.fstat(STDERR)
    except OSError:
        return False
    return (out.st_dev, out.st_ino) == (err.st_dev, err.st_ino)
