"""Configurations and credentials for scripted servers, and a protocol that collects what it is given."""

from __future__ import annotations

import asyncio

from fairlead.kube.auth import Identity
from fairlead.kube.config import ClusterConfig
from fairlead.policy.kubeconfig import Cluster, User
from fairlead.policy.url import Url, parse_url
from tests.support.apiserver import ScriptedServer
from tests.support.tlsfiles import certificates


def config_for(
    server: ScriptedServer,
    user: User | None = None,
    *,
    proxy: Url | None = None,
    request_timeout: float | None = None,
    url: str = "",
) -> ClusterConfig:
    """What ``load`` would make of a kubeconfig for ``server``."""
    return ClusterConfig(
        context="test",
        namespace="default",
        server=parse_url(url or server.url, what="the server", schemes=("https", "http")),
        cluster=Cluster(server=server.url, ca_data=certificates().ca),
        user=user or User(),
        user_name="ada",
        proxy=proxy,
        request_timeout=request_timeout,
    )


class Passwords:
    """Credentials that give one token after the other."""

    remedy = "log in again"

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)
        self.refused: list[str] = []

    async def identity(self) -> Identity:
        return Identity(f"Bearer {self.tokens[0]}")

    async def refresh(self, refused: Identity) -> bool:
        self.refused.append(refused.authorization)
        if len(self.tokens) > 1:
            self.tokens.pop(0)
            return True
        return False


class Collector(asyncio.BufferedProtocol):
    """Keeps bytes and the order of calls; its buffer is small, so that bytes come in pieces."""

    def __init__(self, room: int = 3) -> None:
        # a view, not the bytearray: asyncio's TLS slices what it gets, and a slice of a bytearray is a copy
        self.room = memoryview(bytearray(room))
        self.got = b""
        self.calls: list[str] = []
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.calls.append("made")

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.room

    def buffer_updated(self, nbytes: int) -> None:
        self.calls.append("data")
        self.got += self.room[:nbytes]

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(exc)
