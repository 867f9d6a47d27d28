"""The connections of the client: kept, broken, silent, and what it leaves behind."""

from __future__ import annotations

import asyncio

import pytest

from fairlead.errors import UnreachableError
from fairlead.kube.auth import Identity
from fairlead.kube.client import ApiServer
from fairlead.kube.tls import ClientCertificate
from tests.support.apiserver import Answer, Exchange, ScriptedServer, raw, scripted, silent
from tests.support.clusters import Passwords, config_for
from tests.support.loop import run
from tests.support.tlsfiles import certificates

POD = "/api/v1/namespaces/a/pods/x"


def test_stale_connection_is_replaced_in_silence() -> None:
    """The server closes a kept connection while the next request is on its way."""

    async def handler(exchange: Exchange) -> Answer | None:
        if exchange.seen.connection == 1 and len(server.seen) == 2:
            exchange.writer.transport.abort()
            return None
        return Answer(body={"n": exchange.seen.connection})

    server = ScriptedServer(handler)

    async def main() -> None:
        async with server, ApiServer(config_for(server)) as api:
            assert await api.get(POD) == {"n": 1}
            assert await api.get(POD) == {"n": 2}
        assert server.connections == 2

    run(main())


def test_connection_that_ended_while_idle_is_not_used() -> None:
    async def main() -> None:
        handler = scripted(Answer(close=True))
        async with ScriptedServer(handler) as server, ApiServer(config_for(server)) as api:
            for _ in range(3):
                await api.get(POD)
        assert server.connections == 3

    run(main())


def test_fresh_connection_without_an_answer_is_an_error() -> None:
    async def handler(exchange: Exchange) -> None:
        exchange.writer.transport.abort()

    async def main() -> None:
        async with ScriptedServer(handler) as server, ApiServer(config_for(server)) as api:
            with pytest.raises(UnreachableError, match="closed the connection without an answer"):
                await api.get(POD)
        assert server.connections == 1

    run(main())


@pytest.mark.parametrize("part", [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", b"HTTP/1.1 200 OK\r\nConte"])
def test_answer_cut_short_is_an_error(part: bytes) -> None:
    async def main() -> None:
        async with ScriptedServer(raw(part, close=True)) as server, ApiServer(config_for(server)) as api:
            with pytest.raises(UnreachableError, match="in the middle of its answer"):
                await api.get(POD)

    run(main())


def test_what_is_not_http_is_an_error() -> None:
    async def main() -> None:
        async with ScriptedServer(raw(b"SSH-2.0-OpenSSH_9\r\n\r\n")) as server, ApiServer(config_for(server)) as api:
            with pytest.raises(UnreachableError, match="does not speak HTTP"):
                await api.get(POD)

    run(main())


def test_after_an_outage_a_kept_connection_is_not_trusted() -> None:
    """A NAT that was restarted drops what comes on it in silence."""

    async def main() -> None:
        async with ScriptedServer(scripted(Answer())) as server, ApiServer(config_for(server)) as api:
            await api.get(POD)
            api.forget_connections()
            await api.get(POD)
            assert server.connections == 2

    run(main())


def test_a_request_that_is_not_answered_in_time_fails() -> None:
    async def main() -> None:
        async with ScriptedServer(silent) as server, ApiServer(config_for(server, request_timeout=0.05)) as api:
            with pytest.raises(UnreachableError, match=r"did not answer within 0\.05 s"):
                await api.get(POD)

    run(main())


@pytest.mark.parametrize("answer", [Answer(), Answer(401), Answer(403), Answer(429), Answer(503, b"busy")])
def test_any_answer_shows_a_server_that_answers(answer: Answer) -> None:
    async def main() -> None:
        async with (
            ScriptedServer(scripted(Answer(), answer)) as server,
            ApiServer(config_for(server), identity=Passwords("t")) as api,
        ):
            await api.get(POD)
            await api.answers(5)
            assert [seen.target for seen in server.seen] == [POD, "/version"]
            assert server.connections == 2, "a kept connection says nothing about the server"
            assert server.seen[1].get("Authorization") == "Bearer t"

    run(main())


def test_no_answer_within_the_time() -> None:
    async def main() -> None:
        async with ScriptedServer(silent) as server, ApiServer(config_for(server), identity=Passwords()) as api:
            with pytest.raises(UnreachableError, match=r"did not answer within 0\.05 s"):
                await api.answers(0.05)
            assert server.seen[0].get("Authorization") is None, "nobody is asked for credentials"

    run(main())


def test_who_wants_to_know_is_told_what_was_not_answered() -> None:
    told: list[float | None] = []

    async def main() -> None:
        async with ScriptedServer(silent) as server, ApiServer(config_for(server, request_timeout=0.05)) as api:
            api.on_unreachable = lambda reason, since: told.append(since)
            began = asyncio.get_running_loop().time()
            with pytest.raises(UnreachableError):
                await api.get(POD)
            assert told[0] == pytest.approx(began, abs=0.04), "it says nothing since it was asked"
            with pytest.raises(UnreachableError):
                await api.answers(0.05)
            assert len(told) == 1, "who asks that knows it"

    run(main())


def test_cancelled_request_leaves_nothing() -> None:
    """The fixture of all tests looks for sockets and tasks."""
    arrived = asyncio.Event()

    async def handler(exchange: Exchange) -> None:
        arrived.set()
        await exchange.reader.read()

    async def main() -> None:
        async with ScriptedServer(handler) as server, ApiServer(config_for(server)) as api:
            with pytest.raises(ExceptionGroup):
                async with asyncio.TaskGroup() as group:
                    group.create_task(api.get(POD), name="get")
                    await arrived.wait()
                    raise KeyError("enough")
            await server.idle.wait()

    run(main())


def test_requests_at_the_same_time_have_connections_of_their_own() -> None:
    gate = asyncio.Event()

    async def handler(exchange: Exchange) -> Answer:
        if len(server.seen) == 6:
            gate.set()
        await gate.wait()
        return Answer()

    server = ScriptedServer(handler)

    async def main() -> None:
        async with server, ApiServer(config_for(server)) as api:
            await asyncio.gather(*(api.get(POD) for _ in range(6)))
            assert server.connections == 6
            await asyncio.gather(*(api.get(POD) for _ in range(4)))
            assert server.connections == 6  # four were kept

    run(main())


def test_new_certificate_means_new_connection() -> None:
    pairs = [ClientCertificate(pair.chain, pair.key) for pair in (certificates().client, certificates().other_client)]

    class Rotating:
        remedy = ""

        async def identity(self) -> Identity:
            return Identity(certificate=pairs[0])

        async def refresh(self, refused: Identity) -> bool:
            return False

    async def main() -> None:
        async with (
            ScriptedServer(scripted(Answer())) as server,
            ApiServer(config_for(server), identity=Rotating()) as api,
        ):
            await api.get(POD)
            await api.get(POD)
            pairs.pop(0)
            await api.get(POD)
        assert [(seen.client, seen.connection) for seen in server.seen] == [("ada", 1), ("ada", 1), ("grace", 2)]

    run(main())
