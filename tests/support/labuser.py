"""Who runs a node of the lab in a test: root, or an ordinary user; and what must not be left of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fairlead.host.private.rest import processes_in
from tests.support import labinside, labscenarios
from tests.support.run_user import RunUser
from tests.support.running import Lines
from tests.support.world import within

END = 3.0
"""Seconds in which nothing is left of a node on a busy machine."""
ROOT = Path(labinside.__file__).parent.parent.parent

_SCRIPT = """#!{python}
import os, sys

os.environ.pop("LD_LIBRARY_PATH", None)
os.environ["LAB_PYTHON"], os.environ["LAB_PREFIX"] = "{python}", "{folder}"
sys.path[:0] = ["{folder}/code", "{folder}/site"]
from tests.support.labinside import main

sys.exit(main())
"""


class LabRun:
    """A node that does one scenario."""

    def __init__(self, process: subprocess.Popen[str], user: RunUser | None) -> None:
        self.process = process
        self._user = user
        self.out: list[str] = []
        self.err: list[str] = []
        assert process.stdout is not None
        assert process.stderr is not None
        self._lines = [Lines(process.stdout, self.out.append), Lines(process.stderr, self.err.append)]
        self._namespace: os.stat_result | None = None

    def line(self, number: int = 0, limit: float = 60.0) -> Any:
        """What it found."""
        within(limit, lambda: len(self.out) > number or self.process.poll() is not None, "an answer", pause=0.005)
        self._lines[0].thread.join(0 if self.process.poll() is None else 5)
        assert len(self.out) > number, self.said()
        self._learn()
        return json.loads(self.out[number])

    def processes(self) -> list[int]:
        """Its processes: this one, the one that waits for init, and all inside."""
        self._learn()
        assert self._namespace is not None
        return [self.process.pid, *sorted(processes_in(self._namespace))]

    def inside(self) -> list[int]:
        """Those that live inside."""
        return [] if self._namespace is None else processes_in(self._namespace)

    def wait(self, limit: float = 60.0) -> int:
        """Its exit code."""
        code = self.process.wait(limit)
        for lines in self._lines:
            lines.thread.join(5)
        return code

    def said(self) -> str:
        return "\n".join([*self.out, *self.err])[-4000:]

    def _learn(self) -> None:
        if self._namespace is not None:
            return
        try:
            child = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()[0]
            found = os.stat(f"/proc/{child}/ns/user")
        except (OSError, IndexError):
            return  # it has ended
        if (found.st_ino, found.st_dev) != (os.stat("/proc/self/ns/user").st_ino, found.st_dev):
            self._namespace = found


class LabUser:
    """Runs scenarios."""

    def __init__(self, user: RunUser | None) -> None:
        self._user = user
        if user is not None:
            support = user.folder / "code/tests/support"
            for module in (labinside, labscenarios):
                shutil.copy2(str(module.__file__), support)
            self._program = user.folder / "lab"
            self._program.write_text(_SCRIPT.format(python=user.python, folder=user.folder))
            self._program.chmod(0o755)

    @property
    def ordinary(self) -> bool:
        """Whether it is not root."""
        return self._user is not None or os.getuid() != 0

    @contextmanager
    def run(self, scenario: str) -> Iterator[LabRun]:
        """A run; at its end nothing must be left of it."""
        before = self._machine()
        pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, "text": True}
        if self._user is not None:
            process = self._user.popen([self._program, scenario], **pipes)
        else:
            words = [sys.executable, "-m", "tests.support.labinside", scenario]
            process = subprocess.Popen(words, cwd=ROOT, **pipes)
        run = LabRun(process, self._user)
        try:
            yield run
        except BaseException as error:
            process.kill()
            error.add_note(run.said())
            raise
        finally:
            run.wait()
            until = time.monotonic() + END
            while run.inside() and time.monotonic() < until:
                time.sleep(0.01)
        assert not run.inside(), f"left after {END:g} s: {run.inside()}"
        if self._user is not None:
            self._user.wait_nothing_left()
        after = self._machine()
        assert after == before, {name: (before[name], value) for name, value in after.items() if value != before[name]}

    def found(self, scenario: str) -> Any:
        """What a scenario found; it has to end well."""
        with self.run(scenario) as run:
            found = run.line()
            assert run.wait() == 0, run.said()
            assert run.err == [], run.said()
        return found

    def _machine(self) -> dict[str, object]:
        links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=False).stdout
        mine = (
            {}
            if self._user is None
            else {"files": {path for path in self._user.files() if "fairlead-lab-" not in path}}
        )
        return {
            "mounts": Path("/proc/self/mountinfo").read_text(),
            "links": [line.split(":")[1] for line in links.splitlines() if "veth0af4" in line or "cni0" in line],
            "forwarding": Path("/proc/sys/net/ipv4/ip_forward").read_text(),
            "hosts": Path("/etc/hosts").read_bytes(),
            "root": sorted(os.listdir("/")),
            **mine,
        }
