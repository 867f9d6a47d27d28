"""The client side of HTTP CONNECT (RFC 9110, section 9.3.6)."""

from __future__ import annotations

from fairlead.errors import ProtocolError
from fairlead.policy.url import basic

MAX_HEAD = 16 * 1024
"""Bytes of the proxy's answer; an answer to CONNECT is a status line and a few headers."""

_EARLY = "bytes came through the proxy before any were sent"


class HttpConnect:
    """One CONNECT to ``target`` (``host:port``)."""

    def __init__(self, target: str, *, username: str = "", password: str = "", agent: str = "") -> None:
        self._head = bytearray()
        self._done = False
        lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
        if agent:
            lines.append(f"User-Agent: {agent}")
        if username or password:
            lines.append(f"Proxy-Authorization: {basic(username, password)}")
        self._request = "\r\n".join([*lines, "", ""]).encode()

    @property
    def done(self) -> bool:
        """Whether the proxy said yes."""
        return self._done

    def start(self) -> bytes:
        """The request."""
        return self._request

    def receive(self, data: bytes) -> bytes:
        """Take bytes of the answer. A success has no body, so bytes after it are an error: we speak first."""
        if self._done:
            raise ProtocolError(_EARLY)
        seen = max(0, len(self._head) - 3)
        self._head += data
        end = self._head.find(b"\r\n\r\n", seen)
        if end < 0:
            if len(self._head) > MAX_HEAD:
                raise ProtocolError(f"the proxy's answer to CONNECT is longer than {MAX_HEAD} bytes")
            return b""
        status = bytes(self._head[: self._head.find(b"\r\n")]).decode("latin-1")
        version, _, said = status.partition(" ")
        code = said[:3]
        if not version.startswith("HTTP/1.") or not code.isdigit():
            raise ProtocolError("the proxy's answer to CONNECT is not HTTP")
        if code == "407":
            remedy = "put USER:PASSWORD@ in its address"
            raise ProtocolError(f"it wants to know who we are: {said.strip()}", remedy=remedy)
        if not code.startswith("2"):
            raise ProtocolError(f"it refused: {said.strip()}")
        if len(self._head) > end + 4:
            raise ProtocolError(_EARLY)
        self._done = True
        return b""
