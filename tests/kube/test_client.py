"""The client against real loopback servers: what it asks, with which credentials, and what it makes of answers."""

from __future__ import annotations

import asyncio

import pytest

from fairlead.errors import (
    ApiError,
    ConfigError,
    CredentialsError,
    ForbiddenError,
    GoneError,
    NotFoundError,
    ProtocolError,
)
from fairlead.kube.client import ApiServer
from fairlead.policy.kubeconfig import User
from tests.support.apiserver import Answer, Exchange, ScriptedServer, raw, scripted, status
from tests.support.clusters import Passwords, config_for
from tests.support.loop import run

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
    async def main() -> None:
        chunks = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n3\r\n:1}\r\n0\r\n\r\n'
        async with ScriptedServer(raw(chunks)) as server, ApiServer(config_for(server)) as api:
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
