"""The events of ``services`` as lines: one for each change, in the style of kubefwd."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fairlead.cli.render import KNOWN_WORDS, UNKNOWN_WORDS, our_lines
from fairlead.model import events
from fairlead.model import service_events as told
from fairlead.model.service_events import ServiceEvent
from fairlead.policy.advice import brief
from fairlead.policy.nothing import nothing_forwarded

INFO, WARN, PLAIN = "INFO", "WARN", ""
"""Levels; a plain line has neither level nor time."""
WIDTH = 120
"""Columns of a line that names pods, with its level and time; the event has all of them."""
_PREFIX = len("INFO[12:34:56] ")


class Manner(NamedTuple):
    """How this run is told."""

    verbose: bool = False
    """Also each connection, and each change of a state."""
    contexts: bool = False
    """There are several, so that a namespace alone does not say where something is."""
    command: bool = False
    """A command runs, and Ctrl-C is its."""
    dry_run: bool = False


USUAL = Manner()


def text(event: ServiceEvent, manner: Manner, *, new: bool = False) -> list[tuple[str, str]]:
    """The lines for an event, each with its level. ``new``: it is the first of its kind."""
    match event:
        case told.Forwarding():
            return [(INFO, forwarding([event], manner))]
        case told.StoppedForwarding(service=service, pod=pod):
            short = f"{pod}.{service}" if pod else service
            return [(WARN, f"Stopped forwarding {short} in {_place(event, manner)}.")]
        case told.NotServed():
            return [(WARN, _not_served(event, manner, new))]
        case told.HostsLine(address=address, names=names):
            head = [(INFO, "Lines for the hosts file:")] if new else []
            return [*head, (PLAIN, f"{address} {' '.join(names)}")]
        case told.Ready():
            return [(INFO, _ready(event, manner))]
        case told.ServiceState(target=target, state="waiting", reason=reason, wait=wait):
            return [(WARN, f"{target}: {reason}{f'; new connections wait up to {wait:g} s' if wait else ''}")]
        case told.ServiceState(target=target, state=state, reason=reason):
            return [(INFO, f"{target} is {state}{f': {reason}' if reason else ''}")] if manner.verbose else []
        case told.Handling(target=target, port=port):
            return [(INFO, f"Handling connection for {target}:{port}")] if manner.verbose else []
        case events.Ended(reason=""):
            return [(INFO, "Nothing was changed: this was a dry run." if manner.dry_run else "Done...")]
        case events.Note(text=words, warning=warning):
            return [(WARN if warning else INFO, _sentence(words))]
        case events.ServerLost(context=context) | events.ServerBack(context=context):
            whose = f"context {context}: " if manner.contexts else ""
            return [(WARN, _sentence(whose + line)) for line in our_lines(event)]
    return []


def failure(event: told.ConnectionFailed, manner: Manner, unsaid: int) -> tuple[str, str]:
    """The line for a connection that failed; ``unsaid`` others did since that was said last."""
    pod = f" to pod {event.tried}" if event.tried else ""
    what = f"{event.target}:{event.port}: a connection{pod} failed: "
    more = f" (and {unsaid} more before)" if unsaid else ""
    if not event.meaning:
        return WARN, f"{what}{brief(event.words, UNKNOWN_WORDS)}{more}"
    remedy = f"; {event.remedy}" if event.remedy else ""
    words = f" [the server said: {brief(event.words, KNOWN_WORDS)}]" if manner.verbose else ""
    return WARN, f"{what}{event.meaning}{remedy}{more}{words}"


def forwarding(same: Sequence[told.Forwarding], manner: Manner) -> str:
    """The line for ports that all lead to the same pods."""
    room, to = WIDTH - _PREFIX, same[0].to
    names = _some([f"{event.target}:{event.port}" for event in same], room // 2)
    start = f"{'Would forward' if manner.dry_run else 'Forwarding'}: {names} to "
    if to[0].startswith("localhost:"):
        return f"{start}{to[0]} on this machine"
    start += "pod " if len(to) == 1 else "pods "
    return start + _some(to, room - len(start))


def _some(words: Sequence[str], columns: int) -> str:
    """As many of them as there is room for, two at the least."""
    shown, count = ", ".join(words), len(words)
    while len(shown) > columns and count > 2:
        count -= 1
        shown = f"{', '.join(words[:count])} and {len(words) - count} more"
    return shown


def _not_served(event: told.NotServed, manner: Manner, new: bool) -> str:
    what = f"pod {event.pod}.{event.service}" if event.pod else f"service {event.service}"
    if event.port:
        what = f"port {event.port} of {what}"
    needs = "is not forwarded"
    if event.relay:
        needs = f"needs the relay{' (not in this version)' if new else ''}"
    return f"{what} in {_place(event, manner)} {needs}: {event.reason}"


def _ready(event: told.Ready, manner: Manner) -> str:
    if event.names:
        line = f"{_many(event.names, 'name')} on {_many(event.addresses, 'address', 'es')} are in {event.hosts_file}"
    else:
        what, remedy = nothing_forwarded(event.services, event.namespaces, event.narrowed)
        line = _sentence(f"{what} ({remedy})" if remedy else what)
        if not event.services:
            line += "; new ones join by themselves"
    return f"{line}." if manner.command else f"{line}; Ctrl-C ends this."


def _place(event: told.StoppedForwarding | told.NotServed, manner: Manner) -> str:
    return f"{event.namespace} of {event.context}" if manner.contexts else event.namespace


def _many(count: int, word: str, ending: str = "s") -> str:
    return f"{count} {word}{'' if count == 1 else ending}"


def _sentence(line: str) -> str:
    return line[:1].upper() + line[1:]
