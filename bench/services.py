"""The second table: many services by their names, beside kubefwd where that is on the PATH."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from bench import crowd, door, named, procfs
from bench.crowd import Crowd
from bench.door import Door, Pipe
from bench.errors import BenchError
from bench.place import Place
from bench.rows import Row
from bench.stats import percentile
from bench.table import Results
from fairlead.kube.config import load
from fairlead.settings import ClusterOptions

BASE = "kubefwd"
LANES_AT_ONCE = 8
"""In which the lanes alone are opened: more wait for the server's CPU anyway."""
IDLE = 20.0
"""Seconds of doing nothing, for the CPU that this takes."""
GETS = 300

CROWDS = {
    "s200": Crowd(200),
    "s200x100": Crowd(200, pods=100),
    "s1000": Crowd(1000, namespaces=10, pods=10),
}
ROWS = (
    Row("s200-first", "s200", "200 services, one pod: first name answers", "s", False, 2),
    Row("s200-all", "s200", "  every name answers", "s", False, 2, absolute=2),
    Row("s200-rss", "s200", "  resident memory then", "MB", False, absolute=104.8),
    Row("s200-idle", "s200", "  CPU of a core when idle", "%", False, 2, absolute=1),
    Row("s200-get", "s200", "  new connection + small GET, p50", "ms", False, 2, base=0.5),
    Row("s200-get99", "s200", "  the same, p99", "ms", False, 2),
    Row("s200-unused", "s200", "  connections to the API server before use", "", False),
    Row("s200x100-all", "s200x100", "200 services, 100 pods: every name answers", "s", False, 2, absolute=5),
    Row("s200x100-lanes", "s200x100", "  opening 100 lanes alone takes", "s", False, 2),
    Row("s1000-all", "s1000", "1000 services, 10 namespaces: every name answers", "s", False, 2, absolute=8),
    Row("s1000-rss", "s1000", "  resident memory then", "MB", False, absolute=104.8),
    Row("s1000-idle", "s1000", "  CPU of a core when idle", "%", False, 2, absolute=1),
    Row("s1000-unused", "s1000", "  connections to the API server before use", "", False),
)


def measure(
    rows: Sequence[Row], where: Place, image: str, rounds: int, say: Callable[[str], None]
) -> tuple[Results, list[str]]:
    """All rows, crowd by crowd; what failed, in words."""
    players = [name for name in (BASE, "fairlead") if name == "fairlead" or shutil.which(name)]
    results, failures = Results(players, BASE), []
    for group in dict.fromkeys(row.group for row in rows):
        members = [row for row in rows if row.group == group]
        say(f"{group}: making {CROWDS[group].services} services")
        with crowd.present(where, CROWDS[group], image):
            for number in range(rounds):
                results.load.setdefault(group, []).append(os.getloadavg()[0])
                for player in players:
                    if player == BASE and (number or group != "s200"):
                        continue  # once: it takes minutes
                    try:
                        figures = _turn(player, group, where)
                    except BenchError as error:
                        failures.append(f"{group}, {player}: {error}")
                        continue
                    results.add(members, player, figures)
                    told = ", ".join(f"{row.id} {figures[row.id]:.2f}" for row in members if row.id in figures)
                    say(f"{group} {number + 1}/{rounds}: {player}: {told}; load {os.getloadavg()[0]:.1f}")
    return results, failures


def _turn(player: str, group: str, where: Place) -> dict[str, float]:
    some = CROWDS[group]
    namespaces = [some.namespace(number) for number in range(some.namespaces)]
    figures = {}
    if player == "fairlead":
        figures[f"{group}-unused"] = _unused(some, namespaces, where)
        if group == "s200x100":
            figures["s200x100-lanes"] = _lanes(some, where)
    with named.running(player, namespaces, where) as run:
        started = run.all_answer(some.names)
        figures[f"{group}-first"], figures[f"{group}-all"] = started.first, started.last
        figures[f"{group}-rss"] = procfs.memory(run.pid)[0]
        addresses = list(run.addresses(some.names).values())
        times = [named.get(addresses[at % len(addresses)]) for at in range(GETS)]
        figures[f"{group}-get"], figures[f"{group}-get99"] = (percentile(times, at) * 1e3 for at in (50, 99))
        time.sleep(2)
        before = procfs.cpu_seconds(run.pid)
        time.sleep(IDLE)
        figures[f"{group}-idle"] = (procfs.cpu_seconds(run.pid) - before) / IDLE * 100
        run.check()
    return figures


def _unused(some: Crowd, namespaces: Sequence[str], where: Place) -> float:
    port = load(ClusterOptions(kubeconfig=where.kubeconfig), {}).server.port
    with named.running("fairlead", namespaces, where) as run:
        run.all_known(some.names)
        time.sleep(1)
        return run.to_server(port)


def _lanes(some: Crowd, where: Place) -> float:
    """Seconds until each pod has an upgraded connection."""
    doors = [door.find(where.kubeconfig, some.namespace(0), f"p{at}") for at in range(some.pods)]
    began = time.perf_counter()
    with ThreadPoolExecutor(LANES_AT_ONCE) as pool:
        pipes = list(pool.map(_enter, doors))
    took = time.perf_counter() - began
    for pipe in pipes:
        pipe.close()
    return took


def _enter(entrance: Door) -> Pipe:
    return Pipe(entrance)
