from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fairlead.kube.auth import Identity
from fairlead.kube.connect import Connector
from fairlead.kube.http import HttpConnection, Request
from fairlead.kube.pool import IDLE_CONNECTIONS, IDLE_TIME, Pool
from fairlead.kube.tls import TlsSettings
from fairlead.policy.url import parse_url
from tests.support.apiserver import Answer, ScriptedServer, scripted
from tests.support.loop import run_virtual

GET = Request("GET", "/x", [("Host", "a")])


@asynccontextmanager
async def pooled() -> AsyncIterator[Pool]:
    """The pool of connections to a server, which sees all of them end with the pool."""
    async with ScriptedServer(scripted(Answer()), tls=False) as server:
        pool = Pool(Connector(parse_url(server.url, what="server", schemes=("http",)), TlsSettings()))
        yield pool
        await pool.close()
        await server.idle.wait()


async def used(pool: Pool, **how: bool) -> HttpConnection:
    connection = await pool.take(Identity(), **how)
    await connection.send(GET)
    await connection.read(100)
    return connection


def test_a_few_are_kept_for_a_minute() -> None:
    async def main() -> None:
        async with pooled() as pool:
            connections = [await used(pool) for _ in range(IDLE_CONNECTIONS + 2)]
            for connection in connections:
                pool.give_back(connection)
            kept = connections[:IDLE_CONNECTIONS]
            assert await pool.take(Identity()) is kept[-1]
            pool.give_back(kept[-1])
            await asyncio.sleep(IDLE_TIME + 1)
            assert await used(pool) not in connections

    run_virtual(main())


def test_fresh_ones_and_tunnels_are_new() -> None:
    async def main() -> None:
        async with pooled() as pool:
            first = await used(pool)
            pool.give_back(first)
            assert await used(pool, fresh=True) is not first
            assert await used(pool, tunnel=True) is not first
            assert await used(pool) is first

    run_virtual(main())


def test_none_that_waited_through_an_outage_is_used() -> None:
    async def main() -> None:
        async with pooled() as pool:
            kept, busy = await used(pool), await used(pool)
            pool.give_back(kept)
            pool.drop_idle()
            assert await used(pool) not in (kept, busy)
            await busy.send(GET)  # in use: it is its user's
            await asyncio.sleep(IDLE_TIME + 1)

    run_virtual(main())


def test_half_read_answers_are_not_kept() -> None:
    async def main() -> None:
        async with pooled() as pool:
            connection = await pool.take(Identity())
            await connection.send(GET)
            pool.give_back(connection)
            assert await used(pool) is not connection

    run_virtual(main())
