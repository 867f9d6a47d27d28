"""What a run of ``services`` tells: lines in the style of kubefwd, or JSON."""

from __future__ import annotations

from collections.abc import Callable
from time import localtime, strftime

from fairlead.cli.render import LAST_MOMENT, STDERR, STDOUT, as_json, our_lines
from fairlead.kit.lines import Lines
from fairlead.model import events
from fairlead.model import service_events as told
from fairlead.model.service_events import ServiceEvent
from fairlead.policy.text import one_line

INFO, WARN = "INFO", "WARN"


def _clock() -> str:
    return strftime("%H:%M:%S", localtime())


class ServicesScreen:
    """Standard output and error of a run; neither ever blocks it. ``lines_to`` has the lines that are no errors."""

    def __init__(
        self, output: str, *, lines_to: int = STDOUT, verbose: bool = False, clock: Callable[[], str] = _clock
    ) -> None:
        self._json = output == "json"
        self._verbose = verbose
        self._clock = clock
        self._lines_to = lines_to
        self._lines = {STDOUT: Lines(STDOUT), STDERR: Lines(STDERR)}

    def show(self, event: ServiceEvent) -> None:
        """Write what there is to say about ``event``, which may be nothing."""
        if self._json:
            self._lines[STDOUT].write(as_json(event))
            return
        for level, line in text(event, verbose=self._verbose):
            self._lines[self._lines_to].write(f"{level}[{self._clock()}] {one_line(line)}")

    def say(self, line: str) -> None:
        """Write one line to stderr as it is: an error, or one of the log."""
        self._lines[STDERR].write(line)

    def finish(self) -> None:
        """Give slow readers a moment for the last lines; nothing can be said any more."""
        for lines in self._lines.values():
            lines.flush(LAST_MOMENT)
            lines.close()


def text(event: ServiceEvent, *, verbose: bool) -> list[tuple[str, str]]:
    """The lines for an event, each with its level."""
    match event:
        case told.Forwarding(target=target, port=port, to=to):
            return [(INFO, f"Forwarding: {target}:{port} to {_what(to)}")]
        case told.StoppedForwarding(target=target, namespace=namespace):
            return [(WARN, f"Stopped forwarding {target} in {namespace}.")]
        case told.NotServed():
            return [(WARN, _not_served(event))]
        case told.Ready(names=names, addresses=addresses, hosts_file=path):
            return [(INFO, f"{names} names on {addresses} addresses are in {path}; Ctrl-C ends this.")]
        case told.ServiceState(target=target, state=state, reason=reason):
            return [(INFO, f"{target}: {state}{f' ({reason})' if reason else ''}")] if verbose else []
        case events.Handling(target=target):
            return [(INFO, f"Handling connection for {target}")] if verbose else []
        case events.Ended(reason=""):
            return [(INFO, "Done...")]
        case events.Note(text=words):
            return [(INFO, words)]
        case events.ConnectionFailed() | events.Waiting() | events.ServerLost() | events.ServerBack():
            return [(WARN, line) for line in our_lines(event)]
    return []


def _what(to: tuple[str, ...]) -> str:
    if len(to) == 1 and to[0].startswith("localhost:"):
        return f"{to[0]} of this machine"
    return f"pod{'s' if len(to) > 1 else ''} {', '.join(to)}"


def _not_served(event: told.NotServed) -> str:
    what = f"port {event.port} of service {event.service}" if event.port else f"service {event.service}"
    needs = "needs the relay, which there is not yet" if event.relay else "is not served"
    return f"{what} in {event.namespace} {needs}: {event.reason}"
