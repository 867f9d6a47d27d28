"""Streams of lines that the client reads, as a watch is one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fairlead.errors import ForbiddenError, ProtocolError, UnreachableError
from fairlead.kube.client import ApiServer
from tests.support.apiserver import Answer, Exchange, ScriptedServer, raw, scripted, status
from tests.support.clusters import config_for
from tests.support.loop import run

POD = "/api/v1/namespaces/a/pods/x"


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
    async def main() -> None:
        async with (
            ScriptedServer(raw(events({"a": 1}))) as server,
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
