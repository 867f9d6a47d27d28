"""Runs in the pod: nginx for small answers, a source and a sink for bulk. None of them may be the limit.

Port 80 answers hello. On 7001 a line with a number is answered with as many bytes. 7002 takes a line with a number,
then as many bytes, and answers with their count.
"""

from __future__ import annotations

import pathlib
import socket
import subprocess
import threading
from collections.abc import Callable

BLOCK = bytes(1 << 20)
NGINX = """worker_processes 1; daemon off; pid /tmp/nginx.pid; error_log /tmp/nginx.log;
events { worker_connections 8192; }
http { access_log off; keepalive_timeout 600; keepalive_requests 1000000;
       server { listen 80 backlog=4096; listen [::]:80 backlog=4096; location / { return 200 "hello\\n"; } } }
"""


Handle = Callable[[socket.socket, int], None]


def listen(port: int) -> socket.socket:
    return socket.create_server(("::", port), family=socket.AF_INET6, backlog=1024, dualstack_ipv6=True)


def serve(listener: socket.socket, handle: Handle) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=run, args=(handle, connection), daemon=True).start()


def run(handle: Handle, connection: socket.socket) -> None:
    with connection:
        try:
            handle(connection, int(connection.makefile("rb", 0).readline()))
        except (OSError, ValueError):
            pass


def source(connection: socket.socket, left: int) -> None:
    while left > 0:
        left -= connection.send(BLOCK[:left] if left < len(BLOCK) else BLOCK)


def sink(connection: socket.socket, left: int) -> None:
    taken, buffer = 0, bytearray(1 << 20)
    while taken < left and (count := connection.recv_into(buffer)):
        taken += count
    connection.sendall(b"%d\n" % taken)


if __name__ == "__main__":
    for port, handle in ((7001, source), (7002, sink)):
        threading.Thread(target=serve, args=(listen(port), handle), daemon=True).start()
    pathlib.Path("/tmp/nginx.conf").write_text(NGINX)
    subprocess.run(["nginx", "-c", "/tmp/nginx.conf"], check=True)
