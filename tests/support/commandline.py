"""The real ``fairlead`` as a process against ``fakecluster``, on either event loop, in a home of its own.

Its fixtures ``cluster`` and ``line`` are known to every test: tests/conftest.py names this module as a plugin.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.fakecluster import FakeCluster
from tests.support.loop import LOOPS
from tests.support.running import FAIRLEAD, Forward

LIMIT = 10.0
"""Seconds for whatever has no promise of its own."""


class CommandLine:
    """Starts ``fairlead forward``; with ``asyncio`` as if uvloop were not installed."""

    def __init__(self, cluster: FakeCluster, folder: Path, loop: str) -> None:
        self.loop = loop
        self.env = {
            "HOME": str(folder),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "KUBECONFIG": str(cluster.kubeconfig(folder / "config")),
            "PYTHONWARNINGS": "default",
        }
        if loop == "asyncio":
            (folder / "without").mkdir()
            (folder / "without" / "uvloop.py").write_text("raise ImportError('not installed')\n")
            self.env["PYTHONPATH"] = str(folder / "without")

    def forward(self, *words: str, **how: Any) -> Forward:
        """A run to use in a with block."""
        return Forward(words, env=self.env, **how)

    def run(self, *words: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """A run that ends by itself."""
        command = [*FAIRLEAD, "forward", *words]
        env = {**os.environ, **self.env}
        done = subprocess.run(command, input=data, capture_output=True, env=env, timeout=LIMIT, check=False)
        assert b"ResourceWarning" not in done.stderr, done.stderr
        return done

    def fails(self, words: Sequence[str], code: int) -> str:
        """It ends with this code and one line on stderr, which is returned; nothing on stdout."""
        done = self.run(*words)
        error = done.stderr.decode()
        assert done.returncode == code, error
        assert done.stdout == b""
        assert error.startswith("error: ")
        assert error.count("\n") == 1, error
        return error


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    """A cluster on loopback, with the pod ``web-1`` behind ``svc/web``."""
    with FakeCluster() as made:
        yield made


@pytest.fixture(params=LOOPS)
def line(request: pytest.FixtureRequest, cluster: FakeCluster, tmp_path: Path) -> CommandLine:
    """The command line of a user of that cluster, on each event loop."""
    return CommandLine(cluster, tmp_path, request.param)


def loop_of(running: Forward) -> str:
    """The event loop that a run is on: uvloop's library is mapped, or it is not."""
    return "uvloop" if "uvloop" in Path(f"/proc/{running.process.pid}/maps").read_text() else "asyncio"


def local_port(running: Forward, remote: int) -> int:
    """The local port of a run with ``json=False``, whose lines may arrive after its ready file was seen."""
    running.wait_said(rf" -> {remote}$", LIMIT)
    return running.port(remote)


def dial(port: int) -> socket.socket:
    """A connection to a local port."""
    return socket.create_connection(("127.0.0.1", port), timeout=LIMIT)


def fetch(port: int) -> bytes:
    """The body of one GET, whose connection the server ends."""
    with dial(port) as sock:
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        whole = b"".join(iter(lambda: sock.recv(65536), b""))
    head, _, body = whole.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.0 200"), whole
    return body


def echoes(sock: socket.socket, data: bytes = b"ping") -> bool:
    """Whether ``data`` comes back."""
    sock.sendall(data)
    got = b""
    while len(got) < len(data) and (more := sock.recv(65536)):
        got += more
    return got == data


def meets_reset(port: int) -> bool:
    """Whether a new connection is reset, which on a busy machine it may be before connect(2) is seen to be done."""
    try:
        with dial(port) as sock:
            return is_reset(sock)
    except ConnectionResetError:
        return True


def is_reset(sock: socket.socket) -> bool:
    """Whether the connection ends as one that was cut off, rather than complete."""
    try:
        return sock.recv(1) == b"?"
    except ConnectionResetError:
        return True
