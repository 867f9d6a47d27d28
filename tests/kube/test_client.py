"""The client against real loopback servers: what it asks, what it makes of answers, and what it leaves behind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fairlead.errors import (
    ApiError,
    ConfigError,
    CredentialsError,
    ForbiddenError,
    GoneError,
    NotFoundError,
    ProtocolError,
    UnreachableError,
)
from fairlead.kube.auth import Identity
from fairlead.kube.client import ApiServer
from fairlead.kube.tls import ClientCertificate
from fairlead.policy.kubeconfig import User
from tests.support.apiserver import Answer, Exchange, ScriptedServer, status
from tests.support.clusters import config_for
from tests.support.loop import run
from tests.support.tlsfiles import certificates

POD = "/api/v1/namespaces/a/pods/x"


class NoWait:
    """A clock whose waits end at once and are kept."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def now(self) -> float:
        return sum(self.waits)

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0)


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


def scripted(*answers: Answer) -> Callable[[Exchange], Awaitable[Answer]]:
    """A handler that gives one answer after the other; the last one stays."""
    left = list(answers)

    async def handler(exchange: Exchange) -> Answer:
        return left.pop(0) if len(left) > 1 else left[0]

    return handler


def test_get_and_keep_alive() -> None:
    async def main() -> None:
        handler = scripted(Answer(body={"kind": "Pod"}))
        async with ScriptedServer(handler) as server, ApiServer(config_for(server, User(token="t0ken"))) as api:
            assert await api.get(POD) == {"kind": "Pod"}
            await api.get("/api/v1/pods", [("labelSelector", "app=a,tier in (b)")])
        assert [seen.target for seen in server.seen] == [
            POD,
            "/api/v1/pods?labelSelector=app%3Da%2Ctier%20in%20%28b%29",
        ]
        first = server.seen[0]
        assert first.get("authorization") == "Bearer t0ken"
        assert str(first.get("user-agent")).startswith("fairlead/")
        assert first.get("accept") == "application/json"
        assert first.get("host") == f"127.0.0.1:{server.port}"
        assert server.connections == 1

    run(main())


def test_post_sends_its_body() -> None:
    async def main() -> None:
        handler = scripted(Answer(201, {"kind": "Lease"}))
        async with ScriptedServer(handler) as server, ApiServer(config_for(server)) as api:
            await api.request("POST", "/apis/x/v1/leases", body=b'{"a":1}')
            await api.request("PATCH", "/apis/x/v1/leases/y", body=b"{}", content_type="application/merge-patch+json")
        assert [(seen.method, seen.body, seen.get("content-type")) for seen in server.seen] == [
            ("POST", b'{"a":1}', "application/json"),
            ("PATCH", b"{}", "application/merge-patch+json"),
        ]
        assert server.connections == 2  # what may not be sent twice is never sent on a connection that may be dead

    run(main())


def test_an_answer_in_chunks_is_one_object() -> None:
    async def handler(exchange: Exchange) -> None:
        exchange.writer.write(
            b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n3\r\n:1}\r\n0\r\n\r\n'
        )
        await exchange.writer.drain()

    async def main() -> None:
        async with ScriptedServer(handler) as server, ApiServer(config_for(server)) as api:
            assert await api.get(POD) == {"a": 1}

    run(main())


def test_401_refreshes_once_and_says_what_to_do() -> None:
    async def handler(exchange: Exchange) -> Answer:
        if exchange.seen.get("authorization") == "Bearer new":
            return Answer(body={"kind": "Pod"})
        return status(401, "Unauthorized", "Unauthorized")

    async def main() -> None:
        async with ScriptedServer(handler) as server:
            good = Passwords("old", "new")
            async with ApiServer(config_for(server), identity=good) as api:
                assert await api.get(POD) == {"kind": "Pod"}
            assert good.refused == ["Bearer old"]
            async with ApiServer(config_for(server), identity=Passwords("old", "older", "new")) as api:
                with pytest.raises(CredentialsError, match=r"does not accept our credentials \(log in again\)"):
                    await api.get(POD)
            assert len(server.seen) == 4

    run(main())


def test_401_with_a_token_of_the_kubeconfig_is_asked_once() -> None:
    async def main() -> None:
        async with (
            ScriptedServer(scripted(status(401, "Unauthorized"))) as server,
            ApiServer(config_for(server, User(token="t"))) as api,
        ):
            with pytest.raises(CredentialsError, match='the token of user "ada" may have expired'):
                await api.get(POD)
        assert len(server.seen) == 1

    run(main())


