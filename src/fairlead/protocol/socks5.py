"""The client side of SOCKS5 (RFC 1928) with a user name and password (RFC 1929); the proxy resolves names."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address

from fairlead.errors import ProtocolError

_REFUSALS = {
    1: "general failure",
    2: "not allowed by its rules",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "time to live expired",
    7: "it cannot do CONNECT",
    8: "it cannot do this type of address",
}


class Socks5Connect:
    """One CONNECT to ``host``:``port``. Each step knows how many bytes it needs."""

    def __init__(self, host: str, port: int, *, username: str = "", password: str = "") -> None:
        self._request = b"\x05\x01\x00" + _address(host) + port.to_bytes(2, "big")
        self._user, self._secret = username.encode(), password.encode()
        if len(self._user) > 255 or len(self._secret) > 255:
            raise ProtocolError("the proxy's user name or password is longer than SOCKS5 allows")
        self._buffer = bytearray()
        self._need = 2
        self._step: Callable[[bytes], bytes] | None = self._on_method

    @property
    def done(self) -> bool:
        """Whether the proxy has connected."""
        return self._step is None

    def start(self) -> bytes:
        """The methods we know: none, and a password if there is one."""
        return b"\x05\x02\x00\x02" if self._user else b"\x05\x01\x00"

    def receive(self, data: bytes) -> bytes:
        """Take bytes of the proxy; bytes after its last word are an error, as we speak first."""
        self._buffer += data
        out = b""
        while self._step is not None and len(self._buffer) >= self._need:
            chunk = bytes(self._buffer[: self._need])
            del self._buffer[: self._need]
            out += self._step(chunk)
        if self._step is None and self._buffer:
            raise ProtocolError("bytes came through the proxy before any were sent")
        return out

    def _on_method(self, data: bytes) -> bytes:
        if data[0] != 5:
            raise ProtocolError("it does not speak SOCKS5")
        if data[1] == 2 and self._user:
            self._expect(2, self._on_login)
            return b"\x01" + _counted(self._user) + _counted(self._secret)
        if data[1] != 0:
            remedy = "" if self._user else "put USER:PASSWORD@ in its address"
            raise ProtocolError("it wants to know who we are", remedy=remedy)
        return self._ask()

    def _on_login(self, data: bytes) -> bytes:
        if data[1] != 0:
            raise ProtocolError("it does not accept our user name and password")
        return self._ask()

    def _ask(self) -> bytes:
        self._expect(5, self._on_reply)
        return self._request

    def _on_reply(self, data: bytes) -> bytes:
        """VER REP RSV ATYP and the first byte of the address, which is its length if it is a name."""
        if data[0] != 5:
            raise ProtocolError("it does not speak SOCKS5")
        if data[1] != 0:
            raise ProtocolError(f"it refused: {_REFUSALS.get(data[1], f'error {data[1]}')}")
        rest = {1: 3, 4: 15, 3: data[4]}.get(data[3])
        if rest is None:
            raise ProtocolError("its reply has an address of no known type")
        self._expect(rest + 2, self._on_bound)
        return b""

    def _on_bound(self, _: bytes) -> bytes:
        self._step = None
        return b""

    def _expect(self, count: int, step: Callable[[bytes], bytes]) -> None:
        self._need, self._step = count, step


def _address(host: str) -> bytes:
    try:
        packed = ip_address(host).packed
    except ValueError:
        name = host.encode("idna") if not host.isascii() else host.encode()
        if not 0 < len(name) < 256:
            raise ProtocolError("the server's name is longer than SOCKS5 allows") from None
        return b"\x03" + _counted(name)
    return (b"\x01" if len(packed) == 4 else b"\x04") + packed


def _counted(data: bytes) -> bytes:
    return bytes([len(data)]) + data
