"""An ordinary user of ``fairlead run``: without rights, with a home, a hosts file and a resolv.conf of their own.

They see the machine through a mount namespace, in which a Python and the sources are where every user may read them;
all else (network, processes) is the machine's. Mounts are shared there, as systemd has them, so that one that was not
kept private would be seen.
"""

from __future__ import annotations

import array
import fcntl
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import fairlead
from fairlead.host.private import kernel
from tests.support import inside, podapp, podclient
from tests.support.running import Lines
from tests.support.world import within

PATH = "/usr/local/bin:/usr/bin:/bin"
"""Without the folders of the machine's own programs, as ordinary users have it."""
HOSTS = (
    b"# the laptop's\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n127.0.1.1\tthis-laptop\n192.0.2.77 old-db\n"
)
NAMESERVER = f"127.53.{os.getpid() % 250}.1"
"""What the user's resolv.conf names; a test that wants answers listens there, and others beside it on their own."""
START = 20.0
"""Seconds in which a run starts on a busy machine."""
END = 3.0
"""Seconds in which nothing is left after the end of a run."""
_NS_GET_OWNER_UID = 0xB704
"""ioctl_ns(2)."""

_SET_UP = """
set -e
mount --bind {base} {folder}/python
mount --bind {site} {folder}/site
for name in hosts resolv.conf passwd; do mount --bind {folder}/etc/$name /etc/$name; done
mount --make-rshared /
echo ready
exec cat
"""
_PYTHON = """#!/bin/sh
LD_LIBRARY_PATH={folder}/python/lib exec {folder}/python/bin/{name} "$@"
"""
"""Its library may be named in it by a path that only root can read."""
_PROGRAM = """#!{folder}/python3
import os, sys

del os.environ["LD_LIBRARY_PATH"]
sys.path[:0] = ["{folder}/code", "{folder}/site"]
from {module} import {function}

sys.exit({function}())
"""


