"""As much of PostgreSQL's protocol 3.0 as a simple query needs; the answer to each is its first word after ``select``.

With a host and a query as arguments it is the client, for machines without psql.
"""

from __future__ import annotations

import socket
import socketserver
import struct
import sys
from typing import Protocol

PORT = 5432
_SSL, _GSS = 80877103, 80877104


class Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def column(name: bytes) -> bytes:
    return struct.pack("!H", 1) + name + b"\0" + struct.pack("!IHIhih", 0, 0, 25, -1, -1, 0)


READY = message(b"Z", b"I")
WELCOME = (
    message(b"R", struct.pack("!I", 0))
    + message(b"S", b"server_version\0" + b"15.0\0")
    + message(b"S", b"client_encoding\0UTF8\0")
    + READY
)


class Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while self.startup() in (_SSL, _GSS):
            self.wfile.write(b"N")
        self.wfile.write(WELCOME)
        while self.rfile.read(1) == b"Q":
            self.answer(self.rfile.read(length(self.rfile)).rstrip(b"\0"))

    def startup(self) -> int:
        body = self.rfile.read(length(self.rfile))
        return int.from_bytes(body[:4], "big")

    def answer(self, query: bytes) -> None:
        value = query.rstrip(b"; ").split()[1]
        row = struct.pack("!HI", 1, len(value)) + value
        self.wfile.write(message(b"T", column(b"answer")) + message(b"D", row) + message(b"C", b"SELECT 1\0") + READY)


def length(stream: Stream) -> int:
    data = stream.read(4)
    return int.from_bytes(data, "big") - 4 if data else 0


def ask(host: str, query: str) -> str:
    """The client."""
    with socket.create_connection((host, PORT), 10) as sock, sock.makefile("rwb") as stream:
        start = struct.pack("!I", 3 << 16) + b"user\0ann\0\0"
        stream.write(struct.pack("!I", len(start) + 4) + start + message(b"Q", query.encode() + b"\0"))
        stream.flush()
        while kind := stream.read(1):
            body = stream.read(length(stream))
            if kind == b"D":
                return body[6:].decode()
    return ""


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True


if __name__ == "__main__":
    if sys.argv[1:]:
        print(ask(sys.argv[1], sys.argv[2]))
    else:
        Server(("", PORT), Session).serve_forever()
