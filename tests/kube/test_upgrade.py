"""From a 101 to the new protocol, and every answer that is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from fairlead.errors import (
    ApiError,
    CredentialsError,
    FairleadError,
    ForbiddenError,
    NotFoundError,
    ProtocolError,
    UnreachableError,
)
from fairlead.kube.auth import Identity
from fairlead.kube.client import ApiServer
from fairlead.kube.upgrade import UpgradeResponse
from fairlead.policy.kubeconfig import User
from tests.support.apiserver import Answer, Exchange, ScriptedServer, scripted, silent, status
from tests.support.clusters import Collector, config_for
from tests.support.loop import run

PATH = "/api/v1/namespaces/a/pods/x/portforward"
HEADERS = [("Connection", "Upgrade"), ("Upgrade", "SPDY/3.1"), ("X-Stream-Protocol-Version", "portforward.k8s.io")]
SWITCH = b"HTTP/1.1 101 Switch\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream: a\r\nX-Stream: b\r\n\r\n"


def collect(made: list[Collector], responses: list[UpgradeResponse]) -> Callable[[UpgradeResponse], Collector]:
    def make(response: UpgradeResponse) -> Collector:
        responses.append(response)
        made.append(Collector())
        return made[-1]

    return make


@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize("glued", [b"", b"glued bytes", bytes(200_000)])
def test_bytes_behind_the_101_are_delivered(glued: bytes, tls: bool) -> None:
    async def handler(exchange: Exchange) -> None:
        exchange.writer.write(SWITCH + glued)
        exchange.writer.write(await exchange.reader.readexactly(4))
        await exchange.writer.drain()
        exchange.writer.close()

    async def main() -> None:
        made: list[Collector] = []
        responses: list[UpgradeResponse] = []
        user = User(token="t", as_user="bob")
        async with ScriptedServer(handler, tls=tls) as server, ApiServer(config_for(server, user)) as api:
            transport = await api.upgrade("POST", PATH, HEADERS, collect(made, responses))
            assert made[0].calls[0] == "made"
            transport.write(b"ping")
            assert await made[0].lost is None
            assert made[0].got == glued + b"ping"
        assert responses[0].get("x-stream") == "a"
        assert responses[0].get_all("X-Stream") == ("a", "b")
        assert responses[0].get("missing") is None
        seen = server.seen[0]
        assert (seen.get("content-length"), seen.get("impersonate-user")) == ("0", "bob")
        assert seen.get("upgrade") == "SPDY/3.1"

    run(main())


def test_head_byte_by_byte() -> None:
    async def handler(exchange: Exchange) -> None:
        for byte in SWITCH + b"tail":
            exchange.writer.write(bytes([byte]))
            await exchange.writer.drain()
        exchange.writer.close()

    async def main() -> None:
        made: list[Collector] = []
        async with ScriptedServer(handler, tls=False) as server, ApiServer(config_for(server)) as api:
            await api.upgrade("GET", PATH, HEADERS, collect(made, []))
            assert await made[0].lost is None
            assert made[0].got == b"tail"
        assert server.seen[0].get("content-length") is None

    run(main())


def test_upgraded_connection_outlives_the_client() -> None:
    async def handler(exchange: Exchange) -> None:
        exchange.writer.write(SWITCH)
        exchange.writer.write(await exchange.reader.readexactly(4))
        await exchange.writer.drain()
        exchange.writer.close()

    async def main() -> None:
        made: list[Collector] = []
        async with ScriptedServer(handler) as server:
            async with ApiServer(config_for(server)) as api:
                transport = await api.upgrade("POST", PATH, HEADERS, collect(made, []))
            transport.write(b"late")
            assert await made[0].lost is None
            assert made[0].got == b"late"

    run(main())


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (status(404, 'pods "x" not found', "NotFound"), NotFoundError, '^pods "x" not found$'),
        (status(403, "no", "Forbidden"), ForbiddenError, 'create pods/portforward "x" in namespace "a": no'),
        (status(401, "Unauthorized"), CredentialsError, "does not accept our credentials"),
        (Answer(400, b"unable to upgrade: bad\n"), ApiError, "unable to upgrade connection: unable to upgrade: bad"),
        (Answer(200, b""), ApiError, "something on the way dropped the upgrade"),
        (Answer(502, b"<html>bad gateway</html>"), ApiError, "unable to upgrade connection: <html>bad gateway</html>"),
    ],
)
def test_other_answers_are_typed_errors(answer: Answer, kind: type[FairleadError], text: str) -> None:
    async def main() -> None:
        made: list[Collector] = []
        async with ScriptedServer(scripted(answer)) as server, ApiServer(config_for(server)) as api:
            with pytest.raises(kind, match=text) as caught:
                await api.upgrade("POST", PATH, HEADERS, collect(made, []))
            assert type(caught.value) is kind
        assert made == []

    run(main())


def test_a_refused_upgrade_refreshes_the_credentials_once() -> None:
    class Two:
        remedy = ""
        token = "old"

        async def identity(self) -> Identity:
            return Identity(f"Bearer {self.token}")

        async def refresh(self, refused: Identity) -> bool:
            self.token = "new"
            return True

    async def handler(exchange: Exchange) -> Answer | None:
        if exchange.seen.get("authorization") == "Bearer old":
            return status(401, "Unauthorized")
        exchange.writer.write(SWITCH)
        await exchange.reader.readexactly(1)
        exchange.writer.close()
        return None

    async def main() -> None:
        made: list[Collector] = []
        async with ScriptedServer(handler) as server, ApiServer(config_for(server), identity=Two()) as api:
            transport = await api.upgrade("POST", PATH, HEADERS, collect(made, []))
            transport.write(b"x")
            assert await made[0].lost is None

    run(main())


def test_an_upgrade_that_is_not_as_wanted_is_hung_up() -> None:
    async def handler(exchange: Exchange) -> None:
        exchange.writer.write(SWITCH)
        assert await exchange.reader.read() == b""

    def make(response: UpgradeResponse) -> asyncio.BufferedProtocol:
        raise ProtocolError("no version")

    async def main() -> None:
        async with ScriptedServer(handler) as server, ApiServer(config_for(server)) as api:
            with pytest.raises(ProtocolError, match="no version"):
                await api.upgrade("POST", PATH, HEADERS, make)
            await server.idle.wait()

    run(main())


def test_an_upgrade_that_is_not_answered_in_time_fails() -> None:
    async def main() -> None:
        async with ScriptedServer(silent) as server, ApiServer(config_for(server)) as api:
            with pytest.raises(UnreachableError, match=r"within 0\.05 s"):
                await api.upgrade("POST", PATH, HEADERS, collect([], []), timeout=0.05)

    run(main())


def test_end_with_the_101() -> None:
    """The server is gone before the protocol is there to hear of it."""

    async def handler(exchange: Exchange) -> None:
        exchange.writer.write(SWITCH)
        exchange.writer.close()

    async def main() -> None:
        made: list[Collector] = []
        async with ScriptedServer(handler, tls=False) as server, ApiServer(config_for(server)) as api:
            try:
                await api.upgrade("POST", PATH, HEADERS, collect(made, []))
            except UnreachableError:
                return
            assert await made[0].lost is None

    run(main())
