"""The third table: through a private network (``fairlead run``), beside the same without one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from bench import crowd, load, procfs
from bench.crowd import Crowd
from bench.errors import BenchError
from bench.forwarder import running
from bench.measure import Size
from bench.ordinary import FAIRLEAD, Loader, Person, person
from bench.peers import Peer
from bench.place import POD, Place, place
from bench.rows import Row
from bench.stats import percentile
from bench.table import Results, brief
from fairlead.host.private.laptop import capture_rules

BASE, OURS = "without", "run"
MANY = Crowd(200)
"""Services, for the start and the memory."""
SETTLE = 1.0
"""Seconds from the command's start to the look at the memory."""
IDLE = 10.0
"""Seconds of doing nothing, for the CPU that this takes, for each second of a measure."""
TRIPS = 500
"""Bytes there and back for each second of a measure, and connections."""

ROWS = (
    Row("run-down", "run-pod", "to a pod: download, one stream", "MB/s", True, base=0.85),
    Row("run-up", "run-pod", "  upload, one stream", "MB/s", True, base=0.85),
    Row("run-get", "run-pod", "  new connection + small GET, p50", "ms", False, 2, base=1.15),
    Row("run-seq", "run-pod", "  new connections, sequential", "/s", True, base=0.85),
    Row("run-burst", "run-pod", "  new connections, 50 at once", "/s", True, base=0.85),
    Row("near-down", "run-near", "to the laptop's network: download, one stream", "MB/s", True, absolute=300),
    Row("near-up", "run-near", "  upload, one stream", "MB/s", True, absolute=300),
    Row("near-trip", "run-near", "  one byte there and back, p50", "ms", False, 3, added=1),
    Row("near-connect", "run-near", "  connect and one byte back, p50", "ms", False, 3, added=1),
    Row("run-start", "run-many", "200 services: start to the command's own", "s", False, 2, absolute=1),
    Row("run-rss", "run-many", "  resident memory of the supervisor", "MB", False),
    Row("run-pss", "run-many", "  of it its share (PSS)", "MB", False),
    Row("run-agent-rss", "run-many", "  resident memory of the agent", "MB", False),
    Row("run-agent-pss", "run-many", "  of it its share (PSS)", "MB", False),
    Row("run-idle", "run-many", "  CPU of a core when idle", "%", False, 2, absolute=1),
)

Say = Callable[[str], None]
Turn = Callable[[Size], Iterator[dict[str, float]]]
"""Yields figures by row id after each measure, so that players can take turns at each."""


def measure(
    rows: Sequence[Row], where: Place, image: str, size: Size, rounds: int, say: Say
) -> tuple[Results, list[str]]:
    """All rows, group by group; what failed, in words."""
    results, failures = Results([BASE, OURS], BASE, OURS), []
    with person(where) as who:
        say(f"run: as user {os.geteuid() if who.user is None else who.user}")
        for group in dict.fromkeys(row.group for row in rows):
            members = [row for row in rows if row.group == group]
            try:
                with GROUPS[group](where, image, who) as turns:
                    _turns(turns, Size(min(0.3, size.seconds)))
                    for number in range(rounds):
                        results.load.setdefault(group, []).append(os.getloadavg()[0])
                        # Who is first finds other things in caches and queues: each is, in turn.
                        order = dict(reversed(turns.items())) if number % 2 else turns
                        for player, figures in _turns(order, size).items():
                            results.add(members, player, figures)
                            told = ", ".join(f"{row.id} {brief(row, figures)}" for row in members if row.id in figures)
                            say(f"{group} {number + 1}/{rounds}: {player}: {told}; load {os.getloadavg()[0]:.1f}")
            except (BenchError, OSError, subprocess.SubprocessError) as error:
                failures.append(f"{group}: {error}")
    return results, failures


def _turns(turns: dict[str, Turn], size: Size) -> dict[str, dict[str, float]]:
    """One round; of each measure both players' are next to each other."""
    figures: dict[str, dict[str, float]] = {player: {} for player in turns}
    for measured in zip(*(turn(size) for turn in turns.values()), strict=True):
        for player, found in zip(turns, measured, strict=True):
            figures[player].update(found)
    return figures


def _run(who: Person, namespace: str) -> list[str]:
    return [FAIRLEAD, "run", "--kubeconfig", who.kubeconfig, "-n", namespace, "--"]


def _loader(undo: ExitStack, who: Person, before: Sequence[str] = ()) -> Loader:
    loader = Loader(who, before)
    undo.callback(loader.end)
    return loader


