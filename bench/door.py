"""The floor client's way in: one upgraded connection to a pod, with nothing on top of it.

It needs an API server that is reached directly over TLS, without proxy and impersonation.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import dataclass
from typing import cast

from bench.errors import BenchError
from bench.load import LIMIT
from fairlead.kube.auth import credentials
from fairlead.kube.config import load
from fairlead.kube.tls import TlsSettings, make_context
from fairlead.settings import ClusterOptions

READ = 512 * 1024
"""Bytes taken from the socket at once; OpenSSL on its own would ask the kernel twice for every record of 16 KiB."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where to knock, and as whom."""

    host: str
    port: int
    name: str
    context: ssl.SSLContext
    request: bytes


def find(kubeconfig: str, namespace: str, pod: str) -> Door:
    """The door to a pod, with the kubeconfig's own server and user."""
    config = load(ClusterOptions(kubeconfig=kubeconfig), {})
    if not config.server.secure or config.proxy or config.user.impersonation:
        raise BenchError("the floor client needs a server with https, no proxy and no impersonation")
    identity = asyncio.run(credentials(config).identity())
    cluster = config.cluster
    tls = TlsSettings(cluster.tls_server_name, cluster.insecure, cluster.ca_file, cluster.ca_data)
    lines = [
        f"POST {config.server.path}/api/v1/namespaces/{namespace}/pods/{pod}/portforward HTTP/1.1",
        f"Host: {config.server.authority}",
        "Content-Length: 0",
        "Connection: Upgrade",
        "Upgrade: SPDY/3.1",
        "X-Stream-Protocol-Version: portforward.k8s.io",
    ]
    if identity.authorization:
        lines.append(f"Authorization: {identity.authorization}")
    return Door(
        config.server.host,
        config.server.port,
        cluster.tls_server_name or config.server.host,
        make_context(tls, identity.certificate),
        "\r\n".join([*lines, "", ""]).encode(),
    )


class Pipe:
    """TLS by hand, over a blocking socket: large reads, and one write for whatever is sent."""

    def __init__(self, door: Door) -> None:
        self._raw = memoryview(bytearray(READ))
        self._plain = memoryview(bytearray(READ))
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = door.context.wrap_bio(self._in, self._out, server_hostname=door.name)
        self.sock = socket.create_connection((door.host, door.port), LIMIT)
        try:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._shake_hands()
            self.send(door.request)
            self._enter()
        except BaseException:
            self.sock.close()
            raise

    def close(self) -> None:
        """End it without a word."""
        self.sock.close()

    def send(self, data: bytes) -> None:
        """Encrypt and send all of it."""
        self._tls.write(data)
        self.sock.sendall(self._out.read())

    def receive(self) -> memoryview:
        """What one read brings, decrypted; valid until the next. Empty if that was no whole record."""
        count = self.sock.recv_into(self._raw)
        if not count:
            raise BenchError("the server closed the floor client's connection")
        self._in.write(self._raw[:count])
        have = 0
        try:
            while have < READ:
                have += cast("int", self._tls.read(READ - have, self._plain[have:]))
        except ssl.SSLWantReadError:
            pass
        return self._plain[:have]

    def _shake_hands(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self.sock.sendall(self._out.read())
                data = self.sock.recv(READ)
                if not data:
                    raise BenchError("the server closed the connection in the TLS handshake") from None
                self._in.write(data)
            else:
                self.sock.sendall(self._out.read())
                return

    def _enter(self) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += bytes(self.receive())
        status = head.split(b"\r\n", 1)[0].decode("latin-1")
        if " 101 " not in status:
            raise BenchError(f"the server did not upgrade the floor client's connection: {status}")
        # Servers of this protocol never speak first, so nothing follows the blank line.
