"""Where things are: what is kept between runs, and what belongs to one running cluster."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from testbed.errors import TestbedError

SOURCE = Path(__file__).resolve().parent
"""This package."""

# The node covers these with folders of its own (see boot.py), so nothing that it needs from outside may be below them.
COVERED = (Path("/run"), Path("/var/run"), Path("/var/lib"), Path("/var/log"))


def cache() -> Path:
    """The folder that holds all of the test cluster's files on this machine."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    where = (base / "fairlead-testbed").resolve()
    if any(where.is_relative_to(covered) for covered in COVERED):
        hidden = ", ".join(map(str, COVERED))
        raise TestbedError(
            f"the node does not see the cache folder {where}: set XDG_CACHE_HOME to one outside {hidden}"
        )
    return where


def tool(name: str, version: str) -> Path:
    """The folder of one tool at one version."""
    return cache() / f"{name}-{version}"


def clusters() -> Path:
    """The folder with a folder for each running cluster."""
    return cache() / "clusters"


@dataclass(frozen=True, slots=True)
class State:
    """The files of one running cluster. The folder goes when the cluster goes."""

    folder: Path

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self.folder.name

    @property
    def lock(self) -> Path:
        """Held (flock) by the keeper as long as the cluster lives: the answer to "does it run?"."""
        return self.folder / "lock"

    @property
    def plan(self) -> Path:
        """What the node's first process sets up and may start (see init.py)."""
        return self.folder / "plan.json"

    @property
    def slot(self) -> Path:
        """The number that all addresses follow from."""
        return self.folder / "slot"

    @property
    def processes(self) -> Path:
        """The processes that everything else hangs on, with their start times."""
        return self.folder / "processes.json"

    @property
    def socket(self) -> Path:
        """Where the node's first process takes orders."""
        return self.folder / "init.sock"

    @property
    def ready(self) -> Path:
        """Exists once the cluster came up whole."""
        return self.folder / "ready"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.folder / "kubeconfig"

    @property
    def pki(self) -> Path:
        """Keys and certificates."""
        return self.folder / "pki"

    @property
    def logs(self) -> Path:
        """One file for each process of the node, and the keeper's."""
        return self.folder / "logs"

    @property
    def etc(self) -> Path:
        """Configuration files of the node."""
        return self.folder / "etc"


def state(name: str) -> State:
    """The files of the cluster with this name."""
    return State(clusters() / name)
