"""The little of RFC 3986 that server and proxy addresses need; ``urllib.parse`` costs 4 ms at every start."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable
from typing import NamedTuple

from fairlead.errors import ConfigError
from fairlead.model.masked import masked

DEFAULT_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_HOST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")
_BRACKETED = _HOST.union(":%")
"""An IPv6 address, with the zone of a link-local one."""
_PATH = b"/%:@!$&'()*+,;="
_UNRESERVED = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")


class Url(NamedTuple):
    """One absolute address. ``host`` has no brackets; ``path`` is empty or begins, and never ends, with a slash."""

    scheme: str
    host: str
    port: int
    path: str = ""
    authority: str = ""
    """Host and port as typed, for the Host header."""
    username: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return masked(self, "password")

    @property
    def secure(self) -> bool:
        """Whether the scheme asks for TLS."""
        return self.scheme == "https"

    @property
    def address(self) -> str:
        """``host:port``, with brackets around IPv6."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"


def parse_url(text: str, *, what: str, schemes: Iterable[str], default_scheme: str = "") -> Url:
    """``text`` as a Url of one of ``schemes``; without any ``://`` it gets ``default_scheme`` if there is one.

    Raises ConfigError that calls the address ``what``.
    """
    scheme, mark, rest = text.strip().partition("://")
    if not mark:
        scheme, rest = default_scheme, text.strip()
    scheme = scheme.lower()
    if scheme not in schemes:
        wanted = ", ".join(schemes)
        raise ConfigError(
            f"{what} {redact(text)!r} has no scheme that can be used", remedy=f"it may begin with: {wanted}"
        )
    rest = rest.partition("#")[0].partition("?")[0]
    authority, slash, path = rest.partition("/")
    userinfo, _, authority = authority.rpartition("@")
    user, _, password = userinfo.partition(":")
    host, port = _split_port(authority, text, what)
    return Url(
        scheme=scheme,
        host=host,
        port=DEFAULT_PORTS[scheme] if port is None else port,
        path=quote((slash + path).rstrip("/"), safe=_PATH),
        authority=authority,
        username=unquote(user),
        password=unquote(password),
    )


def redact(text: str) -> str:
    """``text`` without the password that a proxy's address may carry."""
    head, mark, rest = text.rpartition("@")
    if not mark:
        return text
    scheme, mark, user = head.rpartition("://")
    return f"{scheme}{mark}{user.partition(':')[0]}:xxxxx@{rest}" if ":" in user else text


def quote(text: str, *, safe: bytes = b"") -> str:
    """Percent-encode all but RFC 3986's unreserved characters and ``safe``."""
    keep = _UNRESERVED.union(safe)
    return "".join(chr(byte) if byte in keep else f"%{byte:02X}" for byte in text.encode())


def unquote(text: str) -> str:
    """Undo percent-encoding; what is no valid escape stays as it is."""
    if "%" not in text:
        return text
    first, *parts = text.encode().split(b"%")
    out = bytearray(first)
    for part in parts:
        try:
            out += bytes([int(part[:2], 16)]) + part[2:]
        except ValueError:
            out += b"%" + part
    return out.decode(errors="replace")


def basic(username: str, password: str) -> str:
    """The value of an Authorization header (RFC 7617)."""
    return "Basic " + b2a_base64(f"{username}:{password}".encode(), newline=False).decode()


def decode_base64(text: str) -> bytes:
    """Standard base64 with padding; white space is allowed, as in Go. Raises ValueError."""
    return a2b_base64("".join(text.split()), strict_mode=True)


def encode_query(query: Iterable[tuple[str, str]]) -> str:
    """``a=b&c=d`` with both sides encoded."""
    return "&".join(f"{quote(name)}={quote(value)}" for name, value in query)


def _split_port(authority: str, text: str, what: str) -> tuple[str, int | None]:
    if authority.startswith("["):
        host, bracket, tail = authority[1:].partition("]")
        good = bool(host and bracket) and tail[:1] in ("", ":") and _BRACKETED.issuperset(host)
        port = tail[1:]
    else:
        host, _, port = authority.partition(":")
        good = _is_name(host)
    if not good or (port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536)):
        raise ConfigError(f"{what} {redact(text)!r} is not an address", remedy="it should look like https://HOST:PORT")
    return host.lower(), int(port) if port else None


def _is_name(host: str) -> bool:
    """Whether a resolver, a Host header and a proxy can all take ``host``: RFC 1123's form, and underscores."""
    labels = host.removesuffix(".").split(".")
    return _HOST.issuperset(host) and len(host) <= 254 and all(0 < len(label) < 64 for label in labels)
