"""Names to addresses, in threads that nothing waits for.

getaddrinfo(3) cannot be interrupted, and without a network it takes 10 to 30 s. In the loop's own threads it would hold
the end of the run, and a few askers would take all of them.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Sequence
from typing import Any

PATIENCE = 0.25
"""Seconds that a resolver may take before the addresses of the last time are tried."""

Address = tuple[int, Any]
"""A socket family and the address to connect to."""


class Resolver:
    """Resolves for one event loop; there is at most one thread a name, whose answer all who ask meanwhile share."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, int], asyncio.Future[Sequence[Address] | OSError]] = {}
        self._known: dict[tuple[str, int], Sequence[Address]] = {}

    async def resolve(self, host: str, port: int) -> Sequence[Address]:
        """The addresses of ``host`` in the order to try them; those of the last time if there is no news of it.

        A literal address needs no thread. Raises OSError.
        """
        for family in (socket.AF_INET, socket.AF_INET6):
            try:
                socket.inet_pton(family, host)
            except OSError:
                continue
            return [(family, (host, port))]
        known = self._known.get((host, port))
        answer = self._asked.get((host, port)) or self._ask(host, port)
        await asyncio.wait([answer], timeout=PATIENCE if known else None)
        found = answer.result() if answer.done() else None
        if known and not isinstance(found, Sequence):
            return known
        if isinstance(found, OSError):
            raise found
        assert found is not None
        return found

    def _ask(self, host: str, port: int) -> asyncio.Future[Sequence[Address] | OSError]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Sequence[Address] | OSError] = loop.create_future()

        def settle(found: Sequence[Address] | OSError) -> None:
            del self._asked[host, port]
            if isinstance(found, Sequence):
                self._known[host, port] = found
            answer.set_result(found)

        def look() -> None:
            found = _look_up(host, port)
            try:
                loop.call_soon_threadsafe(settle, found)
            except RuntimeError:
                pass  # the run has ended meanwhile

        self._asked[host, port] = answer
        threading.Thread(target=look, name=f"resolve {host}", daemon=True).start()
        return answer


def _look_up(host: str, port: int) -> Sequence[Address] | OSError:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:  # an empty label, or one of more than 63 bytes
        return socket.gaierror(socket.EAI_NONAME, "no name that DNS could have")
    except OSError as error:
        return error
    return interleave([(family, address) for family, _, _, _, address in found])


def interleave(addresses: Sequence[Address]) -> list[Address]:
    """Alternate the families, the resolver's first choice first (RFC 8305, section 4)."""
    first = [address for address in addresses if address[0] == addresses[0][0]]
    other = [address for address in addresses if address[0] != addresses[0][0]]
    mixed = [address for pair in zip(first, other, strict=False) for address in pair]
    shorter = min(len(first), len(other))
    return [*mixed, *first[shorter:], *other[shorter:]]
