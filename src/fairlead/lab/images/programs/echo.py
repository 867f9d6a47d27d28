"""An echo server: HTTP requests are answered with what they were, any other connection with its own bytes."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading

from fairlead.lab.images.programs.web import BadRequestError, Request, Response, encode, listen, read

NAME = "echo"
_METHODS = (b"GET ", b"HEAD", b"POST", b"PUT ", b"DELE", b"PATC", b"OPTI")
_MOST = 65536


def main() -> int:
    """On port 8080, or what the variable PORT says, or ``-listen=:PORT``; ``-text=WORDS`` is all that HTTP is told."""
    port, text = int(os.environ.get("PORT") or 8080), ""
    for word in sys.argv[1:]:
        name, _, value = word.lstrip("-").partition("=")
        if name == "listen":
            port = int(value.rpartition(":")[2])
        elif name == "text":
            text = value
    listener = listen(port)
    print(f"{NAME}: listening on :{port}, HTTP and TCP", flush=True)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    while True:
        connection, address = listener.accept()
        threading.Thread(target=serve, args=(connection, address[0], text), daemon=True).start()


def serve(connection: socket.socket, client: str, text: str = "") -> None:
    """One connection, until its end."""
    with connection:
        try:
            first = _first(connection)
            if first in _METHODS:
                _http(connection, client.removeprefix("::ffff:"), text)
            else:
                _raw(connection)
        except (OSError, BadRequestError):
            pass  # the client is gone, or was none


def answer(request: Request, text: str) -> Response:
    """What the request was, or ``text``."""
    if text:
        return Response(200, text.encode() + b"\n", "text/plain; charset=utf-8")
    told = {
        "host": socket.gethostname(),
        "client": request.client,
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": request.headers,
        "body": request.body.decode("utf-8", "replace"),
    }
    return Response(200, json.dumps(told, indent=2).encode() + b"\n", "application/json")


def _first(connection: socket.socket) -> bytes:
    """The first bytes, as far as they tell whether it is HTTP; they stay to be read."""
    seen = b""
    while len(seen) < 4 and any(method.startswith(seen) for method in _METHODS):
        again = connection.recv(4, socket.MSG_PEEK | (socket.MSG_WAITALL if seen else 0))
        if again == seen or not again:
            break
        seen = again
    return seen


def _http(connection: socket.socket, client: str, text: str) -> None:
    buffer = bytearray()
    while (request := read(connection, buffer, client)) is not None:
        last = request.headers.get("connection", "").lower() == "close"
        print(f"{client} {request.method} {request.path}", flush=True)
        response = answer(request, text)
        connection.sendall(encode(response, NAME, last=last, head=request.method == "HEAD"))
        if last:
            return


def _raw(connection: socket.socket) -> None:
    while data := connection.recv(_MOST):
        connection.sendall(data)
