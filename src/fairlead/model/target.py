"""What somebody asked to reach, and the pods that stand behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple


class Local(Enum):
    """A local side that is no fixed port."""

    ANY = "any"
    """An ephemeral port, printed once it is known."""
    STDIO = "-"
    """Standard input and output of this process, for one connection."""


class PortSpec(NamedTuple):
    """``[LOCAL:]REMOTE`` as typed: LOCAL a port number 1-65535, ANY or STDIO, or None for "the same as REMOTE"."""

    local: int | Local | None
    remote: str
    """A decimal port number or a port's name, not yet resolved."""

    def __str__(self) -> str:
        if self.local is None:
            return self.remote
        local = {Local.ANY: "", Local.STDIO: "-"}[self.local] if isinstance(self.local, Local) else self.local
        return f"{local}:{self.remote}"


class TargetPort(NamedTuple):
    """A port of a target once the cluster was asked."""

    spec: PortSpec
    local: int | Local
    """What to listen on."""
    remote: int
    """The port (1-65535) in the pod that was chosen at the start; other pods may have another."""
    service_port: int | None
    """The number of the service's port, where the target is a service."""


class TargetSpec(NamedTuple):
    """``TYPE/NAME`` and its ports, as typed; TYPE is not yet looked up."""

    kind: str
    name: str
    ports: tuple[PortSpec, ...]

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


class PodRef(NamedTuple):
    """One pod; the uid tells it from an earlier pod of the same name."""

    namespace: str
    name: str
    uid: str

    def __hash__(self) -> int:
        # Tables of pods are looked up for each connection: a string keeps its hash, a tuple makes it anew.
        return hash(self.uid)


@dataclass(frozen=True, slots=True)
class Backend:
    """Where one connection can go: a port (1-65535) of one pod."""

    pod: PodRef
    port: int
    fallback: bool = field(default=False, compare=False)
    """Not ready: chosen, as kubectl would, because nothing is."""
