"""A program that gives every service its name, as a running process; and the names, as a hosts file has them."""

from __future__ import annotations

import os
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import procfs
from bench.errors import BenchError
from bench.load import END_OF_ANSWER, REQUEST
from bench.place import Place

START_LIMIT = 150.0
"""Seconds until every name has to answer; the slowest known takes 78 for 200."""
END_LIMIT = 15.0
WIDTH = 50
"""Connections that are tried at once."""
AGAIN = 0.02
"""Seconds until a name is tried again."""


@dataclass(slots=True)
class Started:
    """Seconds since the start, by name, of its first byte."""

    answered: dict[str, float] = field(default_factory=dict)

    @property
    def first(self) -> float:
        return min(self.answered.values())

    @property
    def last(self) -> float:
        return max(self.answered.values())


class Named:
    """One run of a program, ``fairlead services`` or ``kubefwd``, with a hosts file of its own."""

    def __init__(self, command: Sequence[str], where: Place, hosts: Path, private: bool) -> None:
        self._hosts = hosts
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by end
        words = list(command)
        if private:
            # At its end kubefwd cleans the system's hosts file, whatever it was told: let that be this one.
            script = 'mount --bind "$0" /etc/hosts && exec "$@"'
            words = ["unshare", "--mount", "sh", "-c", script, str(hosts), *words]
        self.began = time.perf_counter()
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=self._said,
            env={**os.environ, "KUBECONFIG": where.kubeconfig},
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def check(self) -> None:
        """Raise BenchError if it has ended."""
        if self._process.poll() is not None:
            self._said.seek(0)
            words = self._said.read()[-500:].decode(errors="replace")
            raise BenchError(f"it ended with {self._process.returncode}: {words}")

    def end(self) -> None:
        """Ask it to end, and see to it."""
        procfs.end(self._process, END_LIMIT)
        self._said.close()

    def addresses(self, names: Sequence[str]) -> dict[str, str]:
        """Those of the names that the hosts file knows."""
        wanted = set(names)
        found: dict[str, str] = {}
        for line in self._hosts.read_text().splitlines():
            address, *known = line.partition("#")[0].split() or [""]
            found.update((name, address) for name in known if name in wanted)
        return found

    def all_known(self, names: Sequence[str]) -> dict[str, str]:
        """Wait until the hosts file knows them all."""
        while len(found := self.addresses(names)) < len(names):
            self._still_starting()
            time.sleep(AGAIN)
        return found

    def all_answer(self, names: Sequence[str]) -> Started:
        """Wait until each has given its first byte; what fails is tried again."""
        started, left = Started(), list(names)
        known: dict[str, str] = {}
        while left:
            self._still_starting()
            if len(known) < len(names):
                known = self.addresses(names)
            ready = [name for name in left if name in known]
            for at in range(0, len(ready), WIDTH):
                self._try(ready[at : at + WIDTH], known, started)
            left = [name for name in left if name not in started.answered]
            if left:
                time.sleep(AGAIN)
        return started

    def _still_starting(self) -> None:
        self.check()
        if time.perf_counter() - self.began > START_LIMIT:
            raise BenchError(f"not every name answered within {START_LIMIT:.0f} s")

    def _try(self, names: Sequence[str], known: dict[str, str], started: Started) -> None:
        with selectors.EpollSelector() as waiting, ExitStack() as closing:
            for name in names:
                sock = closing.enter_context(socket.socket())
                sock.setblocking(False)
                sock.connect_ex((known[name], 80))
                waiting.register(sock, selectors.EVENT_WRITE, name)
            deadline = time.perf_counter() + 5
            while waiting.get_map() and time.perf_counter() < deadline:
                for key, events in waiting.select(0.5):
                    asked = key.fileobj
                    assert isinstance(asked, socket.socket)
                    try:
                        if events & selectors.EVENT_WRITE:
                            asked.send(REQUEST)
                            waiting.modify(asked, selectors.EVENT_READ, key.data)
                            continue
                        if asked.recv(4096):
                            started.answered[key.data] = time.perf_counter() - self.began
                    except OSError:
                        pass  # not yet
                    waiting.unregister(asked)

    def to_server(self, port: int) -> int:
        """Connections that the program has open to the API server's port."""
        inodes = {
            line.split()[9]
            for line in Path(f"/proc/{self.pid}/net/tcp").read_text().splitlines()[1:]
            if line.split()[3] == "01" and int(line.split()[2].partition(":")[2], 16) == port
        }
        found = 0
        for member in procfs.family(self.pid):
            for file in Path(f"/proc/{member}/fd").iterdir():
                try:
                    found += os.readlink(file).removeprefix("socket:[").removesuffix("]") in inodes
                except OSError:
                    continue
        return found


def fairlead(namespaces: Sequence[str], hosts: Path) -> list[str]:
    """Our command."""
    program = str(Path(sys.executable).with_name("fairlead"))
    return [program, "services", f"--hosts-file={hosts}", "-n", ",".join(namespaces)]


def kubefwd(namespaces: Sequence[str], hosts: Path) -> list[str] | None:
    """kubefwd's, if it is on the PATH."""
    program = shutil.which("kubefwd")
    return [program, "services", "--hosts-path", str(hosts), "-n", ",".join(namespaces)] if program else None


@contextmanager
def running(player: str, namespaces: Sequence[str], where: Place) -> Iterator[Named]:
    """One run, with an empty hosts file, to its end."""
    with tempfile.TemporaryDirectory() as folder:
        hosts = Path(folder) / "hosts"
        hosts.write_text("127.0.0.1 localhost\n")
        command = fairlead(namespaces, hosts) if player == "fairlead" else kubefwd(namespaces, hosts)
        assert command is not None
        named = Named(command, where, hosts, private=player != "fairlead")
        try:
            yield named
        finally:
            named.end()


def get(address: str) -> float:
    """Seconds of one small request on a new connection."""
    began = time.perf_counter()
    with socket.create_connection((address, 80), 10) as sock:
        sock.sendall(REQUEST)
        answer = b""
        while not answer.endswith(END_OF_ANSWER):
            more = sock.recv(4096)
            if not more:
                raise BenchError("a connection ended without its answer")
            answer += more
    return time.perf_counter() - began
