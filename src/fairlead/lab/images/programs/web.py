"""A small web server: a thread for each connection, and of the protocol (RFC 9112) what clients of pods use."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, NoReturn

_MOST_HEAD, _MOST_BODY = 64 << 10, 64 << 20
_IDLE = 65.0
"""Seconds that a connection may be silent."""
_LAST = 5.0
"""Seconds that requests have to be answered once the server is to end."""
_REASONS = {
    200: "OK", 301: "Moved Permanently", 304: "Not Modified", 400: "Bad Request", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 413: "Content Too Large", 500: "Internal Server Error",
}  # fmt: skip
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Request(NamedTuple):
    """What a client asks."""

    method: str
    path: str
    """Without its query, as it was sent."""
    query: str
    headers: dict[str, str]
    """By their names in lower case."""
    body: bytes
    client: str
    """Its address."""


class Response(NamedTuple):
    """What it is answered."""

    code: int = 200
    body: bytes = b""
    kind: str = "text/html"
    headers: Sequence[tuple[str, str]] = ()


Handler = Callable[[Request], Response]
Log = Callable[[Request, Response], None]


class BadRequestError(Exception):
    """What came is no request."""

    def __init__(self, code: int = 400) -> None:
        super().__init__(code)
        self.code = code


class Server:
    """Serves on all addresses until SIGTERM, SIGINT or SIGQUIT; the last lets requests be answered that are begun."""

    def __init__(self, ports: Sequence[int], handler: Handler, log: Log, name: str) -> None:
        self._handler = handler
        self._log = log
        self._name = name
        self._busy = 0
        self._listeners = [listen(port) for port in ports]

    def run(self) -> NoReturn:
        """Until a signal."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: os._exit(0))
        signal.signal(signal.SIGQUIT, lambda *_: self._end())
        for listener in self._listeners[1:]:
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        self._accept(self._listeners[0])
        os._exit(0)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, address = listener.accept()
            except OSError:
                time.sleep(0.05)  # too many are open: some will end
                continue
            threading.Thread(target=self._serve, args=(connection, address[0]), daemon=True).start()

    def _serve(self, connection: socket.socket, client: str) -> None:
        with connection:
            connection.settimeout(_IDLE)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            buffer = bytearray()
            try:
                while self._one(connection, buffer, client.removeprefix("::ffff:")):
                    pass
            except OSError:
                pass  # the client is gone

    def _one(self, connection: socket.socket, buffer: bytearray, client: str) -> bool:
        """One request; whether another may follow."""
        try:
            request = read(connection, buffer, client)
        except BadRequestError as error:
            text = f"{error.code} {_REASONS[error.code]}\n".encode()
            connection.sendall(encode(Response(error.code, text, "text/plain"), self._name, last=True))
            return False
        if request is None:
            return False
        self._busy += 1
        try:
            response = self._handler(request)
            last = request.headers.get("connection", "").lower() == "close"
            connection.sendall(encode(response, self._name, last=last, head=request.method == "HEAD"))
            self._log(request, response)
        finally:
            self._busy -= 1
        return not last

    def _end(self) -> NoReturn:
        for listener in self._listeners:
            listener.close()
        until = time.monotonic() + _LAST
        while self._busy and time.monotonic() < until:
            time.sleep(0.01)
        os._exit(0)


def listen(port: int) -> socket.socket:
    """A listener on all addresses of this port, IPv6 and IPv4."""
    for family, address in ((socket.AF_INET6, "::"), (socket.AF_INET, "0.0.0.0")):  # noqa: S104
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError:
            continue  # this kernel has no such addresses
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            sock.bind((address, port))
        except OSError as error:
            sys.stderr.write(f"[emerg] bind() to {address}:{port} failed ({error.errno}: {error.strerror})\n")
            sys.exit(1)
        sock.listen(4096)
        return sock
    sys.exit("[emerg] this kernel has no IP addresses")


