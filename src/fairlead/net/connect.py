"""One TCP connection to a host that may have several addresses (RFC 8305, happy eyeballs).

asyncio has this in ``create_connection``, uvloop has not.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from fairlead.kit.tasks import Background
from fairlead.net.resolve import Address, Resolver

HEAD_START = 0.25
"""Seconds that one address is tried before the next one is tried beside it (RFC 8305, section 5)."""


async def connect_tcp(host: str, port: int, resolver: Resolver) -> socket.socket:
    """A connected, non-blocking socket with TCP_NODELAY and keep-alive; raises OSError, the last one of all addresses.

    There is no TCP_USER_TIMEOUT: it would end a connection to a peer that only does not read for a while.
    """
    addresses = await resolver.resolve(host, port)
    if len(addresses) == 1:
        return await _connect(addresses[0])
    return await _race(addresses)


async def _connect(address: Address) -> socket.socket:
    with ExitStack() as undo:
        sock = undo.enter_context(socket.socket(address[0], socket.SOCK_STREAM))
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        await asyncio.get_running_loop().sock_connect(sock, address[1])
        undo.pop_all()
        return sock


async def _race(addresses: Sequence[Address]) -> socket.socket:
    won: asyncio.Future[socket.socket] = asyncio.get_running_loop().create_future()
    failures: list[OSError] = []

    async def attempt(address: Address) -> None:
        try:
            sock = await _connect(address)
        except OSError as error:
            failures.append(error)
            return
        if won.done():
            sock.close()
        else:
            won.set_result(sock)

    try:
        async with Background() as tasks:
            running: set[asyncio.Future[Any]] = set()
            for address in addresses:
                running.add(tasks.start(attempt(address), name=f"connect {address[1][0]}"))
                _, running = await asyncio.wait(
                    {*running, won}, timeout=HEAD_START, return_when=asyncio.FIRST_COMPLETED
                )
                running.discard(won)
                if won.done():
                    break
            while running and not won.done():
                _, running = await asyncio.wait({*running, won}, return_when=asyncio.FIRST_COMPLETED)
                running.discard(won)
    except BaseException:
        if won.done():
            won.result().close()
        raise
    if won.done():
        return won.result()
    raise failures[-1]
