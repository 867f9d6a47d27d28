"""Requests and answers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple, TypeAlias

Headers: TypeAlias = tuple[tuple[str, str], ...]
JSON = "application/json"


class Request(NamedTuple):
    """One request, whole; header names in lower case."""

    method: str
    url: str
    """Path and query, as they were sent."""
    headers: Headers = ()
    body: bytes = b""

    def line(self, name: str) -> str:
        """A header, its values joined by commas; "" where there is none."""
        return ", ".join(value for key, value in self.headers if key == name)

    def values(self, name: str) -> list[str]:
        """The values of a header that is a list."""
        return [value for part in self.line(name).split(",") if (value := part.strip())]

    @property
    def upgrade(self) -> str:
        """The protocol that the connection is to speak from now on, in lower case; "" if none."""
        asks = "upgrade" in (value.lower() for value in self.values("connection"))
        return self.line("upgrade").lower() if asks else ""


class Reply(NamedTuple):
    """An answer that is known as a whole."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: Headers = ()


class Stream(NamedTuple):
    """An answer that goes on for as long as there is something to say, or the client is there."""

    body: AsyncIterator[bytes]
    """Closed, also in its middle, when the client has left."""
    content_type: str = JSON
    headers: Headers = ()


class HandOver(NamedTuple):
    """The connection is another's from now on, who also answers the request."""

    take: Callable[[Any, bytes], None]
    """Called with the transport (asyncio.Transport) and with what came behind the request; takes over its protocol."""


Answer: TypeAlias = Reply | Stream | HandOver


def as_json(value: object, status: int = 200) -> Reply:
    """An object."""
    return Reply(status, json.dumps(value, separators=(",", ":")).encode() + b"\n")


def as_text(text: str, status: int = 200, headers: Headers = ()) -> Reply:
    """A few words."""
    return Reply(status, text.encode(), "text/plain; charset=utf-8", headers)
