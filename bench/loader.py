"""The load as a program of its own, which can be started inside a private network and outside.

It reads one request a line, does it, and writes one answer a line: JSON both ways.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable

from bench import load
from bench.errors import BenchError

WIDTH = 50
"""Connections at once in a burst."""

Work = Callable[[str, int, int], list[float]]
"""Host, port, and how much: bytes or connections. Seconds, of the whole or of each."""
WORK: dict[str, Work] = {
    "download": lambda host, port, total: [load.download(port, total, 1, host)],
    "upload": lambda host, port, total: [load.upload(port, total, host)],
    "sequential": lambda host, port, count: load.sequential(port, count, host),
    "burst": lambda host, port, count: [load.burst(port, count, WIDTH, host)],
    "round trips": lambda host, port, count: load.round_trips(port, count, host),
    "connections": lambda host, port, count: load.connections(port, count, host),
}


def main() -> None:
    """Serve until the end of standard input."""
    print(json.dumps({}), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


def answer(asked: dict[str, object]) -> dict[str, object]:
    """Do what one line asks for."""
    try:
        host, port, count = str(asked["host"]), int(str(asked["port"])), int(str(asked["count"]))
        # Once, as a program with a pool of connections does: what a lookup takes is not what is measured.
        address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0]
        return {"seconds": WORK[str(asked["what"])](str(address), port, count)}
    except (OSError, BenchError) as error:
        return {"error": str(error)}


if __name__ == "__main__":
    main()
