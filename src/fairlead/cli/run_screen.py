"""What a run of ``run`` tells: lines on stderr, and few of them, since the terminal is the command's."""

from __future__ import annotations

from time import monotonic

from fairlead.cli.render import LAST_MOMENT, STDERR
from fairlead.cli.repeats import Repeats
from fairlead.cli.services_text import Manner, failure, text
from fairlead.kit.lines import Lines
from fairlead.model import events
from fairlead.model import service_events as told
from fairlead.model.service_events import ServiceEvent
from fairlead.policy.text import one_line


class RunScreen:
    """Standard error of a run, which it never blocks."""

    def __init__(self, *, verbose: bool, contexts: bool) -> None:
        self._verbose = verbose
        self._manner = Manner(verbose=verbose, contexts=contexts, command=True)
        self._repeats = Repeats()
        self._lines = Lines(STDERR)
        self._waiting: dict[str, told.ServiceState] = {}
        """Names of which no pod is ready, and nobody was told."""

    def show(self, event: ServiceEvent) -> None:
        """Write what there is to say about ``event``, which is mostly nothing."""
        if isinstance(event, told.ConnectionFailed):
            unsaid = self._repeats.again((event.target, event.port, event.meaning or event.words), monotonic())
            lines = [] if unsaid is None else [failure(event, self._manner, unsaid)]
        elif self._verbose or _is_trouble(event):
            lines = text(event, self._manner)
        else:
            lines = self._why_it_waits(event)
        for _, line in lines:
            # Among the lines of a command nobody would know whose this is.
            self.say(f"fairlead: {line}")

    def _why_it_waits(self, event: ServiceEvent) -> list[tuple[str, str]]:
        """That no pod is ready is news for whoever connects, and for nobody else."""
        if isinstance(event, told.ServiceState):
            self._waiting.pop(event.target, None)
            if event.state == "waiting":
                self._waiting[event.target] = event
        elif isinstance(event, told.Handling) and event.target in self._waiting:
            return text(self._waiting.pop(event.target), self._manner)
        return []

    def say(self, line: str) -> None:
        """Write one line as it is: an error, or one of the log."""
        self._lines.write(one_line(line))

    def finish(self) -> None:
        """Give a slow reader a moment for the last lines; nothing can be said any more."""
        self._lines.flush(LAST_MOMENT)
        self._lines.close()


def _is_trouble(event: ServiceEvent) -> bool:
    """Whether it is shown without -v."""
    return isinstance(event, events.ServerLost | events.ServerBack) or (
        isinstance(event, events.Note) and event.warning
    )
