"""A forwarder as a running process."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from bench import load, procfs
from bench.errors import BenchError
from bench.peers import Peer
from bench.place import Place

START_LIMIT = 30.0
"""Seconds until a forwarder has to pass its first byte."""
END_LIMIT = 5.0
"""Seconds it has to end after SIGTERM, before it is killed."""
REMOTE = (load.SMALL, load.SOURCE, load.SINK)
_AGAIN = 0.003


class Forwarder:
    """One run of a forwarder: ``local`` tells the local port of each remote one, ``start`` the seconds it took."""

    def __init__(self, peer: Peer, where: Place) -> None:
        self.local = dict(zip(REMOTE, _free_ports(len(REMOTE)), strict=True))
        argv = peer.command(
            kubeconfig=where.kubeconfig,
            namespace=where.namespace,
            pod=where.pod,
            ports={local: remote for remote, local in self.local.items()},
        )
        self._name = peer.name
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the process)
        began = time.perf_counter()
        try:
            # In a session of its own: a Ctrl-C is for the harness, which ends it in its own time.
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, env=environment(where.kubeconfig),
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            self._log.close()
            raise BenchError(f"{peer.name} cannot be started: {error}") from error
        self.pid = self._process.pid
        try:
            self._await_first_byte(began + START_LIMIT)
        except BaseException:
            self.end()
            raise
        self.start = time.perf_counter() - began

    def _await_first_byte(self, deadline: float) -> None:
        while True:
            try:
                load.get(self.local[load.SMALL])
            except (OSError, BenchError):
                self.check()
                if time.perf_counter() > deadline:
                    raise BenchError(f"{self._name} passed no byte in {START_LIMIT:.0f} s: {self._words()}") from None
                time.sleep(_AGAIN)
            else:
                return

    def check(self) -> None:
        """Raise BenchError if it has ended."""
        if self._process.poll() is not None:
            raise BenchError(f"{self._name} ended with {self._process.returncode}: {self._words()}")

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def end(self) -> None:
        """Ask it to end, and see to it."""
        procfs.end(self._process, END_LIMIT)
        self._log.close()

    def _words(self) -> str:
        self._log.seek(0)
        return self._log.read()[-500:].decode("utf-8", "replace").strip() or "it said nothing"


@contextmanager
def running(peer: Peer, where: Place) -> Iterator[Forwarder]:
    """Start one; it is gone afterwards."""
    forwarder = Forwarder(peer, where)
    try:
        yield forwarder
    finally:
        forwarder.end()


def version_times(peer: Peer, where: Place, count: int) -> list[float]:
    """Seconds of each of ``count`` runs of the version command, from fork to exit."""
    times = []
    for _ in range(count):
        began = time.perf_counter()
        subprocess.run(
            peer.version, stdout=subprocess.DEVNULL, env=environment(where.kubeconfig), timeout=START_LIMIT, check=True
        )
        times.append(time.perf_counter() - began)
    return times


def environment(kubeconfig: str) -> dict[str, str]:
    """As a user has it: bytecode is cached, and nothing leads around the cluster."""
    dropped = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "KUBECONFIG": kubeconfig}


def _free_ports(count: int) -> Sequence[int]:
    """Local ports that nobody uses, all different."""
    with ExitStack() as open_together:
        socks = [open_together.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [sock.getsockname()[1] for sock in socks]
