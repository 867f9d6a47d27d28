"""Which streams a request asks for, and the answer to one that asks for none that there is. Pure.

The statuses, headers and beginnings of the texts are those of Kubernetes: clients decide by them, and users know them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fairlead.protocol.websocket import accept_value

_PROTOCOL = "X-Stream-Protocol-Version"
_ACCEPTED = "X-Accepted-Stream-Protocol-Versions"
_WS_PROTOCOL = "Sec-WebSocket-Protocol"

Headers = tuple[tuple[str, str], ...]


class Request(NamedTuple):
    """One request; header names in lower case."""

    method: str
    path: str
    query: str
    headers: Headers

    def values(self, name: str) -> list[str]:
        """All values of a header, those that stand in one line apart."""
        lines = (value for key, value in self.headers if key == name.lower())
        return [part for line in lines for part in (each.strip() for each in line.split(",")) if part]

    def line(self, name: str) -> str:
        """A header as one line, in lower case."""
        return ",".join(value for key, value in self.headers if key == name.lower()).lower()

    @property
    def wants_websocket(self) -> bool:
        """Whether it asks for a WebSocket."""
        return "upgrade" in self.line("connection") and self.line("upgrade") == "websocket"


class Answer(NamedTuple):
    """An answer that is no upgrade."""

    status: int
    body: str
    headers: Headers = ()


class Upgrade(NamedTuple):
    """A 101: the protocol of the streams ("" for a WebSocket that named none), and its headers."""

    protocol: str
    headers: Headers


NOT_FOUND = Answer(404, "404 page not found")


def spdy(request: Request, known: Sequence[str]) -> Upgrade | Answer:
    """The first of the client's protocols that is known, over SPDY/3.1."""
    asked = request.values(_PROTOCOL)
    if not asked:
        return Answer(400, f"unable to upgrade: {_PROTOCOL} is required")
    chosen = next((each for each in asked if each in known), None)
    if chosen is None:
        text = (
            f"unable to upgrade: unable to negotiate protocol: client supports [{' '.join(asked)}], "
            f"server accepts [{' '.join(known)}]"
        )
        return Answer(403, text, tuple((_ACCEPTED, each) for each in known))
    if "upgrade" not in request.line("connection") or "spdy/3.1" not in request.line("upgrade"):
        return Answer(400, "unable to upgrade: missing upgrade headers in request")
    return Upgrade(chosen, (("Connection", "Upgrade"), ("Upgrade", "SPDY/3.1"), (_PROTOCOL, chosen)))


def websocket(request: Request, known: Sequence[str]) -> Upgrade | Answer:
    """The first of the client's subprotocols that is known, or none if it names none (RFC 6455, section 4.2)."""
    key = ",".join(value for name, value in request.headers if name == "sec-websocket-key")
    if request.method != "GET":
        return Answer(405, "WebSocket connections are opened by GET", (("Allow", "GET"),))
    if request.line("sec-websocket-version") != "13":
        return Answer(400, "unable to upgrade: only WebSocket version 13 is known", (("Sec-WebSocket-Version", "13"),))
    if len(key) != 24:
        return Answer(400, "unable to upgrade: Sec-WebSocket-Key is missing or has a wrong length")
    asked = request.values(_WS_PROTOCOL)
    chosen = next((each for each in asked if each in known), None)
    if asked and chosen is None:
        return Answer(403, f"unable to upgrade: none of the subprotocols is known: {', '.join(asked)}")
    headers: Headers = (
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Accept", accept_value(key)),
    )
    return Upgrade(chosen or "", headers + (((_WS_PROTOCOL, chosen),) if chosen else ()))
