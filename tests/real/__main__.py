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

NOTHING = 5
"""pytest's exit code where its options leave no test."""


def main() -> int:
    """Start the cluster, unless there is one to use, and pytest, twice; the exit code is pytest's."""
    spread = ["-n", str(SIDE_BY_SIDE), "--dist", "loadfile"]
    turns = (["-m", "real and not alone", *spread], ["-m", "real and alone"])
    with ExitStack() as stack:
        env = dict(os.environ)
        if user_cluster() is None:
            env[VARIABLE] = stack.enter_context(Cluster.obtain(f"real{os.getpid()}", say=print)).name
        codes = [subprocess.call([sys.executable, "-m", "pytest", *turn, *sys.argv[1:]], env=env) for turn in turns]
    return next((code for code in codes if code not in (0, NOTHING)), min(codes))


if __name__ == "__main__":
    sys.exit(main())
