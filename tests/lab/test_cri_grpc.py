"""gRPC: two engines back to back, and the service and its client on a Unix socket."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import h2.config
import h2.connection
import pytest

from fairlead.errors import ProtocolError, UnreachableError
from fairlead.lab.cri import messages
from fairlead.lab.cri.errors import CallError, Code
from fairlead.lab.cri.grpc import MOST_MESSAGE, GrpcClient, GrpcServer, parse_timeout
from fairlead.lab.cri.grpc_client import CriClient
from fairlead.lab.cri.grpc_server import CriServer
from fairlead.lab.cri.protobuf import Field, Kind
from fairlead.lab.cri.sandboxes import Sandbox
from fairlead.lab.cri.tokens import MOST
from fairlead.protocol.portforward import Outcome
from tests.support.cri import HOST, Boxes, Runtime, echo, runtime, serving, spdy
from tests.support.engines import pieces
from tests.support.localprocess import LocalContainers
from tests.support.loop import LOOPS, run, run_on

METHOD = "/runtime.v1.RuntimeService/Test"


class Both:
    """A client and a server, and what they were told."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, str, bytes, float | None]] = []
        self.cancelled: list[int] = []
        self.answers: dict[int, bytes] = {}
        self.failures: dict[int, tuple[int, str]] = {}
        self.server = GrpcServer(self)
        self.client = GrpcClient(self)
        self.serve: Callable[[int, bytes], None] = lambda stream, message: None

    def on_call(self, stream: int, path: str, message: bytes, timeout: float | None) -> None:
        self.calls.append((stream, path, message, timeout))
        self.serve(stream, message)

    def on_cancel(self, stream: int) -> None:
        self.cancelled.append(stream)

    def on_answer(self, stream: int, message: bytes) -> None:
        self.answers[stream] = message

    def on_failure(self, stream: int, code: int, text: str) -> None:
        self.failures[stream] = (code, text)

    def settle(self, size: int = 0) -> None:
        for _ in range(10_000):
            up, down = self.client.take_outgoing(), self.server.take_outgoing()
            for piece in pieces(up, size):
                self.server.receive(piece)
            for piece in pieces(down, size):
                self.client.receive(piece)
            if not (up or down):
                return
        raise AssertionError("the two never stop talking")


@pytest.mark.parametrize("size", [0, 1, 7])
def test_a_call_and_its_answer(size: int) -> None:
    both = Both()
    both.serve = lambda stream, message: both.server.answer(stream, message.upper())
    first = both.client.call(METHOD, b"abc", timeout=2.5)
    second = both.client.call(METHOD, b"")
    both.settle(size)
    assert [call[1:] for call in both.calls] == [(METHOD, b"abc", 2.5), (METHOD, b"", None)]
    assert both.answers == {first: b"ABC", second: b""}
    assert both.client.calls == 0


def test_answers_in_any_order() -> None:
    both = Both()
    streams = [both.client.call(METHOD, b"%d" % number) for number in range(50)]
    both.settle()
    for stream, _, message, _ in reversed(both.calls):
        both.server.answer(stream, message)
    both.settle()
    assert [both.answers[stream] for stream in streams] == [b"%d" % number for number in range(50)]


@pytest.mark.parametrize("size", [0, 16 * 1024])
def test_messages_larger_than_any_window(size: int) -> None:
    both = Both()
    both.serve = lambda stream, message: both.server.answer(stream, message)
    message = bytes(range(256)) * 16_000
    stream = both.client.call(METHOD, message)
    both.settle(size)
    assert both.answers == {stream: message}


def test_a_message_that_is_too_large() -> None:
    both = Both()
    stream = both.client.call(METHOD, bytes(MOST_MESSAGE + 1))
    both.settle()
    assert both.failures == {stream: (Code.RESOURCE_EXHAUSTED, f"message is larger than {MOST_MESSAGE} bytes")}


@pytest.mark.parametrize("text", ["", "plain", 'sandbox "x" has 100 % of\nit: ü', "%25"])
def test_failures_have_their_words(text: str) -> None:
    both = Both()
    both.serve = lambda stream, message: both.server.fail(stream, Code.NOT_FOUND, text)
    stream = both.client.call(METHOD, b"")
    both.settle()
    assert both.failures == {stream: (5, text)}


def test_a_call_that_is_cancelled() -> None:
    both = Both()
    stream = both.client.call(METHOD, b"abc")
    both.settle()
    both.client.cancel(stream)
    both.settle()
    assert both.cancelled == [stream]
    both.server.answer(stream, b"late")
    both.server.fail(stream, Code.INTERNAL, "later")
    both.settle()
    assert (both.answers, both.failures) == ({}, {})


