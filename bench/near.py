"""A server on the laptop's own network, as a program: a source, a sink and an echo, until its standard input ends.

Its first line has the three ports.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading

from bench.pod.app import listen, serve, sink, source


def echo(connection: socket.socket, _count: int) -> None:
    """Say back what comes."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while data := connection.recv(4096):
        connection.sendall(data)


def main() -> None:
    """Serve."""
    listeners = [listen(0) for _ in range(3)]
    for listener, handle in zip(listeners, (source, sink, echo), strict=True):
        threading.Thread(target=serve, args=(listener, handle), daemon=True).start()
    print(json.dumps([listener.getsockname()[1] for listener in listeners]), flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
