"""A mount namespace with an /etc of its own, so that the machine's hosts file and users are never touched (as root).

Its users are made there and are gone with it; /run and /var/lib are empty there. A Python and the sources that every
user may read are at ``folder``.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import fairlead
from tests.support.helpers import PROGRAM

USER, PASSWORD = "fairlead-ann", "correct-horse"

_SET_UP = """
set -e
cp -a /etc/. {folder}/etc
mount --bind {folder}/etc /etc
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/lib
mkdir {folder}/python
mount --bind {base} {folder}/python
useradd -m -d {folder}/home -s /bin/sh {user}
echo {user}:{password} | chpasswd
echo '{user} ALL=(ALL) ALL' > /etc/sudoers.d/fairlead-test
chmod 440 /etc/sudoers.d/fairlead-test
echo ready
exec sleep infinity
"""


class PrivateEtc:
    """The namespace, for the time of a with block."""

    def __init__(self) -> None:
        lacking = [name for name in ("sudo", "unshare", "nsenter", "setpriv", "useradd") if shutil.which(name) is None]
        assert not lacking, f"these tests need the Debian package of {' and '.join(lacking)}"
        self.folder = Path(tempfile.mkdtemp(prefix="fairlead-etc-", dir="/tmp"))
        self.folder.chmod(0o755)
        (self.folder / "etc").mkdir()
        script = _SET_UP.format(folder=self.folder, base=sys.base_prefix, user=USER, password=PASSWORD)
        self._holder = subprocess.Popen(
            ["unshare", "-m", "--propagation", "private", "sh", "-c", script], stdout=subprocess.PIPE, text=True
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == "ready\n"
        home = (self.folder / "home").stat()
        self.uid, self.gid = home.st_uid, home.st_gid
        self.home = self.folder / "home"
        self._copy_sources()

    def _copy_sources(self) -> None:
        """The user's own copy: where root's Python would leave what it compiles."""
        app = self.home / "app"
        source = Path(fairlead.__file__).parent
        shutil.copytree(source, app / "fairlead", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(PROGRAM, app / "program.py")
        for path in (app, *app.rglob("*")):
            os.chown(path, self.uid, self.gid)

    @property
    def enter(self) -> list[str]:
        """The command that has another one run in the namespace."""
        return ["nsenter", "-m", "-t", str(self._holder.pid), "--"]

    @property
    def as_user(self) -> list[str]:
        """The same, as its user."""
        return [*self.enter, "setpriv", f"--reuid={self.uid}", f"--regid={self.gid}", "--init-groups"]

    def program(self, hosts: str) -> list[str]:
        """The command of a run, with the user's own copy of the sources."""
        python = self.folder / "python/bin" / Path(sys.executable).resolve().name
        return [str(python), str(self.home / "app/program.py"), hosts, sysconfig.get_path("purelib")]

    def path(self, name: str) -> Path:
        """A file of the namespace, seen from outside."""
        return Path(f"/proc/{self._holder.pid}/root{name}")

    def run(self, script: str) -> None:
        """Run a shell script as root in it."""
        subprocess.run([*self.enter, "sh", "-ec", script], check=True)

    def not_the_users(self) -> list[str]:
        """What in the user's home belongs to somebody else."""
        return [str(path) for path in self.home.rglob("*") if path.lstat().st_uid != self.uid]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._holder.stdout is not None
        self._holder.kill()
        self._holder.wait()
        self._holder.stdout.close()
        shutil.rmtree(self.folder)


class OnTerminal:
    """A command of the user's, with a terminal of its own that passwords are typed on, and pipes for the rest."""

    def __init__(self, command: Sequence[str], home: Path, env: Mapping[str, str], *, terminal: bool = True) -> None:
        self._master, slave = pty.openpty()

        def take_terminal() -> None:
            os.setsid()
            if terminal:
                fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=take_terminal,
            pass_fds=(slave,),
            cwd=home,
            env={"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C", **env},
        )
        os.close(slave)

    def wait_shown(self, words: str, limit: float = 20) -> str:
        """Wait for words on the terminal; all that it showed."""
        shown, until = "", time.monotonic() + limit
        while words not in shown:
            left = until - time.monotonic()
            assert left > 0, f"{words!r} not on the terminal within {limit:g} s: {shown!r}"
            if select.select([self._master], [], [], min(left, 0.1))[0]:
                shown += os.read(self._master, 4096).decode()
        return shown

    def press(self, text: str) -> None:
        os.write(self._master, text.encode())

    def ask(self, **words: Any) -> Any:
        """Tell the run what to do; its answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        return self.read()

    def read(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            assert self.process.stderr is not None
            raise AssertionError(f"it ended: {self.process.stderr.read()}")
        return json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        finally:
            os.close(self._master)