@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_is_honoured(code: int) -> None:
    async def main() -> None:
        clock = NoWait()
        busy = Answer(code, headers=(("Retry-After", "7"),))
        handler = scripted(busy, busy, Answer(body={"kind": "Pod"}))
        async with ScriptedServer(handler) as server, ApiServer(config_for(server), clock=clock) as api:
            assert await api.get(POD) == {"kind": "Pod"}
        assert clock.waits == [7, 7]
        assert server.connections == 1

    run(main())


def test_retry_after_is_bounded() -> None:
    async def main() -> None:
        clock = NoWait()
        busy = status(429, "too many requests", "TooManyRequests")
        handler = scripted(Answer(busy.status, busy.body, (("Retry-After", "20"),)))
        async with ScriptedServer(handler) as server, ApiServer(config_for(server), clock=clock) as api:
            with pytest.raises(ApiError, match="too many requests") as caught:
                await api.get(POD)
        assert clock.waits == [20]
        assert (caught.value.code, caught.value.retry_after) == (429, 20)

    run(main())


def test_retry_after_zero_is_no_busy_loop() -> None:
    async def main() -> None:
        clock = NoWait()
        handler = scripted(Answer(503, headers=(("Retry-After", "0"),)))
        async with ScriptedServer(handler) as server, ApiServer(config_for(server), clock=clock) as api:
            with pytest.raises(ApiError):
                await api.get(POD)
        assert clock.waits == [1.0] * 30

    run(main())


def test_busy_without_retry_after_is_an_error() -> None:
    async def main() -> None:
        clock = NoWait()
        handler = scripted(Answer(503, b"upstream is down"))
        async with ScriptedServer(handler) as server, ApiServer(config_for(server), clock=clock) as api:
            with pytest.raises(ApiError, match="upstream is down"):
                await api.get(POD)
        assert clock.waits == []

    run(main())


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (status(403, 'pods "x" is forbidden: User "u" cannot get', "Forbidden"), ForbiddenError, "get pods"),
        (status(404, 'pods "x" not found', "NotFound"), NotFoundError, 'pods "x" not found'),
        (Answer(404, b"404 page not found\n"), NotFoundError, "nothing at /api/v1"),
        (status(410, "too old resource version", "Expired"), GoneError, "too old"),
        (status(500, "etcd is gone", "InternalError"), ApiError, "etcd is gone"),
        (Answer(302, b"", (("Location", "https://login.example.test"),)), ApiError, "302"),
        (Answer(200, b"<html>login</html>"), ApiError, "is not a Kubernetes API server"),
        (Answer(200, b"login"), ProtocolError, "not JSON: login"),
        (Answer(200, []), ProtocolError, "no object"),
    ],
)
def test_answers_become_typed_errors(answer: Answer, kind: type[Exception], text: str) -> None:
    async def main() -> None:
        async with ScriptedServer(scripted(answer)) as server, ApiServer(config_for(server)) as api:
            with pytest.raises(kind, match=text) as caught:
                await api.get(POD)
            assert type(caught.value) is kind

    run(main())


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
    async def handler(exchange: Exchange) -> None:
        exchange.writer.write(part)
        await exchange.writer.drain()
        exchange.writer.close()

    async def main() -> None:
        async with ScriptedServer(handler) as server, ApiServer(config_for(server)) as api:
            with pytest.raises(UnreachableError, match="in the middle of its answer"):
                await api.get(POD)

    run(main())


def test_what_is_not_http_is_an_error() -> None:
    async def handler(exchange: Exchange) -> None:
        exchange.writer.write(b"SSH-2.0-OpenSSH_9\r\n\r\n")
        await exchange.writer.drain()

    async def main() -> None:
        async with ScriptedServer(handler) as server, ApiServer(config_for(server)) as api:
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
    async def handler(exchange: Exchange) -> None:
        await exchange.reader.read()

    async def main() -> None:
        async with ScriptedServer(handler) as server, ApiServer(config_for(server, request_timeout=0.05)) as api:
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
    async def handler(exchange: Exchange) -> None:
        await exchange.reader.read()

    async def main() -> None:
        async with ScriptedServer(handler) as server, ApiServer(config_for(server), identity=Passwords()) as api:
            with pytest.raises(UnreachableError, match=r"did not answer within 0\.05 s"):
                await api.answers(0.05)
            assert server.seen[0].get("Authorization") is None, "nobody is asked for credentials"

    run(main())


