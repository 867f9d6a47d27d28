"""The streaming server's requests: tokens, upgrades, and the answers to what is none."""

from __future__ import annotations

import asyncio

import pytest

from fairlead.lab.cri.errors import CallError, Code
from fairlead.lab.cri.http import HEAD_TIMEOUT
from fairlead.lab.cri.tokens import LIFETIME, MOST
from fairlead.protocol.portforward import PROTOCOL_NAME, Outcome
from tests.support.cri import HOST, UPGRADE, Boxes, Runtime, echo, exchange, runtime, serving, spdy
from tests.support.loop import LOOPS, now, run, run_on, run_virtual

VERSION = ("X-Stream-Protocol-Version", PROTOCOL_NAME)
WEBSOCKET = (
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
)

Headers = tuple[tuple[str, str], ...]

ANSWERS: dict[str, tuple[str, str, Headers, int, str]] = {
    "no version": ("POST", "", UPGRADE, 400, "unable to upgrade: X-Stream-Protocol-Version is required"),
    "empty version": (
        "POST", "", (*UPGRADE, ("X-Stream-Protocol-Version", "")), 400,
        "unable to upgrade: X-Stream-Protocol-Version is required",
    ),
    "other version": (
        "POST", "", (*UPGRADE, ("X-Stream-Protocol-Version", "v9, v8")), 403,
        "unable to upgrade: unable to negotiate protocol: client supports [v9 v8], "
        "server accepts [portforward.k8s.io]",
    ),
    "no upgrade": ("POST", "", (VERSION,), 400, "unable to upgrade: missing upgrade headers in request"),
    "other upgrade": (
        "POST", "", (("Connection", "Upgrade"), ("Upgrade", "h2c"), VERSION), 400,
        "unable to upgrade: missing upgrade headers in request",
    ),
    "put": ("PUT", "", (*UPGRADE, VERSION), 405, "405: Method Not Allowed"),
    "websocket without a port": ("GET", "", WEBSOCKET, 400, 'query parameter "port" is required'),
    "websocket with a bad port": ("GET", "?port=80,x", WEBSOCKET, 400, 'unable to parse "x" as a port'),
    "websocket of an old version": (
        "GET", "?port=80", (*WEBSOCKET[:2], ("Sec-WebSocket-Version", "8")), 400,
        "unable to upgrade: only WebSocket version 13 is known",
    ),
    "websocket without a key": (
        "GET", "?port=80", WEBSOCKET[:3], 400, "unable to upgrade: Sec-WebSocket-Key is missing or has a wrong length",
    ),
    "websocket of another protocol": (
        "GET", "?port=80", (*WEBSOCKET, ("Sec-WebSocket-Protocol", "v9.channel.k8s.io")), 403,
        "unable to upgrade: none of the subprotocols is known: v9.channel.k8s.io",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ANSWERS)
def test_what_is_no_upgrade_gets_a_text(case: str) -> None:
    method, query, headers, status, text = ANSWERS[case]

    async def main() -> None:
        async with runtime() as made:
            answered = await exchange(await made.service.port_forward(HOST.id), headers, method=method, query=query)
            assert (answered.status, (await answered.body()).strip()) == (status, text)
            if status == 403 and "negotiate" in text:
                assert answered.values("x-accepted-stream-protocol-versions") == [PROTOCOL_NAME]
            if "version 13" in text:
                assert answered.values("sec-websocket-version") == ["13"]
            await answered.close()

    run(main())


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "headers",
    [
        (*UPGRADE, VERSION),
        (("connection", "keep-alive, UPGRADE"), ("upgrade", "spdy/3.1"), VERSION),
        (*UPGRADE, ("X-Stream-Protocol-Version", "v9"), VERSION),
        (*UPGRADE, ("X-Stream-Protocol-Version", f"v9,{PROTOCOL_NAME}")),
    ],
    ids=["plain", "case", "two headers", "a list"],
)
def test_the_answer_to_an_upgrade(method: str, headers: Headers) -> None:
    async def main() -> None:
        async with runtime() as made:
            answered = await exchange(await made.service.port_forward(HOST.id), headers, method=method)
            assert answered.status == 101
            expected = {"connection": "Upgrade", "upgrade": "SPDY/3.1", "x-stream-protocol-version": PROTOCOL_NAME}
            assert dict(answered.headers) == expected
            await answered.close()

    run(main())


