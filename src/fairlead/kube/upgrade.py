"""From a 101 to the new protocol: no byte lost, none delivered twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from fairlead.errors import FairleadError
from fairlead.kube.http import Head, HttpConnection
from fairlead.kube.status import Attempt, api_error, parse_status, plain


class UpgradeResponse(NamedTuple):
    """The headers of a 101."""

    headers: tuple[tuple[str, str], ...]
    """Names in lower case, in the order they came."""

    def get(self, name: str) -> str | None:
        """The first value of a header, or None."""
        return next(iter(self.get_all(name)), None)

    def get_all(self, name: str) -> tuple[str, ...]:
        """All values of a header."""
        return tuple(value for key, value in self.headers if key == name.lower())


def hand_over(
    connection: HttpConnection, head: Head, make: Callable[[UpgradeResponse], asyncio.BufferedProtocol]
) -> asyncio.Transport:
    """Give the transport to ``make``'s protocol: connection_made, then the bytes that came behind the 101.

    Nothing is awaited, so that no byte can come in between.
    """
    protocol = make(UpgradeResponse(head.headers))
    transport, rest = connection.detach()
    try:
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        left = memoryview(rest)
        while left:
            room = memoryview(protocol.get_buffer(len(left)))
            count = min(len(room), len(left))
            room[:count] = left[:count]
            protocol.buffer_updated(count)
            left = left[count:]
    except BaseException:
        transport.abort()
        raise
    return transport


def upgrade_error(attempt: Attempt, code: int, body: bytes, *, retry_after: float | None) -> FairleadError:
    """The error for an answer other than 101, with the server's own words as kubectl shows them."""
    if not parse_status(body):
        words = plain(body)
        if code < 300 and not words:
            words = "something on the way dropped the upgrade"
        body = f"unable to upgrade connection: {words}".encode()
    return api_error(attempt, code, body, retry_after=retry_after)