RAW: dict[str, tuple[list[tuple[str, str]], bytes, tuple[int, str] | str]] = {
    "no message": ([], b"", (13, "there is no message")),
    "half a message": ([], b"\0\0\0\0\5abc", (13, "there is not exactly one message")),
    "two messages": ([], b"\0\0\0\0\1a\0\0\0\0\1b", (13, "there is not exactly one message")),
    "compressed": ([], b"\1\0\0\0\1a", (12, "messages are not decompressed here")),
    "encoding": ([("grpc-encoding", "gzip")], b"\0\0\0\0\1a", (12, "messages are not decompressed here")),
    "another type": ([("content-type", "text/plain")], b"", "415"),
    "a get": ([(":method", "GET")], b"", "415"),
}


@pytest.mark.parametrize("case", RAW)
def test_what_is_no_call(case: str) -> None:
    more, body, expected = RAW[case]
    both = Both()
    client = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    client.initiate_connection()
    headers = {
        ":method": "POST", ":scheme": "http", ":path": METHOD, ":authority": "x", "content-type": "application/grpc",
        **dict(more),
    }  # fmt: skip
    client.send_headers(1, list(headers.items()))
    client.send_data(1, body, end_stream=True)
    both.server.receive(client.data_to_send())
    told: dict[str, str] = {}
    for event in client.receive_data(both.server.take_outgoing()):
        told.update(dict(getattr(event, "headers", ())))
    assert both.calls == []
    if isinstance(expected, str):
        assert told[":status"] == expected
    else:
        assert (int(told["grpc-status"]), told["grpc-message"]) == expected


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\n\r\n" * 3, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(20)])
def test_what_is_no_http2(sent: bytes) -> None:
    both = Both()
    with pytest.raises(ProtocolError, match="HTTP/2"):
        both.server.receive(sent)
    both.server.answer(1, b"")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2S", 2), ("1500m", 1.5), ("1H", 3600), ("3M", 180), ("5u", 5e-6), ("7n", 7e-9), ("", None), ("S", None),
     ("-1S", None), ("1x", None), ("123456789S", None), (None, None)],
)  # fmt: skip
def test_timeouts(text: str | None, seconds: float | None) -> None:
    assert parse_timeout(text) == (None if seconds is None else pytest.approx(seconds))


# -- on a socket --

POD = Sandbox(
    "a" * 64, 1, "/proc/1/ns/net", name="web", namespace="default", uid="u2", attempt=1, created=2_000_000_000,
    ips=("10.0.0.1", "fd00::1"), labels={"app": "web", "tier": "front"}, annotations={"note": "ü"},
)  # fmt: skip
ENDED = replace(POD, id="b" * 64, ready=False, created=1_000_000_000, labels={"app": "web"}, ips=())


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[Runtime, CriClient]]:
    async with (
        runtime(boxes=Boxes([ENDED, HOST, POD]), containers=LocalContainers()) as made,
        CriServer(made.service, folder / "cri.sock", version="1.2.3"),
        CriClient(folder / "cri.sock") as client,
    ):
        yield made, client


