"""A child whose parent ends between fork and exec, where signal handlers are still the parent's."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="prctl(2)")

FORK = """
import os, signal, time
from fairlead.host.children import ends_with_us

signal.signal(signal.SIGTERM, lambda number, frame: None)  # as an event loop has it
in_child, parent = ends_with_us(), os.getpid()
told, tell = os.pipe()
if os.fork():
    os.read(told, 1)
    os._exit(0)
{steps}
os.write(1, b"alive")
"""
GONE = """
os.write(tell, b".")
while os.getppid() == parent:
    time.sleep(0.01)
"""
CALL = "in_child()"


@pytest.mark.parametrize("steps", [(GONE, CALL), (CALL, GONE)], ids=["before", "after"])
def test_it_ends_when_its_parent_went_before_or_after_the_kernel_knew(steps: tuple[str, str]) -> None:
    script = FORK.format(steps="\n".join(steps))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=20, check=False)
    assert (done.stdout, done.stderr) == (b"", b"")
