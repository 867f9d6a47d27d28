"""What this machine allows the runtime, and where on it the runtime keeps things: all of it in the node's memory."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from fairlead.lab.node import kernel
from fairlead.lab.runtime.config import ContainerConfig, SandboxConfig


@dataclass(frozen=True)
class Machine:
    """See ``learn``."""

    scratch: str
    """A folder of the node's own."""
    overlays: bool
    """Whether a container can have its own layer over the machine's files; else they are read only."""
    ids: tuple[range, ...]
    """The users and groups that the node has."""

    @classmethod
    def learn(cls, scratch: str) -> Self:
        """Find out, and make the folders. To be called in the node's namespaces. Raises OSError."""
        for name in ("containers", "logs", "pods"):
            os.makedirs(os.path.join(scratch, name), exist_ok=True)
        with open("/proc/self/uid_map") as file:
            lines = [list(map(int, line.split())) for line in file]
        return cls(scratch, _has_overlays(scratch), tuple(range(first, first + count) for first, _, count in lines))

    @property
    def workplace(self) -> str:
        """An empty folder, for every container in turn: what is mounted there is seen by that container alone."""
        return os.path.join(self.scratch, "containers")

    def has_ids(self, wanted: Collection[int]) -> bool:
        """Whether the node has these users or groups."""
        return all(any(each in ids for ids in self.ids) for each in wanted)

    def log(self, sandbox: SandboxConfig, container: ContainerConfig) -> str:
        """The path of a container's log: a file for each attempt, as under /var/log/pods."""
        pod = f"{sandbox.namespace}_{sandbox.name}_{sandbox.uid}"
        return os.path.join(self.scratch, "logs", pod, container.name, f"{container.attempt}.log")


def _has_overlays(scratch: str) -> bool:
    """Try, in a mount namespace that is gone at once (Linux 5.11; some machines forbid it)."""
    child = os.fork()
    if not child:
        code = 1
        try:
            kernel.unshare(kernel.NEWNS)
            place = os.path.join(scratch, "containers")
            kernel.mount("try", place, "tmpfs")
            for name in ("lower", "upper", "work", "all"):
                os.mkdir(f"{place}/{name}")
            words = f"lowerdir={place}/lower,upperdir={place}/upper,workdir={place}/work"
            kernel.mount("overlay", f"{place}/all", "overlay", 0, words)
            code = 0
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0
