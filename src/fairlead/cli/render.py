"""Events as text or as JSON lines.

stdout carries kubectl's own lines and nothing else (or JSON lines and nothing else); everything that is ours goes to
stderr. Where standard output is the joined connection itself, kubectl's lines go to stderr too.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from fairlead.kit.lines import Lines
from fairlead.model import events
from fairlead.model.events import Event
from fairlead.policy.advice import brief
from fairlead.policy.text import one_line

STDOUT, STDERR = 1, 2
LAST_MOMENT = 0.1
"""Seconds at the end for each of the two, whose readers may be slow."""
KNOWN_WORDS, UNKNOWN_WORDS = 160, 400
"""Characters of the server's words in a line: beside ours that say what they mean, and where they are all there is.

All of them are in the JSON event and, with ``-v 4``, in the log.
"""


class Screen:
    """Standard output and error of a run; neither ever blocks it.

    ``kubectl_to`` is where kubectl's own lines go, ``STDOUT`` or ``STDERR``.
    """

    def __init__(self, output: str) -> None:
        self.kubectl_to = STDOUT
        self._json = output == "json"
        self._lines = {STDOUT: Lines(STDOUT), STDERR: Lines(STDERR)}

    def show(self, event: Event) -> None:
        """Write what there is to say about ``event``, which may be nothing."""
        if self._json:
            self._lines[STDOUT].write(as_json(event))
            return
        line = kubectl_line(event)
        if line:
            self._lines[self.kubectl_to].write(line)
        for line in our_lines(event):
            self.say(one_line(line))

    def say(self, line: str) -> None:
        """Write one line to stderr as it is: an error, or one of the log."""
        self._lines[STDERR].write(line)

    def finish(self) -> None:
        """Give slow readers a moment for the last lines; nothing can be said any more."""
        for lines in self._lines.values():
            lines.flush(LAST_MOMENT)
            lines.close()


def as_json(event: NamedTuple) -> str:
    """One line, without its end."""
    told = {"v": events.VERSION, "event": events.name_of(type(event)), **_fields(event)}
    return json.dumps(told, separators=(",", ":"))


def _fields(value: Any) -> dict[str, Any]:
    """The fields of an event, and of the values in it."""
    return {key: _plain(each) for key, each in value._asdict().items()}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return _fields(value) if hasattr(value, "_asdict") else [_plain(each) for each in value]
    return value


def kubectl_line(event: Event) -> str:
    """The line that kubectl port-forward prints to stdout for the same thing, or ""."""
    match event:
        case events.Listening(address=address, port=port, remote=remote):
            host = f"[{address}]" if ":" in address else address
            return f"Forwarding from {host}:{port} -> {remote}"
        case events.Handling(port=port) if port:
            return f"Handling connection for {port}"
    return ""


def our_lines(event: Event) -> list[str]:
    """What we say on stderr; nothing where the exit or kubectl's lines say it."""
    if isinstance(event, events.Ready):
        return _which_is_which(event)
    line = _our_line(event)
    return [line] if line else []


def _which_is_which(event: events.Ready) -> list[str]:
    """kubectl's lines name no target, which is enough while there is but one."""
    if len({port.target for port in event.ports}) < 2:
        return []
    return [f"{port.target}: local port {port.local} -> {port.remote}" for port in event.ports if port.local]


def _our_line(event: Event) -> str:
    match event:
        case events.ConnectionFailed():
            return _failed(event)
        case events.PodGone(target=target, pod=pod, reason=reason):
            return f"{target}: pod {pod} is no longer used: {reason}"
        case events.PodNew(target=target, pod=pod):
            return f"{target}: now using pod {pod}"
        case events.Waiting(target=target, reason=reason, limit=limit):
            return f"{target}: no pod to connect to: {reason}; new connections wait up to {limit:g} s for one"
        case events.ServerLost(reason=reason):
            return f"{reason}; trying again until it answers"
        case events.ServerBack(after=after):
            return f"the API server is back after {after:.0f} s"
        case events.Note(text=text):
            return text
    return ""


def _failed(event: events.ConnectionFailed) -> str:
    local = f"a connection to port {event.port}" if event.port else "the connection"
    pod = f" (pod {event.pod}, port {event.remote})" if event.pod else f" (port {event.remote})"
    if not event.meaning:
        return f"{local}{pod} failed: {brief(event.words, UNKNOWN_WORDS)}"
    remedy = f"; {event.remedy}" if event.remedy else ""
    return f"{local}{pod} failed: {event.meaning}{remedy} [the server said: {brief(event.words, KNOWN_WORDS)}]"
