from __future__ import annotations

import os
import subprocess
import sys

from fairlead.helper.processes import alive, owner
from tests.support.world import within


def test_this_process_is_alive_and_no_other_of_its_number() -> None:
    us = owner(os.getpid())
    assert us is not None
    assert alive(us)
    assert not alive(us._replace(start=us.start + 1))
    assert not alive(us._replace(boot="0-0"))


def test_one_that_ended_is_dead_also_while_nobody_has_asked_for_its_end() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        there = owner(process.pid)
        assert there is not None
        assert alive(there)
        process.kill()
        within(5, lambda: not alive(there), "death", pause=0.01)
        assert process.returncode is None, "a zombie"
    assert not alive(there)
    assert owner(process.pid) is None


def test_numbers_that_no_process_has() -> None:
    us = owner(os.getpid())
    assert us is not None
    assert not alive(us._replace(pid=9_999_999_999))


def test_a_name_with_parentheses_does_not_hide_the_start() -> None:
    program = "import ctypes; ctypes.CDLL(None).prctl(15, b') R 1 2', 0, 0, 0); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        there = owner(process.pid)
        ours = owner(os.getpid())
        process.kill()
    assert there is not None
    assert ours is not None
    assert there.start >= ours.start
