"""What a run of ``services`` has to tell, beside what every run may: frozen values, as in ``model.events``.

All that are about a name say which by the same fields, ``target`` to ``context``; what has none has no ``target``.
``docs/reference/services-events.md`` lists the same names and fields for users; a test compares the two.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from fairlead.model.events import Event


class Forwarding(NamedTuple):
    """The name of a service leads somewhere, or now leads elsewhere; one event for each of its ports."""

    target: str
    """The shortest of its names."""
    service: str
    pod: str
    """Of a headless service, whose pods have names of their own; "" for the service itself."""
    namespace: str
    context: str
    kind: str
    """``service``, ``headless`` or ``pod``."""
    address: str
    """The loopback address that the name stands for."""
    port: int
    """To connect to."""
    to: tuple[str, ...]
    """Ready pods with their ports, ``web-1:8080``; or ``localhost:3000``, for what runs on this machine."""


class StoppedForwarding(NamedTuple):
    """A name leads nowhere any more: the service or pod is gone, or the run ends."""

    target: str
    """The shortest of its names."""
    service: str
    pod: str
    namespace: str
    context: str


class NotServed(NamedTuple):
    """A service, or one port of it, that cannot be served."""

    service: str
    namespace: str
    context: str
    port: str
    """Such as ``53/UDP``; "" for the whole service."""
    reason: str
    relay: bool
    """Whether it needs the relay: something in the cluster could reach it, port forwarding cannot."""
    pod: str = ""
    """Of a headless service, where only this one's address is meant."""


class ServiceState(NamedTuple):
    """What is known of a name's way; told when it changes."""

    target: str
    """The shortest of its names."""
    service: str
    pod: str
    namespace: str
    context: str
    state: str
    """``waiting`` (no pod is ready), ``ready`` (one is), ``proved`` (bytes came back) or ``failing``."""
    reason: str = ""
    """Of waiting and failing: of the last connection that did."""
    at: str = ""
    """Of proved: when bytes came back (RFC 3339, UTC)."""
    wait: float = 0.0
    """Of waiting: seconds that a new connection waits for that to change; 0 if it fails at once."""


class Handling(NamedTuple):
    """A connection came in."""

    target: str
    service: str
    pod: str
    namespace: str
    context: str
    port: int
    """That it came to."""


class ConnectionFailed(NamedTuple):
    """One connection was refused or reset; nothing else was touched."""

    target: str
    service: str
    pod: str
    namespace: str
    context: str
    port: int
    """That it came to."""
    tried: str
    """The pod that was tried, with its port, ``web-1:8080``; "" if there was none."""
    words: str
    """The server's own words, or ours where it said nothing."""
    meaning: str = ""
    """What they mean, "" if unknown."""
    remedy: str = ""
    """What to do about it, "" if unknown."""


class HostsLine(NamedTuple):
    """A line that the hosts file would get; told by ``--dry-run`` alone."""

    address: str
    names: tuple[str, ...]
    ports: tuple[int, ...]
    """What would be listened on there."""


class Ready(NamedTuple):
    """Every name stands in the hosts file and is listened for; told once."""

    names: int
    """0 if nothing is forwarded."""
    addresses: int
    hosts_file: str
    services: int = 0
    """That were found and chosen, whether they can be forwarded or not."""
    namespaces: tuple[str, ...] = ()
    """In which they are looked for; () is all."""
    narrowed: tuple[str, ...] = ()
    """The options that leave only some of what is there, such as ``--selector app=web``."""


ServiceEvent: TypeAlias = (
    Forwarding | StoppedForwarding | NotServed | ServiceState | Handling | ConnectionFailed | HostsLine | Ready | Event
)
