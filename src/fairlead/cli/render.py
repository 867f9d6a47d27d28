"""Events as text or as JSON lines.

stdout carries kubectl's own lines and nothing else (or JSON lines and nothing else); everything that is ours goes to
stderr. Where standard output is the joined connection itself, kubectl's lines go to stderr too.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fairlead.cli.text import one_line
from fairlead.kit.lines import Lines
from fairlead.model import events
from fairlead.model.events import Event
from fairlead.model.target import Local
from fairlead.policy.advice import brief
from fairlead.settings import ForwardSettings

STDOUT, STDERR = 1, 2
KNOWN_WORDS, UNKNOWN_WORDS = 160, 400
"""Characters of the server's words in a line: beside ours that say what they mean, and where they are all there is.

All of them are in the JSON event and, with ``-v 4``, in the log.
"""


def renderer(settings: ForwardSettings) -> Callable[[Event], None]:
    """What shows the events of a run with these settings."""
    if settings.output == "json":
        out = Lines(STDOUT)
        return lambda event: out.write(as_json(event))
    joined = any(port.local is Local.STDIO for target in settings.targets for port in target.ports)
    err = Lines(STDERR)
    return Text(err if joined else Lines(STDOUT), err).show


def as_json(event: Event) -> str:
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


class Text:
    """Events as lines for people."""

    def __init__(self, out: Lines, err: Lines) -> None:
        self._out = out
        self._err = err

    def show(self, event: Event) -> None:
        """Write what there is to say about ``event``, which may be nothing."""
        line = kubectl_line(event)
        if line:
            self._out.write(line)
            return
        line = our_line(event)
        if line:
            self._err.write(one_line(line))


def kubectl_line(event: Event) -> str:
    """The line that kubectl port-forward prints to stdout for the same thing, or ""."""
    match event:
        case events.Listening(address=address, port=port, remote=remote):
            host = f"[{address}]" if ":" in address else address
            return f"Forwarding from {host}:{port} -> {remote}"
        case events.Handling(port=port) if port:
            return f"Handling connection for {port}"
    return ""


def our_line(event: Event) -> str:
    """What we say on stderr, or "" where the exit or kubectl's lines say it."""
    match event:
        case events.ConnectionFailed():
            return _failed(event)
        case events.PodGone(target=target, pod=pod, reason=reason):
            return f"{target}: pod {pod} is no longer used: {reason}"
        case events.PodNew(target=target, pod=pod):
            return f"{target}: now using pod {pod}"
        case events.Waiting(target=target, reason=reason, limit=limit):
            return f"{target}: waiting up to {limit:g} s: {reason}"
        case events.ServerLost(reason=reason):
            return f"the API server is lost: {reason}; trying again until it answers"
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