@contextmanager
def _to_pod(where: Place, image: str, who: Person) -> Iterator[dict[str, Turn]]:
    """One service of one pod, through ``forward`` and through ``run``."""
    words = (FAIRLEAD, "forward", "--kubeconfig={kubeconfig}", "--namespace={namespace}", "svc/{pod}", "{ports}")
    with ExitStack() as undo:
        there = undo.enter_context(place(where.kubeconfig, where.kubectl, image))
        forwarder = undo.enter_context(running(Peer("forward", words), there))
        outside, inside = _loader(undo, who), _loader(undo, who, _run(who, there.namespace))
        yield {
            BASE: lambda size: _pod(outside, size, lambda port: (load.HERE, forwarder.local[port])),
            OURS: lambda size: _pod(inside, size, lambda port: (POD, port)),
        }


def _pod(loader: Loader, size: Size, at: Callable[[int], tuple[str, int]]) -> Iterator[dict[str, float]]:
    yield {"run-down": size.download / loader.ask("download", *at(load.SOURCE), size.download)[0] / 1e6}
    yield {"run-up": size.upload / loader.ask("upload", *at(load.SINK), size.upload)[0] / 1e6}
    times = loader.ask("sequential", *at(load.SMALL), size.sequential)
    yield {"run-get": percentile(times, 50) * 1e3, "run-seq": size.sequential / sum(times)}
    yield {"run-burst": size.burst / loader.ask("burst", *at(load.SMALL), size.burst)[0]}


@contextmanager
def _to_near(where: Place, image: str, who: Person) -> Iterator[dict[str, Turn]]:
    """A server at another address of this machine, from outside and from inside."""
    with ExitStack() as undo:
        there = undo.enter_context(place(where.kubeconfig, where.kubectl, image))
        server = who.start([sys.executable, "-m", "bench.near"])
        undo.callback(procfs.end, server, 1)
        assert server.stdout is not None
        ports = json.loads(server.stdout.readline())
        host = next(iter(capture_rules(lambda own: frozenset()).own), load.HERE)
        outside, inside = _loader(undo, who), _loader(undo, who, _run(who, there.namespace))
        yield {
            BASE: lambda size: _near(outside, size, host, ports),
            OURS: lambda size: _near(inside, size, host, ports),
        }


def _near(loader: Loader, size: Size, host: str, ports: Sequence[int]) -> Iterator[dict[str, float]]:
    source, sink, echo = ports
    trips = max(20, round(size.seconds * TRIPS))
    yield {"near-down": size.download / loader.ask("download", host, source, size.download)[0] / 1e6}
    yield {"near-up": size.upload / loader.ask("upload", host, sink, size.upload)[0] / 1e6}
    yield {"near-trip": percentile(loader.ask("round trips", host, echo, trips), 50) * 1e3}
    yield {"near-connect": percentile(loader.ask("connections", host, echo, trips), 50) * 1e3}


@contextmanager
def _with_many(where: Place, image: str, who: Person) -> Iterator[dict[str, Turn]]:
    """A run among many services."""
    with crowd.present(where, MANY, image):
        command = _run(who, MANY.namespace(0))
        yield {OURS: lambda size: _many(who, command, size)}


def _many(who: Person, command: Sequence[str], size: Size) -> Iterator[dict[str, float]]:
    yield {"run-start": _start(who, command)}
    yield _idle(who, command, size)


def _start(who: Person, command: Sequence[str]) -> float:
    """Seconds until a command that only writes the time has looked at it, in steps of 10 ms."""
    began = time.clock_gettime(time.CLOCK_BOOTTIME)
    clock = who.start([*command, "cat", "/proc/uptime"])
    said, _ = clock.communicate()
    if clock.returncode:
        raise BenchError(f"it ended with {clock.returncode}")
    return float(said.split()[0]) - began


def _idle(who: Person, command: Sequence[str], size: Size) -> dict[str, float]:
    loader = Loader(who, command)
    try:
        time.sleep(SETTLE)
        figures = {}
        for name, pid in (("run", loader.pid), ("run-agent", _agent(loader.pid))):
            figures[f"{name}-rss"], figures[f"{name}-pss"] = procfs.shares(pid)
        before = procfs.cpu_seconds(loader.pid)
        time.sleep(IDLE * size.seconds)
        figures["run-idle"] = (procfs.cpu_seconds(loader.pid) - before) / (IDLE * size.seconds) * 100
        return figures
    finally:
        loader.end()


def _agent(supervisor: int) -> int:
    """The one of its children that it has forked and that runs no other program."""

    def words(pid: int) -> bytes:
        return Path(f"/proc/{pid}/cmdline").read_bytes()

    return next(pid for pid in procfs.family(supervisor)[1:] if words(pid) == words(supervisor))


GROUPS: dict[str, Callable[[Place, str, Person], AbstractContextManager[dict[str, Turn]]]] = {
    "run-pod": _to_pod,
    "run-near": _to_near,
    "run-many": _with_many,
}
