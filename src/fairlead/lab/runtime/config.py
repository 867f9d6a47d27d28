"""What the runtime is told to make, and what it tells of what it made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from fairlead.errors import FairleadError
from fairlead.lab.runtime.root import Bind


class NodeError(FairleadError):
    """The runtime cannot do it; ``reason`` is what a container's status has, ``what`` its message."""

    def __init__(self, reason: str, what: str) -> None:
        super().__init__(what)
        self.reason = reason


class State(Enum):
    """Of a container, or of a sandbox, which is READY or NOTREADY."""

    READY = "READY"
    NOTREADY = "NOTREADY"
    RUNNING = "RUNNING"
    EXITED = "EXITED"


@dataclass(frozen=True)
class SandboxConfig:
    """A pod's sandbox."""

    name: str
    namespace: str
    uid: str
    attempt: int = 0
    hostname: str = ""
    """"" is the pod's name; on the host's network it is the node's, whatever this says."""
    host_network: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    hosts: bytes = b""
    """What /etc/hosts has after the lines for localhost; ``{ip}`` in it becomes the pod's address."""
    resolv: bytes = b""
    """/etc/resolv.conf."""


@dataclass(frozen=True)
class ContainerConfig:
    """A container in a sandbox."""

    name: str
    image: str
    attempt: int = 0
    command: Sequence[str] = ()
    args: Sequence[str] = ()
    env: Sequence[tuple[str, str]] = ()
    """References to variables are not resolved yet."""
    folder: str = ""
    """The working directory; "" is the image's."""
    binds: Sequence[Bind] = ()
    stdin: bool = False
    stdin_once: bool = False
    """Its input ends with the first client that was attached to it."""
    tty: bool = False
    user: int | None = None
    group: int | None = None
    groups: tuple[int, ...] = ()
    read_only: bool = False
    """Whether its root is; volumes are not."""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Sandbox:
    """A pod's sandbox as it is at this moment."""

    id: str
    """64 hexadecimal digits."""
    config: SandboxConfig
    created: datetime
    pid: int
    """Of the process that holds its namespaces, and is called ``pause``."""
    ip: str
    state: State = State.READY

    @property
    def netns(self) -> str:
        """The path by which its network namespace is entered."""
        return f"/proc/{self.pid}/ns/net"

    @property
    def host_network(self) -> bool:
        """Whether that is the node's."""
        return self.config.host_network


@dataclass
class ContainerStatus:
    """A container as it is at this moment."""

    id: str
    """64 hexadecimal digits."""
    sandbox: str
    config: ContainerConfig
    image: str
    """As the catalogue has it."""
    log: str
    """The path of its log."""
    pid: int
    started: datetime
    state: State = State.RUNNING
    finished: datetime | None = None
    code: int = 0
    """128 and more: the number of the signal that ended it."""
    signal: int = 0
    reason: str = ""
    """Completed or Error."""