def test_who_wants_to_know_is_told_what_was_not_answered() -> None:
    told: list[str] = []

    async def handler(exchange: Exchange) -> None:
        await exchange.reader.read()

    async def main() -> None:
        async with ScriptedServer(handler) as server, ApiServer(config_for(server, request_timeout=0.05)) as api:
            api.on_unreachable = told.append
            with pytest.raises(UnreachableError):
                await api.get(POD)
            assert len(told) == 1
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


def test_secrets_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        user = User(token="s3cret-token")
        async with ScriptedServer(scripted(Answer())) as server, ApiServer(config_for(server, user)) as api:
            await api.get(POD)

    caplog.set_level(1)
    run(main())
    assert "Authorization: (hidden)" in caplog.text
    assert "s3cret" not in caplog.text


def test_header_with_a_line_break_is_refused_before_it_is_sent() -> None:
    async def main() -> None:
        user = User(as_user="a\r\nX-Other: b")
        async with ScriptedServer(scripted(Answer())) as server, ApiServer(config_for(server, user)) as api:
            with pytest.raises(ConfigError, match="cannot be sent"):
                await api.get(POD)
        assert server.seen == []

    run(main())


# Streams of lines


def events(*objects: Any) -> bytes:
    lines = b"".join(json.dumps(item).encode() + b"\n" for item in objects)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"%x\r\n%s\r\n" % (len(lines), lines)


def test_lines_of_a_watch() -> None:
    async def handler(exchange: Exchange) -> Answer | None:
        if "watch" not in exchange.seen.target:
            return Answer()
        exchange.writer.write(events({"a": 1}, {"b": 2}))
        await exchange.writer.drain()
        exchange.writer.write(b'6\r\n{"c":3\r\n')
        await exchange.writer.drain()
        exchange.writer.write(b"2\r\n}\n\r\n0\r\n\r\n")
        await exchange.writer.drain()
        # the connection goes on: the stream ended as it should
        exchange.writer.write((await server.again(exchange)).encode())
        return None

    class Again(ScriptedServer):
        async def again(self, exchange: Exchange) -> Answer:
            await exchange.reader.readuntil(b"\r\n\r\n")
            return Answer(body={"same": "connection"})

    server = Again(handler)

    async def main() -> None:
        async with server, ApiServer(config_for(server)) as api:
            async with api.lines("/api/v1/pods", [("watch", "true")]) as lines:
                assert [json.loads(line) async for line in lines] == [{"a": 1}, {"b": 2}, {"c": 3}]
            assert await api.get(POD) == {"same": "connection"}
        assert server.connections == 1

    run(main())


def test_lines_left_early_close_the_connection() -> None:
    async def handler(exchange: Exchange) -> None:
        exchange.writer.write(events({"a": 1}))
        assert await exchange.reader.read() == b""

    async def main() -> None:
        async with ScriptedServer(handler) as server, ApiServer(config_for(server)) as api:
            async with api.lines("/api/v1/pods") as lines:
                assert await anext(lines) == b'{"a": 1}'
            await server.idle.wait()

    run(main())


def test_a_line_is_bounded() -> None:
    async def handler(exchange: Exchange) -> None:
        exchange.writer.write(events({"a": "x" * 2000}))
        await exchange.reader.read()

    async def main() -> None:
        async with (
            ScriptedServer(handler) as server,
            ApiServer(config_for(server)) as api,
            api.lines("/api/v1/pods", limit=1000) as lines,
        ):
            with pytest.raises(ProtocolError, match="longer than 1000 bytes"):
                await anext(lines)

    run(main())


def test_a_stream_that_breaks_off_is_an_error() -> None:
    async def handler(exchange: Exchange) -> None:
        exchange.writer.write(events({"a": 1}))
        await exchange.writer.drain()

    async def main() -> None:
        async with (
            ScriptedServer(handler) as server,
            ApiServer(config_for(server)) as api,
            api.lines("/api/v1/pods") as lines,
        ):
            await anext(lines)
            with pytest.raises(UnreachableError, match="in the middle"):
                await anext(lines)

    run(main())


def test_a_forbidden_watch_names_the_verb() -> None:
    async def main() -> None:
        handler = scripted(status(403, 'pods is forbidden: User "u" cannot watch resource "pods"', "Forbidden"))
        async with ScriptedServer(handler) as server, ApiServer(config_for(server)) as api:
            with pytest.raises(ForbiddenError, match='watch pods in namespace "a"') as caught:
                async with api.lines("/api/v1/namespaces/a/pods", [("watch", "true")]):
                    pass
            assert "kubectl auth can-i watch pods -n a" in caught.value.remedy

    run(main())
