from __future__ import annotations

import os
import subprocess
import sys

from bench import procfs


def test_ticks_of_a_process_with_a_wild_name() -> None:
    assert procfs.parse_ticks("7 (a) b (c) S 1 7 7 0 -1 4194560 1 0 0 0 12 30 5 5 20 0 1 0 99 1 1 1") == 42


def test_memory_is_what_is_resident_and_what_is_private() -> None:
    text = """55d0-7ffe ---p 00000000 00:00 0    [rollup]
Rss:               10000 kB
Pss:                5000 kB
Shared_Clean:       7000 kB
Private_Clean:      1000 kB
Private_Dirty:      2000 kB
"""
    assert procfs.parse_smaps(text) == (10.24, 3.072)


def test_a_family_is_a_process_and_its_children() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        try:
            assert {os.getpid(), child.pid} <= set(procfs.family(os.getpid()))
            resident, own = procfs.memory(child.pid)  # read once: the child may still be growing
            assert resident >= own > 0
            resident, share = procfs.shares(child.pid)
            assert resident >= share > 0
        finally:
            child.kill()


def test_cpu_of_a_process_that_is_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    assert procfs.cpu_seconds(child.pid) == 0
