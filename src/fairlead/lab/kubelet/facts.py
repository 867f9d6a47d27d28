"""What is known of a pod that runs, or is to run, on this node."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

Object: TypeAlias = dict[str, Any]


class Ran(NamedTuple):
    """One start of a container."""

    id: str
    """As status has it, ``fairlead://0123...``."""
    started: datetime
    finished: datetime | None = None
    """None while it runs."""
    code: int = 0
    signal: int = 0
    """That ended it; 0 if none did."""
    message: str = ""

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self.finished is None

    @property
    def reason(self) -> str:
        """Why it is over, in the API's words."""
        return "Completed" if self.code == 0 and not self.signal else "Error"


@dataclass
class Container:
    """A container of a pod over its restarts."""

    now: Ran | None = None
    """The last start."""
    before: Ran | None = None
    """The one before that."""
    restarts: int = 0
    trouble: tuple[str, str] = ("", "")
    """Why it cannot be started, as a reason and a message: ``ErrImagePull``."""
    tried: datetime | None = None
    """When a start failed last."""
    failures: int = 0
    """Starts in a row that failed, or ended soon."""
    ready: bool = False
    """What its readiness probe says, or that it has none."""
    started: bool = False
    """What its startup probe says, or that it has none."""

    @property
    def runs(self) -> bool:
        """Whether it runs."""
        return self.now is not None and self.now.runs

    @property
    def done(self) -> bool:
        """Whether its last start ended well."""
        return self.now is not None and not self.now.runs and self.now.code == 0 and not self.now.signal


@dataclass
class Facts:
    """A pod as this node knows it."""

    sandbox: str = ""
    """The id; "" while there is none."""
    addresses: tuple[str, ...] = ()
    seen: datetime | None = None
    """When this node first heard of it."""
    containers: dict[str, Container] = field(default_factory=dict)
    """Init containers too, by name."""

    def of(self, name: str) -> Container:
        """The container of that name, as new where nothing is known of it."""
        return self.containers.setdefault(name, Container())

    @property
    def running(self) -> list[str]:
        """The names of those that run."""
        return [name for name, container in self.containers.items() if container.runs]
