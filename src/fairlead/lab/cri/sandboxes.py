"""What the service has to know of the runtime's sandboxes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Sandbox:
    """A pod's sandbox at this moment."""

    id: str
    pid: int
    """Of the process that holds its namespaces."""
    netns: str
    """The path by which its network namespace is entered."""
    host_network: bool = False
    ready: bool = True
    name: str = ""
    namespace: str = ""
    uid: str = ""
    """Of the pod, as ``name`` and ``namespace``."""
    attempt: int = 0
    created: int = 0
    """Nanoseconds since 1970."""
    ips: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


class Sandboxes(Protocol):
    """The runtime, as far as its sandboxes are concerned."""

    def get(self, sandbox_id: str) -> Sandbox | None:
        """The sandbox of that id."""

    def all(self) -> Iterable[Sandbox]:
        """All that there are."""
