"""Programs started as an ordinary user, who is the one that private networks are for."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import procfs
from bench.errors import BenchError
from bench.forwarder import END_LIMIT, environment
from bench.load import LIMIT
from bench.place import Place

NOBODY = 65534
FAIRLEAD = str(Path(sys.executable).with_name("fairlead"))
_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Person:
    """Who starts programs: user NOBODY, or whoever runs this (``user`` is None)."""

    user: int | None
    home: str

    def start(self, words: Sequence[str], errors: int | None = None) -> subprocess.Popen[bytes]:
        """A program with pipes as its standard input and output, and our standard error, if no other is given."""
        return subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, cwd=_ROOT, env=self._environment(),
            start_new_session=True, user=self.user, group=self.user, extra_groups=None if self.user is None else (),
        )  # fmt: skip

    @property
    def kubeconfig(self) -> str:
        """A copy that this user may read."""
        return str(Path(self.home) / "kubeconfig")

    def able(self) -> bool:
        """Whether this user can run the programs that are measured."""
        try:
            check = self.start([sys.executable, "-c", "import bench.loader, fairlead.cli.main"], subprocess.DEVNULL)
        except OSError:
            return False
        check.communicate()
        return check.returncode == 0

    def _environment(self) -> dict[str, str]:
        return {**environment(self.kubeconfig), "HOME": self.home}


@contextmanager
def person(where: Place) -> Iterator[Person]:
    """Somebody who is not root, if root runs this and that user can run what is installed here."""
    with tempfile.TemporaryDirectory() as home:
        shutil.copy(where.kubeconfig, Path(home) / "kubeconfig")
        found = Person(NOBODY if os.geteuid() == 0 else None, home)
        if found.user is not None:
            for path in (Path(home), Path(found.kubeconfig)):
                os.chown(path, NOBODY, NOBODY)
            if not found.able():
                found = Person(None, home)
        yield found


class Loader:
    """The load, as a program; ``before`` are the words before its own, such as those of ``fairlead run``."""

    def __init__(self, who: Person, before: Sequence[str] = ()) -> None:
        self._process = who.start([*before, sys.executable, "-m", "bench.loader"])
        self.pid = self._process.pid
        try:
            self._hear()
        except BaseException:
            self.end()
            raise

    def ask(self, what: str, host: str, port: int, count: int) -> list[float]:
        """Seconds, of the whole or of each; see ``bench.loader``."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"what": what, "host": host, "port": port, "count": count}).encode())
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        heard = self._hear()
        if "error" in heard:
            raise BenchError(f"{what}: {heard['error']}")
        return list(heard["seconds"])

    def end(self) -> None:
        """Ask it to end, and see to it."""
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        procfs.end(self._process, END_LIMIT)

    def _hear(self) -> dict[str, list[float]]:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], 2 * LIMIT)[0]:
            raise BenchError(f"the load said nothing for {2 * LIMIT:.0f} s")
        line = self._process.stdout.readline()
        if not line:
            raise BenchError("the program that makes the load has ended")
        heard = json.loads(line)
        assert isinstance(heard, dict)
        return heard
