"""What a run has to tell, as frozen values; ``cli.render`` turns them into text or into one JSON line each.

``docs/reference/events.md`` lists the same names and fields for users; a test compares the two. Within version 1 fields
are only ever added. A target is written as typed (``svc/web``), a pod by its name.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

VERSION = 1
"""Written as ``v`` in each line; counts up when a field changes its meaning or goes away."""


class Listening(NamedTuple):
    """A local port is bound; one event for each address and port."""

    target: str
    address: str
    """The bound IP address, without brackets."""
    port: int
    """The local port, known also where an ephemeral one was asked for."""
    remote: int
    """The port in the pod."""


class Handling(NamedTuple):
    """A local connection was accepted."""

    port: int
    """The local port, or 0 for standard input and output."""
    target: str = ""
    """What it leads to."""


class ReadyPort(NamedTuple):
    """One forwarded port of a ``Ready``."""

    target: str
    local: int
    """The local port, or 0 for standard input and output."""
    remote: int


class Ready(NamedTuple):
    """Every port listens and each target's pod answered; told once."""

    ports: tuple[ReadyPort, ...]
    pods: tuple[str, ...]
    """The pods that were reached, one for each target."""


class ConnectionFailed(NamedTuple):
    """One local connection was refused or reset; nothing else was touched."""

    port: int
    """The local port, or 0 for standard input and output."""
    remote: int
    pod: str
    """The pod that was tried, or "" if there was none."""
    words: str
    """The server's own words, or ours where it said nothing."""
    meaning: str = ""
    """What they mean, "" if unknown."""
    remedy: str = ""
    """What to do about it, "" if unknown."""
    target: str = ""
    """What the local port leads to."""


class PodGone(NamedTuple):
    """A pod that was in use is gone or going."""

    target: str
    pod: str
    reason: str


class PodNew(NamedTuple):
    """A pod is used that was not used before."""

    target: str
    pod: str


class Waiting(NamedTuple):
    """Nothing runs behind a target; connections wait."""

    target: str
    reason: str
    limit: float
    """Seconds until what waits is given up."""


class ServerLost(NamedTuple):
    """The API server does not answer any more."""

    reason: str
    context: str = ""
    """The kubeconfig context whose it is; "" where none is used."""


class ServerBack(NamedTuple):
    """The API server answers again."""

    after: float
    """Seconds since it was last heard of; since it was found to be lost where nothing was open that it answers."""
    context: str = ""


class Note(NamedTuple):
    """Something a user should know that has no event of its own."""

    text: str
    warning: bool = False
    """It is not as it should be, or not as was asked."""


class Ended(NamedTuple):
    """The run is over; the last event."""

    reason: str
    exit_code: int


Event: TypeAlias = (
    Listening
    | Handling
    | Ready
    | ConnectionFailed
    | PodGone
    | PodNew
    | Waiting
    | ServerLost
    | ServerBack
    | Note
    | Ended
)


def name_of(kind: type[object]) -> str:
    """The name that ``-o json`` gives a kind of event: ``pod-gone`` for PodGone."""
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in kind.__name__).lstrip("-")
