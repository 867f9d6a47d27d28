"""A user of a fake cluster, with a home and a hosts file of their own, who runs ``fairlead``."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from fairlead.policy.hostsblock import Owner
from tests.support.fakecluster import FakeCluster
from tests.support.running import FAIRLEAD
from tests.support.serving import USUAL, Services

PORT = 20000 + os.getpid() % 10000
"""Two processes that run these tests at once have the same names, and so the same addresses."""
HIGH = f"-m=80:{PORT}"
"""Tests need no root."""
LIMIT = 10.0
BOOT = "29ff7d19-42d5-4048-8d34-000000000000"
DEAD = Owner(4711, 1, BOOT)


class User:
    """A user of the cluster, with a home and a hosts file."""

    def __init__(self, cluster: FakeCluster, folder: Path) -> None:
        self.folder = folder
        outside = {name: value for name, value in os.environ.items() if not name.startswith("SUDO_")}
        self.hosts = folder / "hosts"
        self.hosts.write_bytes(USUAL)
        self.home = folder / "home"
        self.home.mkdir(mode=0o700)
        self.config = cluster.kubeconfig(folder / "config")
        self.env = {
            **outside,
            "HOME": str(self.home),
            "KUBECONFIG": str(self.config),
            "XDG_CACHE_HOME": "",
            "XDG_STATE_HOME": "",
            "XDG_RUNTIME_DIR": "",
            "PYTHONWARNINGS": "default",
        }

    def start(self, *words: str, json: bool = True) -> Services:
        """A run to use in a with block."""
        return Services([HIGH, *words], self.folder, json=json, env={"KUBECONFIG": str(self.config)})

    def run(self, *words: str, program: Sequence[str] = FAIRLEAD, **env: str) -> subprocess.CompletedProcess[str]:
        """A run that ends by itself."""
        return subprocess.run(
            [*program, *words],
            capture_output=True,
            text=True,
            env={**self.env, **env},
            timeout=LIMIT,
            check=False,
            cwd=self.folder,
        )

    def everything(self) -> dict[str, bytes]:
        """All files of the user."""
        return {str(path): path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