def test_a_token_is_for_one_request_of_its_kind() -> None:
    """Item 28 of the facts: spent by its first request, whatever becomes of that."""

    async def main() -> None:
        async with runtime() as made:
            url = await made.service.port_forward(HOST.id)
            for target in (url.replace("portforward", "exec"), url, url + "x", url[: url.rindex("/")], "/"):
                whole = target if target.startswith("http") else url[: url.index("/", 8)] + target
                answered = await exchange(whole, (*UPGRADE, VERSION))
                assert answered.status == 404
                await answered.close()

    run(main())


def test_a_token_lasts_a_minute() -> None:
    async def main() -> None:
        async with runtime() as made:
            first, second = await made.service.port_forward(HOST.id), await made.service.port_forward(HOST.id)
            await asyncio.sleep(LIFETIME - 1)
            in_time = await exchange(first, (*UPGRADE, VERSION))
            await asyncio.sleep(2)
            late = await exchange(second, (*UPGRADE, VERSION))
            assert (in_time.status, late.status) == (101, 404)
            await in_time.close()
            await late.close()

    run_virtual(main())


def test_too_many_tokens() -> None:
    async def main() -> None:
        async with runtime() as made:
            for _ in range(MOST):
                await made.service.port_forward(HOST.id)
            with pytest.raises(CallError, match="maximum number of in-flight requests exceeded") as caught:
                await made.service.port_forward(HOST.id)
            assert caught.value.code == Code.RESOURCE_EXHAUSTED

    run(main())


def test_a_connection_may_ask_again() -> None:
    async def main() -> None:
        async with runtime() as made:
            url = await made.service.port_forward(HOST.id)
            answered = await exchange(url + "x", ())
            assert answered.status == 404
            await answered.body()
            path = url[url.index("/", 8) :]
            head = "".join(f"{name}: {value}\r\n" for name, value in (*UPGRADE, VERSION))
            answered.writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n{head}\r\nabc".encode())
            assert (await answered.reader.readline()).startswith(b"HTTP/1.1 101")
            await answered.close()

    run(main())


@pytest.mark.parametrize(
    "sent", [b"\0\0\0\0\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: " + b"x" * 70000]
)
def test_nonsense_gets_an_error_and_an_end(sent: bytes) -> None:
    async def main() -> None:
        async with runtime() as made:
            url = await made.service.port_forward(HOST.id)
            reader, writer = await asyncio.open_connection("127.0.0.1", int(url.split(":")[2].split("/")[0]))
            writer.write(sent)
            answer = await reader.read(-1)
            assert answer.startswith(b"HTTP/1.1 4")
            writer.close()

    run(main())


def test_who_asks_nothing_is_let_go() -> None:
    async def main() -> None:
        async with runtime() as made:
            url = await made.service.port_forward(HOST.id)
            reader, writer = await asyncio.open_connection("127.0.0.1", int(url.split(":")[2].split("/")[0]))
            begin = now()
            assert await reader.read(-1) == b""
            assert now() - begin == pytest.approx(HEAD_TIMEOUT, abs=1)
            writer.close()

    run_virtual(main())


@pytest.mark.parametrize("loop", LOOPS)
def test_bytes_glued_to_the_request_are_the_first_of_the_session(loop: str) -> None:
    async def glued(made: Runtime, port: int) -> None:
        async with spdy(await made.service.port_forward(HOST.id)) as first:
            log = first.forward(port, b"x", eof=True)
            assert await log.end() == (Outcome.CLEAN, b"x", "")
        url = await made.service.port_forward(HOST.id)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.split(":")[2].split("/")[0]))
        head = "".join(f"{name}: {value}\r\n" for name, value in (*UPGRADE, VERSION))
        ping = bytes.fromhex("80030006 00000004 00000001")
        writer.write(f"POST {url[url.index('/', 8) :]} HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode() + ping)
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(len(ping)) == ping
        writer.close()

    async def main() -> None:
        async with runtime() as made, serving(echo) as port:
            await glued(made, port)

    run_on(loop, main())


@pytest.mark.parametrize(
    ("sandbox_id", "code", "text"),
    [
        ("", Code.INVALID_ARGUMENT, "missing required pod_sandbox_id"),
        ("0" * 64, Code.NOT_FOUND, f'failed to find sandbox "{"0" * 64}": not found'),
        ("1" * 64, Code.UNKNOWN, "sandbox container is not running"),
    ],
)
def test_what_is_not_granted(sandbox_id: str, code: Code, text: str) -> None:
    ended = HOST.__class__("1" * 64, 1, "", ready=False)

    async def main() -> None:
        async with runtime(boxes=Boxes([HOST, ended])) as made:
            with pytest.raises(CallError) as caught:
                await made.service.port_forward(sandbox_id)
            assert (caught.value.code, caught.value.what) == (code, text)

    run(main())