def read(connection: socket.socket, buffer: bytearray, client: str) -> Request | None:
    """The next request; None at the end of the connection. Raises BadRequestError."""
    while (end := buffer.find(b"\r\n\r\n")) < 0:
        if len(buffer) > _MOST_HEAD:
            raise BadRequestError(413)
        if not _more(connection, buffer):
            return None
    head, *lines = bytes(buffer[:end]).decode("latin-1").split("\r\n")
    del buffer[: end + 4]
    words = head.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequestError
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequestError
        headers[name.strip().lower()] = value.strip()
    if words[2] == "HTTP/1.0" and headers.get("connection", "").lower() != "keep-alive":
        headers["connection"] = "close"
    if headers.get("expect", "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = _chunks(connection, buffer) if "transfer-encoding" in headers else _body(connection, buffer, headers)
    path, _, query = words[1].partition("?")
    return Request(words[0], path, query, headers, body, client)


def encode(response: Response, server: str, *, last: bool = False, head: bool = False) -> bytes:
    """The bytes of an answer."""
    lines = [
        f"HTTP/1.1 {response.code} {_REASONS.get(response.code, '')}",
        f"Server: {server}",
        f"Date: {date(time.time())}",
        f"Content-Type: {response.kind}",
        f"Content-Length: {len(response.body)}",
        f"Connection: {'close' if last else 'keep-alive'}",
        *(f"{name}: {value}" for name, value in response.headers),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (b"" if head else response.body)


def date(now: float) -> str:
    """As headers have it (RFC 9110)."""
    at = time.gmtime(now)
    clock = time.strftime("%H:%M:%S", at)
    return f"{_DAYS[at.tm_wday]}, {at.tm_mday:02d} {_MONTHS[at.tm_mon - 1]} {at.tm_year} {clock} GMT"


def unquoted(text: str) -> str:
    """Without percent-encoding."""
    raw, at = bytearray(), 0
    data = text.encode("latin-1", "replace")
    while at < len(data):
        if data[at] == 0x25:
            try:
                raw.append(int(data[at + 1 : at + 3], 16))
                at += 3
                continue
            except ValueError:
                pass  # it stands for itself
        raw.append(data[at])
        at += 1
    return raw.decode("utf-8", "replace")


def fields(query: str) -> dict[str, str]:
    """The fields of a form or a query, the first of each name."""
    found: dict[str, str] = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if name:
            found.setdefault(unquoted(name.replace("+", " ")), unquoted(value.replace("+", " ")))
    return found


def escaped(text: str) -> str:
    """Text as HTML has it."""
    for character, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(character, name)
    return text


def _more(connection: socket.socket, buffer: bytearray) -> bool:
    data = connection.recv(65536)
    buffer += data
    return bool(data)


def _body(connection: socket.socket, buffer: bytearray, headers: dict[str, str]) -> bytes:
    text = headers.get("content-length", "0")
    if not text.isdecimal():
        raise BadRequestError
    return _take(connection, buffer, int(text))


def _take(connection: socket.socket, buffer: bytearray, size: int) -> bytes:
    if size > _MOST_BODY:
        raise BadRequestError(413)
    while len(buffer) < size:
        if not _more(connection, buffer):
            raise BadRequestError
    data = bytes(buffer[:size])
    del buffer[:size]
    return data


def _chunks(connection: socket.socket, buffer: bytearray) -> bytes:
    body = bytearray()
    while True:
        while (end := buffer.find(b"\r\n")) < 0:
            if len(buffer) > _MOST_HEAD or not _more(connection, buffer):
                raise BadRequestError
        try:
            size = int(bytes(buffer[:end]).split(b";")[0], 16)
        except ValueError:
            raise BadRequestError from None
        del buffer[: end + 2]
        if len(body) + size > _MOST_BODY:
            raise BadRequestError(413)
        body += _take(connection, buffer, size + 2)[:-2]
        if not size:
            return bytes(body)
