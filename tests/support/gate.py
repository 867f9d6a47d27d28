"""A reverse proxy in front of a real API server that treats upgrades badly, in each of the ways that proxies do.

It speaks plain HTTP to its clients, and TLS to the server with the token that it was given. Between a lane and the
server it can also play the server's part: see ``Wire``.
"""

from __future__ import annotations

import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from fairlead.protocol.websocket import accept_value

Refusal = Callable[[str, dict[str, str]], bytes | None]
"""From a request's line and headers (small letters) to a whole answer, after which a 0 hangs; None forwards."""


def refuse_websocket(line: str, headers: dict[str, str]) -> bytes | None:
    """Answers WebSocket as a server that cannot."""
    body = b"unable to upgrade: missing upgrade headers in request"
    answer = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(body)
    return answer + body if headers.get("upgrade", "").lower() == "websocket" else None


def drop_spdy(line: str, headers: dict[str, str]) -> bytes | None:
    """What a server answers to an upgrade whose Upgrade header got lost on the way."""
    body = b'{"kind":"Status","apiVersion":"v1","status":"Failure","message":"Upgrade request required","code":400}'
    answer = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    return answer + body if headers.get("upgrade", "").lower().startswith("spdy") else None


def misread_websocket(header: str) -> Refusal:
    """Answers 101 to WebSocket with a wrong value of one header of the handshake."""

    def answer(line: str, headers: dict[str, str]) -> bytes | None:
        if headers.get("upgrade", "").lower() != "websocket":
            return None
        values = {
            "Sec-WebSocket-Accept": accept_value(headers["sec-websocket-key"]),
            "Sec-WebSocket-Protocol": headers["sec-websocket-protocol"],
        }
        values[header] = "v4.channel.k8s.io"
        more = "".join(f"{name}: {value}\r\n" for name, value in values.items())
        return f"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{more}\r\n\0".encode()

    return answer


def swallow(kind: str) -> Refusal:
    """Answers 101 to one kind of upgrade (``spdy`` or ``websocket``) and passes nothing on."""

    def answer(line: str, headers: dict[str, str]) -> bytes | None:
        if not headers.get("upgrade", "").lower().startswith(kind):
            return None
        head = ["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", f"Upgrade: {headers['upgrade']}"]
        if kind == "spdy":
            head.append("X-Stream-Protocol-Version: portforward.k8s.io")
        else:
            head.append(f"Sec-WebSocket-Accept: {accept_value(headers['sec-websocket-key'])}")
            head.append(f"Sec-WebSocket-Protocol: {headers['sec-websocket-protocol']}")
        return ("\r\n".join(head) + "\r\n\r\n").encode() + b"\0"

    return answer


class Gate:
    """Listens on loopback while the with block lasts; ``url`` is the server to give to clients."""

    def __init__(self, server: str, context: ssl.SSLContext, bearer: str, *, refuse: Refusal | None = None) -> None:
        where = urlsplit(server)
        self._address = (where.hostname or "", where.port or 443)
        self._context = context
        self.bearer = bearer
        self.refuse = refuse
        self.wires: list[Wire] = []
        self.upgrades: list[str] = []
        """The Upgrade headers seen, in order, in small letters."""
        self.requests: list[tuple[str, dict[str, str]]] = []
        """The upgrade requests seen, in order: the first line and the headers with small names."""
        self.tunnels: list[Tunnel] = []
        """The WebSocket lanes, in order."""
        self.glue = b""
        """Said by the server in one breath with its 101 to plain SPDY."""
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._closed = False

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(5)

    def cut(self) -> None:
        """End every connection, as a restarted proxy would."""
        with self._lock:
            ends = list(self._open)
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._start(lambda client=client: self._serve(client))  # type: ignore[misc]

    def _serve(self, client: socket.socket) -> None:
        link = _Link(self, client)
        with self._lock:
            self._open.add(client)
        try:
            link.run()
        except OSError:
            pass
        finally:
            with self._lock:
                self._open.discard(client)
            link.close()

    def connect(self) -> ssl.SSLSocket:
        """A new connection to the server."""
        raw = socket.create_connection(self._address)
        return self._context.wrap_socket(raw, server_hostname=self._address[0])


