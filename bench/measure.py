"""One turn of each group of rows, for a forwarder and for the floor client: figures by row id."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bench import load, procfs
from bench.errors import BenchError
from bench.floor import Floor
from bench.forwarder import Forwarder, running, version_times
from bench.peers import Peer
from bench.place import Place
from bench.stats import percentile

WIDTH = 50
"""Connections at once in a burst."""
HELD = 500
"""Connections that are open together for the memory row."""
SETTLE = 1.0
"""Seconds from the first byte to the look at the memory, so that what the start needed is done."""
VERSIONS = 10
"""Runs of the version command in one round."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything: ``seconds`` is about what one measure takes on a machine of the usual speed."""

    seconds: float

    @property
    def download(self) -> int:
        """Bytes, a multiple of 8 MiB."""
        return max(1, round(self.seconds * 25)) << 23

    @property
    def upload(self) -> int:
        """Bytes, a multiple of 1 MiB."""
        return max(1, round(self.seconds * 100)) << 20

    @property
    def sequential(self) -> int:
        """Connections."""
        return max(20, round(self.seconds * 300))

    @property
    def burst(self) -> int:
        """Connections."""
        return max(2 * WIDTH, round(self.seconds * 500))


class Player(Protocol):
    """Somebody who can be measured."""

    name: str

    def turn(self, group: str, size: Size) -> dict[str, float]:
        """Figures by row id; empty if the group means nothing to it. Raises BenchError."""


class ForwarderPlayer:
    """A forwarder; the process stays up between turns, and is started again when it has ended."""

    def __init__(self, peer: Peer, where: Place) -> None:
        self.name = peer.name
        self._peer = peer
        self._where = where
        self._running: Forwarder | None = None

    def close(self) -> None:
        """End the process."""
        if self._running is not None:
            self._running.end()
            self._running = None

    def turn(self, group: str, size: Size) -> dict[str, float]:
        """One turn."""
        if group == "version":
            return self._version()
        try:
            return self._start() if group == "start" else self._data(group, size)
        except OSError as error:
            if self._running is not None:
                self._running.check()
            raise BenchError(f"{self.name}: {error}") from error

    def _version(self) -> dict[str, float]:
        if not self._peer.version:
            return {}
        return {"version": percentile(version_times(self._peer, self._where, VERSIONS), 50) * 1e3}

    def _start(self) -> dict[str, float]:
        with running(self._peer, self._where) as fresh:
            time.sleep(SETTLE)
            idle, idle_own = procfs.memory(fresh.pid)
            with load.held(fresh.local[load.SMALL], HELD):
                held, held_own = procfs.memory(fresh.pid)
            fresh.check()
        return {"start": fresh.start, "idle": idle, "idle-uss": idle_own, "held": held, "held-uss": held_own}

    def _data(self, group: str, size: Size) -> dict[str, float]:
        if self._running is None or not self._running.alive:
            self.close()
            self._running = Forwarder(self._peer, self._where)
        local, pid = self._running.local, self._running.pid
        if group == "up1":
            return _rate("up1", "cpu-up", size.upload, lambda: load.upload(local[load.SINK], size.upload), _of(pid))
        if group in ("down1", "down8"):
            streams = int(group[4:])
            port = local[load.SOURCE]
            return _rate(
                group, "cpu-down", size.download, lambda: load.download(port, size.download, streams), _of(pid)
            )
        port = local[load.SMALL]
        if group == "seq":
            return _latency(size.sequential, lambda: load.sequential(port, size.sequential), _of(pid))
        return {"burst": size.burst / load.burst(port, size.burst, WIDTH)}


class FloorPlayer:
    """The floor client, inside this process."""

    name = "floor"

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def turn(self, group: str, size: Size) -> dict[str, float]:
        """One turn."""
        try:
            if group == "up1":
                return _rate("up1", "cpu-up", size.upload, lambda: self._floor.upload(size.upload), _own_cpu)
            if group in ("down1", "down8"):
                streams = int(group[4:])
                take = size.download
                return _rate(group, "cpu-down", take, lambda: self._floor.download(take, streams), _own_cpu)
            if group == "seq":
                return _latency(size.sequential, lambda: self._floor.sequential(size.sequential), _own_cpu)
            if group == "burst":
                return {"burst": size.burst / self._floor.burst(size.burst, WIDTH)}
        except OSError as error:
            raise BenchError(f"floor: {error}") from error
        return {}


def _of(pid: int) -> Callable[[], float]:
    return lambda: procfs.cpu_seconds(pid)


def _own_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _rate(row: str, cpu_row: str, total: int, move: Callable[[], float], cpu: Callable[[], float]) -> dict[str, float]:
    before = cpu()
    seconds = move()
    return {row: total / seconds / 1e6, cpu_row: (cpu() - before) / (total / 1e9)}


def _latency(count: int, ask: Callable[[], list[float]], cpu: Callable[[], float]) -> dict[str, float]:
    before = cpu()
    times = ask()
    used = cpu() - before
    return {
        "get-p50": percentile(times, 50) * 1e3,
        "get-p99": percentile(times, 99) * 1e3,
        "seq": count / sum(times),
        "cpu-seq": used / count * 1e3,
    }
