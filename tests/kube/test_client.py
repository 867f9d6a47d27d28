from __future__ import annotations

import asyncio

from fairlead.kube.client import ApiServer
from fairlead.kube.config import ClusterConfig
from fairlead.kube.upgrade import UpgradeResponse
from fairlead.policy.kubeconfig import Cluster, User
from fairlead.policy.url import parse_url
from tests.support.apiserver import Answer, Exchange, ScriptedServer
from tests.support.loop import run
from tests.support.tlsfiles import certificates


def config_for(server: ScriptedServer, user: User | None = None, **more: object) -> ClusterConfig:
    url = parse_url(server.url, what="server", schemes=("https", "http"))
    cluster = Cluster(server=server.url, ca_data=certificates().ca)
    return ClusterConfig(context="test", namespace="default", server=url, cluster=cluster, user=user or User(), **more)


class Collector(asyncio.BufferedProtocol):
    def __init__(self, room: int = 3) -> None:
        self.room = bytearray(room)
        self.got = b""
        self.calls: list[str] = []
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self.change = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.calls.append("made")

    def get_buffer(self, sizehint: int) -> bytearray:
        return self.room

    def buffer_updated(self, nbytes: int) -> None:
        self.calls.append("data")
        self.got += self.room[:nbytes]
        self.change.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(exc)


def test_get_and_keep_alive() -> None:
    async def handler(exchange: Exchange) -> Answer:
        return Answer(body={"kind": "Pod"})

    async def main() -> None:
        async with ScriptedServer(handler) as server, ApiServer(config_for(server, User(token="t0ken"))) as api:
            assert await api.get("/api/v1/namespaces/a/pods/x") == {"kind": "Pod"}
            assert await api.get("/api/v1/pods", [("labelSelector", "app=a,tier in (b)")]) == {"kind": "Pod"}
        assert [seen.target for seen in server.seen] == [
            "/api/v1/namespaces/a/pods/x",
            "/api/v1/pods?labelSelector=app%3Da%2Ctier%20in%20%28b%29",
        ]
        assert {seen.get("authorization") for seen in server.seen} == {"Bearer t0ken"}
        assert server.connections == 1

    run(main())


def test_upgrade_with_glued_bytes() -> None:
    async def handler(exchange: Exchange) -> None:
        head = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream: a\r\n\r\n"
        exchange.writer.write(head + b"glued bytes")
        exchange.writer.write(await exchange.reader.readexactly(4))
        await exchange.writer.drain()

    async def main() -> None:
        async with ScriptedServer(handler) as server, ApiServer(config_for(server)) as api:
            responses: list[UpgradeResponse] = []
            made: list[Collector] = []

            def make(response: UpgradeResponse) -> Collector:
                responses.append(response)
                made.append(Collector())
                return made[0]

            headers = [("Connection", "Upgrade"), ("Upgrade", "SPDY/3.1")]
            transport = await api.upgrade("POST", "/api/v1/namespaces/a/pods/x/portforward", headers, make)
            assert made[0].got == b"glued bytes"
            assert made[0].calls[0] == "made"
            assert responses[0].get("X-Stream") == "a"
            transport.write(b"ping")
            assert await made[0].lost is None
            assert made[0].got == b"glued bytesping"
            assert server.seen[0].get("content-length") == "0"

    run(main())