class RunUser:
    """The user, for the time of a with block; ``kubeconfig`` is copied for them."""

    def __init__(self, kubeconfig: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="fairlead-user-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.uid = self.gid = 60_000 + os.getpid() % 5000
        self.home = self.folder / "home"
        for made in ("etc", "python", "site", "home"):
            (self.folder / made).mkdir()
        self.home.chmod(0o700)
        self.hosts = self.folder / "etc/hosts"
        self.hosts.write_bytes(HOSTS)
        (self.folder / "etc/resolv.conf").write_text(f"nameserver {NAMESERVER}\noptions timeout:2\n")
        entry = f"ann:x:{self.uid}:{self.gid}::{self.home}:/bin/bash\n"
        (self.folder / "etc/passwd").write_text(Path("/etc/passwd").read_text() + entry)
        self.python = self._script("python3", _PYTHON, name=Path(sys.executable).resolve().name)
        self.program = self._script("fairlead", _PROGRAM, module="fairlead.__main__", function="script")
        self.inside = self._script("inside", _PROGRAM, module="tests.support.inside", function="main")
        """Does what a test asks for; for Inside."""
        self._copy_sources()
        self.kubeconfig = self.home / "kubeconfig"
        shutil.copy(kubeconfig, self.kubeconfig)
        for path in (self.home, *self.home.rglob("*"), *(self.folder / "code").rglob("*"), self.folder / "code"):
            os.chown(path, self.uid, self.gid)
        site = sysconfig.get_path("purelib")
        script = _SET_UP.format(folder=self.folder, base=sys.base_prefix, site=site)
        self._holder = subprocess.Popen(
            ["unshare", "-m", "--propagation", "private", "sh", "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == "ready\n"
        self._namespace = os.open(f"/proc/{self._holder.pid}/ns/mnt", os.O_RDONLY)

    def _script(self, file: str, text: str, **words: str) -> Path:
        path = self.folder / file
        path.write_text(text.format(folder=self.folder, **words))
        path.chmod(0o755)
        return path

    def _copy_sources(self) -> None:
        """With what is compiled of them already, or each start would take a second more."""
        code = self.folder / "code"
        shutil.copytree(Path(fairlead.__file__).parent, code / "fairlead")
        (code / "tests/support").mkdir(parents=True)
        for module in (inside, podapp, podclient):
            shutil.copy2(str(module.__file__), code / "tests/support")

    @property
    def env(self) -> dict[str, str]:
        """Their environment."""
        return {
            "PATH": PATH,
            "HOME": str(self.home),
            "USER": "ann",
            "LANG": "C.UTF-8",
            "KUBECONFIG": str(self.kubeconfig),
            "PYTHONWARNINGS": "default",
        }

    def become(self, cwd: Path | str | None = None) -> Callable[[], None]:
        """A function for a child of ours to call between fork and exec: it is the user's from then on."""
        place = str(cwd or self.home)

        def in_child() -> None:
            kernel.setns(self._namespace, kernel.NEWNS)
            os.setgroups([])
            os.setresgid(self.gid, self.gid, self.gid)
            os.setresuid(self.uid, self.uid, self.uid)
            os.chdir(place)

        return in_child

    def popen(
        self,
        argv: Sequence[str | Path],
        *,
        cwd: Path | str | None = None,
        env: Mapping[str, str] | None = None,
        first: Callable[[], None] = lambda: None,
        **more: Any,
    ) -> subprocess.Popen[Any]:
        """A process of theirs; ``first`` is called in it while it is still root's."""
        become = self.become(cwd)

        def in_child() -> None:
            first()
            become()

        environment = self.env if env is None else dict(env)
        return subprocess.Popen(list(map(str, argv)), env=environment, preexec_fn=in_child, **more)

    # -- what is left of a run --

    def processes(self) -> dict[int, str]:
        """Their processes, zombies not counted."""
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                status = (entry / "status").read_text()
                if f"\nUid:\t{self.uid}\t" in status and "\nState:\tZ" not in status:
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue  # it has ended
        return found

    def files(self) -> set[str]:
        """What they have in their home and in /tmp, but for what ``run`` may keep."""
        home = {str(path) for path in self.home.rglob("*") if not path.is_relative_to(self.home / ".cache")}
        return home | {entry.path for entry in os.scandir("/tmp") if _owner(entry) == self.uid}

    def machine(self) -> dict[str, object]:
        """What a run might change of the machine: to be compared before and after."""
        return {
            "hosts": self.hosts.read_bytes(),
            "the machine's own hosts": Path("/etc/hosts").read_bytes(),
            "mounts": Path(f"/proc/{self._holder.pid}/mountinfo").read_text(),
            "links": [line for line in _said("ip", "-o", "link") if "@" not in line.split()[1]],
            "routing rules": _said("ip", "rule"),
            "rules": _said("nft", "list", "ruleset"),
            "files": self.files(),
        }

    def left(self) -> dict[str, object]:
        """What lives of theirs."""
        found: dict[str, object] = {}
        if processes := self.processes():
            found["processes"] = processes
        if spaces := list(namespaces_of(self.uid)):
            found["namespaces"] = spaces
        return found

    def wait_nothing_left(self, limit: float = END) -> None:
        """Wait until no process and no namespace of theirs is left."""
        until = time.monotonic() + limit
        while left := self.left():
            assert time.monotonic() < until, f"left after {limit:g} s: {left}"
            time.sleep(0.02)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pid in self.processes():
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                pass  # it ended meanwhile
        os.close(self._namespace)
        self._holder.communicate()
        shutil.rmtree(self.folder)


class Run:
    """``fairlead run`` with ``words``, then ``command``; ended and checked at the end of the with block.

    Not ``alone``: another run of the same user's goes on, whose own end shows what is left.
    """

    def __init__(
        self,
        user: RunUser,
        words: Sequence[str],
        command: Sequence[str | Path],
        *,
        stdin: int | IO[Any] = subprocess.DEVNULL,
        alone: bool = True,
        **more: Any,
    ) -> None:
        self.user = user
        self._alone = alone
        self.before = user.machine()
        self.out: list[str] = []
        self.err: list[str] = []
        self.process = user.popen(
            [user.program, "run", *words, "--", *command],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,
            **more,
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._threads = [Lines(self.process.stdout, self.out.append), Lines(self.process.stderr, self.err.append)]

    def said(self) -> str:
        """All of it, for messages."""
        return "\n".join([*self.out, *self.err])[-3000:]

    def wait_line(self, text: str, limit: float = START) -> str:
        """Wait for a line on either stream that has these words."""

        def look() -> str:
            return next((line for line in [*self.out, *self.err] if text in line), "")

        found: str = within(limit, look, f"{text!r} ({self.said()})", pause=0.01)
        return found

    def wait_end(self, code: int, limit: float = START) -> None:
        """It ends by itself with ``code``."""
        try:
            self.process.wait(limit)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"not ended within {limit:g} s: {self.said()}") from None
        self.check_end(code)

    def check_end(self, code: int | None = None) -> None:
        """What holds after any end: the code, no traceback, and nothing is left."""
        if self._alone:
            self.user.wait_nothing_left()
        for lines in self._threads:
            lines.thread.join(5)
        if code is not None:
            assert self.process.returncode == code, f"ended with {self.process.returncode}, not {code}: {self.said()}"
        for odd in ("Traceback", "a bug of fairlead", "ResourceWarning"):
            assert odd not in self.said(), self.said()
        after = self.user.machine()
        changed = {name: (self.before[name], value) for name, value in after.items() if value != self.before[name]}
        assert not changed, f"the machine was changed: {changed}"

    def kill(self) -> None:
        """End it and, if it is alone, all that is the user's, without any check."""
        self.process.kill()
        for pid in self.user.processes() if self._alone else ():
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                pass  # it ended meanwhile
        self.process.wait()
        for lines in self._threads:
            lines.thread.join(5)
        if self.process.stdin is not None:
            self.process.stdin.close()

    def end(self) -> None:
        """Have it end."""
        self.process.terminate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and self.process.poll() is None:
            self.end()
            try:
                self.process.wait(10)
                self.check_end()
            except BaseException:
                self.kill()
                raise
        elif error is not None:
            self.kill()
            error.add_note(f"fairlead said: {self.said()}")
        elif self.process.stdin is not None:
            self.process.stdin.close()


class Inside(Run):
    """A run whose command does what the test asks it to: see ``tests.support.inside``."""

    def __init__(self, user: RunUser, words: Sequence[str] = (), **more: Any) -> None:
        super().__init__(user, words, [user.inside], stdin=subprocess.PIPE, **more)

    def __enter__(self) -> Self:
        self.call("ready")
        return self

    def call(self, name: str, *arguments: Any, limit: float = START) -> Any:
        """What a function of ``inside`` returns; its exception is an AssertionError here."""
        assert self.process.stdin is not None
        answers = len(self.out)
        self.process.stdin.write(inside.asked(name, arguments))
        try:
            within(limit, lambda: len(self.out) > answers or self.process.poll() is not None, name, pause=0.002)
            assert len(self.out) > answers, f"ended with {self.process.returncode}: {self.said()}"
            return inside.answered(self.out[answers])
        except BaseException as error:
            error.add_note("fairlead said: " + "\n".join(self.err))
            raise

    def end(self) -> None:
        """The command has nothing more to read, and ends."""
        assert self.process.stdin is not None
        self.process.stdin.close()


def namespaces_of(uid: int) -> Iterator[str]:
    """The user namespaces that this user made and some process is in or holds open."""
    seen = set()
    for process in filter(str.isdigit, os.listdir("/proc")):
        for path in (f"/proc/{process}/ns/user", *_held(process)):
            try:
                name = os.readlink(path)
                if name in seen or not name.startswith("user:"):
                    continue
                seen.add(name)
                descriptor = os.open(path, os.O_RDONLY)
            except OSError:
                continue  # it has ended
            try:
                owner = array.array("I", [0])
                fcntl.ioctl(descriptor, _NS_GET_OWNER_UID, owner)
                if owner[0] == uid:
                    yield f"{name} ({path})"
            finally:
                os.close(descriptor)


def _held(process: str) -> list[str]:
    try:
        return [f"/proc/{process}/fd/{number}" for number in os.listdir(f"/proc/{process}/fd")]
    except OSError:
        return []


def _owner(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_uid
    except OSError:
        return -1  # it is gone


def _said(*words: str) -> list[str]:
    path = f"{os.environ.get('PATH', PATH)}:/usr/sbin:/sbin"
    done = subprocess.run(words, capture_output=True, text=True, check=True, env={"PATH": path})
    return done.stdout.splitlines()
