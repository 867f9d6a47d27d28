"""Killed at random moments of a busy run, from its first instant on: nothing is left, the next start has its port."""

from __future__ import annotations

import random
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.real.conftest import Start
from tests.support import podapp, podclient
from tests.support.running import Forward, free_port, listens, session_of
from tests.support.world import World, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]
P = podapp.BASE
ROUNDS = 20
LATEST = 1.0
"""Seconds after the start of the process, which may be before it is ready, and after that it was."""
CODES = {signal.SIGINT: 0, signal.SIGTERM: 143, signal.SIGHUP: 129}


class Busy:
    """Programs that use two ports without a pause, whatever becomes of them, while the with block lasts."""

    def __init__(self, echo: int, source: int) -> None:
        self.rounds = 0
        self._over = threading.Event()
        work: list[Callable[[], None]] = [lambda: self._echo(echo)] * 5 + [lambda: self._download(source)] * 2
        self._threads = [threading.Thread(target=self._run, args=[each]) for each in work]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(15)
            assert not thread.is_alive()

    def _run(self, work: Callable[[], None]) -> None:
        while not self._over.wait(0.01):
            with suppress(OSError):
                work()
                self.rounds += 1

    def _echo(self, port: int) -> None:
        with podclient.dial(port, timeout=10) as sock:
            sock.sendall(bytes(20_000))
            left = 20_000
            while left and (data := sock.recv(left)):
                left -= len(data)

    def _download(self, port: int) -> None:
        with podclient.dial(port, timeout=10) as sock:
            sock.sendall(b"50000000 1\n")
            while sock.recv(65536):
                pass


def test_killed_at_random_moments(app: World, forward: Start, tmp_path: Path) -> None:
    chance = random.Random(3)
    ports = [free_port(), free_port()]
    home = tmp_path / "home"
    home.mkdir()
    ready_file = home / "ready"
    folders = {name: str(home) for name in ("HOME", "TMPDIR", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "XDG_STATE_HOME")}
    words = ["pod/app", f"{ports[0]}:{P}", f"{ports[1]}:{P + podapp.SOURCE}", "--ready-file", str(ready_file)]
    counted = 0
    for number in [*CODES, signal.SIGKILL] * (ROUNDS // 4):
        with Busy(*ports) as busy:
            running = forward(*words, ready=False, env=folders)
            if number != signal.SIGKILL:
                wait_begun(running.process.pid)
            if chance.random() < 0.6:
                running.wait_ready()
            time.sleep(chance.uniform(0.0, LATEST))
            if number == signal.SIGKILL:
                running.kill()
            else:
                running.end(number, CODES[number])
        counted += busy.rounds
        check_nothing_left(running, ports)
        left = {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()} - {"fairlead/ways.json"}
        assert left <= ({"ready"} if number == signal.SIGKILL else set()), left
        ready_file.unlink(missing_ok=True)
        within(10, lambda: open_in_the_pod(app) == 0, "the pod's side is closed too")
    assert counted > ROUNDS, "it was busy"
    ready_file.write_text("of a run that was killed")
    with forward(*words, env=folders) as running:
        within(5, lambda: ready_file.read_text().split()[:2] == [str(ports[0]), str(P)], "a ready file of its own")
        podclient.run(podclient.echo(ports[0], 100_000))
    assert not ready_file.exists()


def check_nothing_left(running: Forward, ports: list[int]) -> None:
    """No process, and ports that the next one may have at once."""
    assert session_of(running.process.pid) == []
    for port in ports:
        for host, family in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)):
            assert not listens(host, port)
            socket.create_server((host, port), family=family).close()


def wait_begun(pid: int) -> None:
    """Wait until it answers for its signals itself; before, an interrupt is the interpreter's to explain."""

    def begun() -> bool:
        status = Path(f"/proc/{pid}/status").read_text()
        caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
        return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)

    within(10, begun, "it has begun", pause=0.001)


def open_in_the_pod(app: World) -> int:
    """Connections that came by port forwarding and are not over, by the pod's own table."""
    established, close_wait = "01", "08"
    count = 0
    for line in app.kubectl("exec", "app", "--", "cat", "/proc/net/tcp").splitlines()[1:]:
        fields = line.split()
        number, (peer, _, _) = int(fields[1].rpartition(":")[2], 16), fields[2].partition(":")
        count += P <= number < P + 20 and peer == "0100007F" and fields[3] in (established, close_wait)
    return count