@pytest.mark.parametrize("loop", LOOPS)
def test_who_it_is(loop: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as (_, client):
            assert await client.version() == {
                "version": "0.1.0",
                "runtime_name": "fairlead-lab",
                "runtime_version": "1.2.3",
                "runtime_api_version": "v1",
            }
            assert await client.status() == {"RuntimeReady": True, "NetworkReady": True}

    run_on(loop, main())


FILTERS: list[tuple[dict[str, object], list[Sandbox]]] = [
    ({}, [POD, ENDED, HOST]),
    ({"sandbox_id": POD.id}, [POD]),
    ({"sandbox_id": "nobody"}, []),
    ({"ready": True}, [POD, HOST]),
    ({"ready": False}, [ENDED]),
    ({"labels": {"app": "web"}}, [POD, ENDED]),
    ({"labels": {"app": "web", "tier": "front"}}, [POD]),
    ({"labels": {"app": "other"}}, []),
    ({"ready": False, "labels": {"tier": "front"}}, []),
]


@pytest.mark.parametrize(("asked", "found"), FILTERS)
def test_lists(asked: dict[str, object], found: list[Sandbox], tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as (_, client):
            listed = await client.list_sandboxes(**asked)  # type: ignore[arg-type]
            assert [each["id"] for each in listed] == [each.id for each in found]
            assert [each["state"] for each in listed] == [int(not each.ready) for each in found]
            if POD in found:
                pod = next(each for each in listed if each["id"] == POD.id)
                assert pod["metadata"] == {"name": "web", "uid": "u2", "namespace": "default", "attempt": 1}
                assert (pod["created_at"], pod["labels"], pod["annotations"]) == (
                    POD.created,
                    POD.labels,
                    POD.annotations,
                )

    run(main())


def test_a_status(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as (_, client):
            pod = await client.sandbox_status(POD.id)
            assert pod["network"] == {"ip": "10.0.0.1", "additional_ips": [{"ip": "fd00::1"}]}
            assert pod["linux"]["namespaces"]["options"]["network"] == messages.NamespaceMode.POD
            host = await client.sandbox_status(HOST.id)
            assert host["linux"]["namespaces"]["options"]["network"] == messages.NamespaceMode.NODE
            ended = await client.sandbox_status(ENDED.id)
            assert (ended["state"], ended["network"]["ip"]) == (messages.SandboxState.NOTREADY, "")

    run(main())


def test_a_port_forward_by_its_url(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            served(tmp_path) as (_, client),
            serving(echo) as port,
            spdy(await client.port_forward(HOST.id, [port])) as streams,
        ):
            assert await streams.forward(port, b"x", eof=True).end() == (Outcome.CLEAN, b"x", "")

    run(main())


def test_exec_and_attach_by_their_urls(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as (_, client):
            for url, kind in ((await client.exec("c", ["true"]), "exec"), (await client.attach("c"), "attach")):
                assert f"/{kind}/" in url
            with pytest.raises(CallError, match="missing required container_id"):
                await client.exec("", ["true"])

    run(main())


REFUSED = [
    ("", Code.INVALID_ARGUMENT, "missing required pod_sandbox_id"),
    ("nobody", Code.NOT_FOUND, 'failed to find sandbox "nobody": not found'),
    (ENDED.id, Code.UNKNOWN, "sandbox container is not running"),
]


@pytest.mark.parametrize(("sandbox_id", "code", "text"), REFUSED)
def test_refusals(sandbox_id: str, code: Code, text: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as (_, client):
            with pytest.raises(CallError) as caught:
                await client.port_forward(sandbox_id)
            assert (caught.value.code, caught.value.what) == (code, text)

    run(main())


def test_too_many_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as (made, client):
            for _ in range(MOST):
                await made.service.port_forward(HOST.id)
            with pytest.raises(CallError, match="maximum number of in-flight requests exceeded") as caught:
                await client.port_forward(HOST.id)
            assert caught.value.code == Code.RESOURCE_EXHAUSTED

    run(main())


def test_a_method_that_there_is_not(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as (_, client):
            with pytest.raises(
                CallError, match=r"unknown method RunPodSandbox for service runtime.v1.RuntimeService"
            ) as caught:
                await client.call(messages.Method("RunPodSandbox", {}, {}), {})
            assert caught.value.code == Code.UNIMPLEMENTED

    run(main())


def test_a_request_that_is_no_message(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as (_, client):
            wrong = messages.Method("PortForward", {1: Field("state", Kind.INT)}, {})
            with pytest.raises(CallError, match="protobuf field pod_sandbox_id has the wrong type"):
                await client.call(wrong, {"state": 5})

    run(main())


def test_a_call_that_takes_too_long_ends_on_both_sides(tmp_path: Path) -> None:
    cancelled: list[str] = []

    async def main() -> None:
        async with served(tmp_path) as (made, _), CriClient(tmp_path / "cri.sock", timeout=0.2) as hasty:

            async def hang(sandbox_id: str, ports: object) -> str:
                try:
                    await asyncio.Event().wait()
                finally:
                    cancelled.append(sandbox_id)
                return ""

            made.service.port_forward = hang  # type: ignore[method-assign,assignment]
            with pytest.raises(CallError) as caught:
                await hasty.port_forward("x")
            assert caught.value.code == Code.DEADLINE_EXCEEDED
            while not cancelled:
                await asyncio.sleep(0.01)

    run(main())


def test_many_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as (_, client), asyncio.TaskGroup() as group:
            for _ in range(100):
                group.create_task(client.version())

    run(main())


def test_the_socket_is_the_users_and_goes_with_the_server(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path):
            assert stat.S_IMODE((tmp_path / "cri.sock").stat().st_mode) == 0o600
        assert not (tmp_path / "cri.sock").exists()

    run(main())


def test_the_client_comes_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with CriClient(tmp_path / "cri.sock") as client:
            with pytest.raises(UnreachableError, match="no runtime answers at"):
                await client.version()
            async with runtime() as made:
                for _ in range(2):
                    async with CriServer(made.service, tmp_path / "cri.sock", version="1"):
                        assert (await client.version())["runtime_version"] == "1"
                    await asyncio.sleep(0)

    run(main())