class _Link:
    """One client's connection and the server's that belongs to it, served by one thread."""

    def __init__(self, gate: Gate, client: socket.socket) -> None:
        self._gate = gate
        self._client = client
        self._server: ssl.SSLSocket | None = None
        self._wire: Wire | None = None
        self._tunnel: Tunnel | None = None
        self._upgraded = False
        self._received = b""

    def run(self) -> None:
        """Pass on in both directions until one of them ends."""
        while True:
            server = self._server
            if server is not None and server.pending():
                ready: list[socket.socket] = [server]
            else:
                ready = select.select([self._client, *([server] if server is not None else [])], [], [])[0]
            for end in ready:
                data = end.recv(65536)
                if not data or not (self._down(data) if end is server else self._up(data)):
                    return

    def close(self) -> None:
        """End both."""
        if self._wire is not None:
            self._wire.ended = True
        if self._tunnel is not None:
            self._tunnel.ended = True
        for end in (self._client, self._server):
            if end is not None:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def _down(self, data: bytes) -> bool:
        if self._wire is not None:
            self._wire.from_server(data)
        else:
            self._client.sendall(data)
        return True

    def _up(self, data: bytes) -> bool:
        if self._upgraded:
            if self._wire is not None:
                self._wire.from_client(data)
            if self._tunnel is not None:
                self._tunnel.said = (self._tunnel.said + data)[-64:]
            assert self._server is not None
            self._server.sendall(data)
            return True
        self._received += data
        head, end, rest = self._received.partition(b"\r\n\r\n")
        if not end:
            return True
        self._received = b""
        return self._request(head + end, rest)

    def _request(self, head: bytes, rest: bytes) -> bool:
        gate = self._gate
        line, headers = _parse(head)
        upgrade = headers.get("upgrade", "").lower()
        if upgrade:
            gate.upgrades.append(upgrade)
            gate.requests.append((line, headers))
        answer = gate.refuse(line, headers) if gate.refuse else None
        if answer is not None:
            self._client.sendall(answer.rstrip(b"\0"))
            while answer.endswith(b"\0") and self._client.recv(65536):
                pass
            return False
        if upgrade:
            self._upgraded = True
            if upgrade.startswith("spdy"):
                self._wire = Wire(self._client, gate.glue)
                gate.wires.append(self._wire)
            else:
                self._tunnel = Tunnel(self._client)
                gate.tunnels.append(self._tunnel)
        if self._server is None:
            self._server = gate.connect()
        first, _, others = head.partition(b"\r\n")
        self._server.sendall(first + f"\r\nAuthorization: Bearer {gate.bearer}\r\n".encode() + others + rest)
        return True


class Tunnel:
    """One lane inside WebSocket."""

    def __init__(self, client: socket.socket) -> None:
        self.client = client
        self.said = b""
        """The last bytes that the client said."""
        self.ended = False
        """The lane is over."""

    def send(self, frame: bytes) -> None:
        """Say something as the server, at a moment when it says nothing itself."""
        self.client.sendall(frame)

    @property
    def close_code(self) -> int:
        """The code of the client's Close frame, if that was the last thing it said; 0 if not."""
        head, mask, code = self.said[-8:-6], self.said[-6:-2], self.said[-2:]
        plain = bytes(byte ^ key for byte, key in zip(code, mask, strict=False))
        return int.from_bytes(plain, "big") if head == b"\x88\x82" else 0


class Wire:
    """One plain SPDY lane; knows where frames begin, and can be told to play the server's part."""

    def __init__(self, client: socket.socket, glue: bytes) -> None:
        self.client = client
        self.frames: list[bytes] = []
        """What the client has said."""
        self.ended = False
        """The lane is over."""
        self.silent = False
        """From now on nothing of what the server says is passed on."""
        self._glue = glue
        self.mute_streams = False
        """From now on new streams get no answer: what the server says about them is swallowed."""
        self.reset_streams = False
        """From now on new streams are answered by RST_STREAM, and what the server says is swallowed."""
        self._muted: set[int] = set()
        self._lock = threading.Lock()
        self._head = b""
        self._begun = False
        self._down = b""
        self._up = b""

    def send(self, frame: bytes) -> None:
        """Say something between two frames of the server's."""
        with self._lock:
            self.client.sendall(frame)

    def from_server(self, data: bytes) -> None:
        """Pass on whole frames, less those of muted streams."""
        with self._lock:
            if self.silent:
                return
            self._down += data
            if not self._begun:
                head, end, rest = self._down.partition(b"\r\n\r\n")
                if not end:
                    return
                self._begun, self._down = True, rest
                self.client.sendall(head + end + self._glue)
            frames, self._down = _frames(self._down)
            out = b"".join(frame for frame in frames if _stream(frame) not in self._muted)
            if out:
                self.client.sendall(out)

    def from_client(self, data: bytes) -> None:
        """Look for new streams."""
        self._up += data
        frames, self._up = _frames(self._up)
        self.frames += frames
        for frame in frames:
            if frame[:4] == b"\x80\x03\x00\x01" and (self.mute_streams or self.reset_streams):
                with self._lock:
                    self._muted.add(_stream(frame))
                if self.reset_streams:
                    self.send(struct.pack("!HHII I", 0x8003, 3, 8, _stream(frame), 3))


def _frames(data: bytes) -> tuple[list[bytes], bytes]:
    found = []
    while len(data) >= 8:
        size = 8 + int.from_bytes(data[5:8], "big")
        if len(data) < size:
            break
        found.append(data[:size])
        data = data[size:]
    return found, data


def _stream(frame: bytes) -> int:
    """The stream of a frame; 0 for those that concern all."""
    if frame[0] & 0x80 == 0:
        return int.from_bytes(frame[:4], "big")
    kind = int.from_bytes(frame[2:4], "big")
    return int.from_bytes(frame[8:12], "big") if kind in (1, 2, 3, 8, 9) else 0


def _parse(head: bytes) -> tuple[str, dict[str, str]]:
    line, *lines = head.decode("latin-1").strip().split("\r\n")
    return line, {name.strip().lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
