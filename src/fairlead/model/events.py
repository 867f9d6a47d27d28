"""What a run has to tell, as frozen values; ``cli.render`` turns them into text or into one JSON line each.

``docs/reference/events.md`` lists the same names and fields for users; a test compares the two. Within version 1 fields
are only ever added. A target is written as typed (``svc/web``), a pod by its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

VERSION = 1
"""Written as ``v`` in each line; counts up when a field changes its meaning or goes away."""


@dataclass(frozen=True, slots=True)
class Listening:
    """A local port is bound; one event for each address and port."""

    name: ClassVar[str] = "listening"
    target: str
    address: str
    """The bound IP address, without brackets."""
    port: int
    """The local port, known also where an ephemeral one was asked for."""
    remote: int
    """The port in the pod."""


@dataclass(frozen=True, slots=True)
class Handling:
    """A local connection was accepted."""

    name: ClassVar[str] = "handling"
    port: int
    """The local port, or 0 for standard input and output."""


@dataclass(frozen=True, slots=True)
class ReadyPort:
    """One forwarded port of a ``Ready``."""

    target: str
    local: int
    """The local port, or 0 for standard input and output."""
    remote: int


@dataclass(frozen=True, slots=True)
class Ready:
    """Every port listens and each target's pod answered; told once."""

    name: ClassVar[str] = "ready"
    ports: tuple[ReadyPort, ...]
    pods: tuple[str, ...]
    """The pods that were reached, one for each target."""


@dataclass(frozen=True, slots=True)
class ConnectionFailed:
    """One local connection was refused or reset; nothing else was touched."""

    name: ClassVar[str] = "connection-failed"
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


@dataclass(frozen=True, slots=True)
class PodGone:
    """A pod that was in use is gone or going."""

    name: ClassVar[str] = "pod-gone"
    target: str
    pod: str
    reason: str


@dataclass(frozen=True, slots=True)
class PodNew:
    """A pod is used that was not used before."""

    name: ClassVar[str] = "pod-new"
    target: str
    pod: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing runs behind a target; connections wait."""

    name: ClassVar[str] = "waiting"
    target: str
    reason: str
    limit: float
    """Seconds until what waits is given up."""


@dataclass(frozen=True, slots=True)
class ServerLost:
    """The API server does not answer any more."""

    name: ClassVar[str] = "server-lost"
    reason: str


@dataclass(frozen=True, slots=True)
class ServerBack:
    """The API server answers again."""

    name: ClassVar[str] = "server-back"
    after: float
    """Seconds since it was lost."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something a user should know that has no event of its own."""

    name: ClassVar[str] = "note"
    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The run is over; the last event."""

    name: ClassVar[str] = "ended"
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
