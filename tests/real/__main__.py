"""Run the real tests side by side on one cluster: ``python -m tests.real [pytest's options]``."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack

from testbed.cluster import VARIABLE, Cluster
from tests.support.world import user_cluster

SIDE_BY_SIDE = 2
"""Tests at a time. Half of their time is waiting; more would be late for deadlines on a machine of two cores."""


def main() -> int:
    """Start the cluster, unless there is one to use, and pytest; the exit code is pytest's."""
    spread = ["-n", str(SIDE_BY_SIDE), "--dist", "loadfile"]
    command = [sys.executable, "-m", "pytest", "-m", "real", *spread, *sys.argv[1:]]
    with ExitStack() as stack:
        env = dict(os.environ)
        if user_cluster() is None:
            env[VARIABLE] = stack.enter_context(Cluster.obtain(f"real{os.getpid()}", say=print)).name
        return subprocess.call(command, env=env)


if __name__ == "__main__":
    sys.exit(main())
