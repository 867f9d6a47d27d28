"""Who gets what was captured: a pod, our resolver, the laptop's network, or nobody."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fairlead.dial.laptop import Joined, address
from fairlead.entry.listener import Listeners
from fairlead.features.run import captured as module
from fairlead.features.run.captured import DNS, MOST_QUESTIONS, MOST_TOLD, RESOLVER, Captured
from fairlead.features.run.dns_stream import DnsStream
from fairlead.kit.tasks import Background
from fairlead.model.named import GroupKey
from fairlead.model.service_events import ConnectionFailed
from fairlead.model.target import PodRef
from fairlead.net import descriptors
from fairlead.net.buffer import ReadBuffer
from fairlead.net.local import LocalConnection
from fairlead.policy.hostnames import label
from fairlead.policy.places import Place
from fairlead.policy.zone import ZonePort
from fairlead.protocol.dns import framed
from fairlead.protocol.ip import End
from tests.support.loop import LOOPS, run_on

WEB, DNS_KEY = GroupKey("c", "ns", "web"), GroupKey("c", "kube-system", "kube-dns")
POD = PodRef("ns", "a", "uid-a")
SERVICE, CLUSTER_DNS, POD_IP, FAR = "10.0.0.1", "10.0.0.10", "10.1.0.1", "192.0.2.1"
GONE = "10.0.0.99"
HTTP, UDP, DNS_UDP = ZonePort("http", "TCP", 80), ZonePort("stat", "UDP", 8125), ZonePort("dns", "UDP", DNS)
SOURCE = ("10.9.9.9", 40000)
BAD = b"ba"


class Way:
    """Says who took a connection."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.took: list[LocalConnection] = []

    def accept(self, local: LocalConnection) -> Any:
        self.took.append(local)
        return Echo(local, self.name)


class Echo:
    """Greets, and ends when the program does."""

    def __init__(self, local: LocalConnection, name: str) -> None:
        self.local = local
        asyncio.get_running_loop().call_soon(self.greet, name.encode())

    def greet(self, text: bytes) -> None:
        self.local.write(memoryview(text))
        self.local.write_eof()

    def send(self, buffer: memoryview, start: int, end: int) -> None: ...

    def send_eof(self) -> None:
        self.local.close()

    def local_blocked(self) -> None: ...

    def local_drained(self) -> None: ...

    def local_lost(self) -> None: ...


class Names:
    """Two services and a pod."""

    def __init__(self) -> None:
        self.services = {SERVICE: WEB, CLUSTER_DNS: DNS_KEY}
        self.pods: dict[str, PodRef] = {POD_IP: POD}
        self.way = Way("service")
        self.to_pod = Way("pod")
        self.asked: list[tuple[object, PodRef, int]] = []
        ways = {80: self.way}
        self.groups: dict[GroupKey, Any] = {WEB: SimpleNamespace(way=ways.get)}

    def service_at(self, host: str) -> GroupKey | None:
        return self.services.get(host)

    def place(self, key: GroupKey) -> Place:
        return Place(key, ports=(DNS_UDP,) if key == DNS_KEY else (HTTP, HTTP._replace(number=81), UDP))

    def label(self, key: GroupKey) -> str:
        return label(key, [])

    def pod_at(self, host: str) -> tuple[object, PodRef] | None:
        return ("context", self.pods[host]) if host in self.pods else None

    def was_at(self, host: str) -> bool:
        return host == GONE

    def pod_way(self, context: object, pod: PodRef, port: int) -> Way:
        self.asked.append((context, pod, port))
        return self.to_pod


class Resolver:
    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.let.set()
        self.open = self.most = 0

    async def answer(self, query: bytes, limit: int) -> bytes | None:
        if query.startswith(BAD):
            raise ZeroDivisionError
        self.open += 1
        self.most = max(self.most, self.open)
        await self.let.wait()
        self.open -= 1
        return b"answer to " + query


class Raw:
    family = socket.AF_INET

    def setblocking(self, _flag: bool) -> None: ...

    def close(self) -> None: ...


class Rig:
    def __init__(self, sockets: dict[str, socket.socket], tasks: Background) -> None:
        self.told: list[ConnectionFailed] = []
        self.names, self.resolver, buffer = Names(), Resolver(), ReadBuffer()
        self.refusals: list[str] = []
        self.listeners = Listeners(buffer, self.refusals.append)
        self.captured = Captured(
            cast("Any", SimpleNamespace(sockets=sockets)),
            cast("Any", self.names),
            cast("Any", self.resolver),
            self.listeners,
            buffer,
            tasks,
            self.told.append,
        )
        self.replied: list[tuple[bytes, End, End]] = []
        self.refused: list[tuple[End, End, bytes]] = []
        self.sent: list[tuple[bytes, End, End]] = []
        self.captured._datagrams.reply = (  # type: ignore[method-assign]
            lambda payload, to, sender: self.replied.append((bytes(payload), to, sender))
        )
        self.captured._datagrams.refuse = (  # type: ignore[method-assign]
            lambda source, destination, payload=b"": self.refused.append((source, destination, bytes(payload)))
        )
        self.captured._flows.send = (  # type: ignore[method-assign]
            lambda payload, source, destination: self.sent.append((bytes(payload), source, destination))
        )

    def accept(self, host: str, port: int) -> Any:
        """The opposite end of a connection to there."""
        return self.captured._accept(cast("LocalConnection", SimpleNamespace(destination=(host, port), abort=nothing)))

    def datagram(self, host: str, port: int, payload: bytes = b"hello") -> None:
        self.captured._datagram(memoryview(bytearray(payload)), SOURCE, (host, port))

    def words(self) -> list[tuple[str, int, str]]:
        return [(event.target, event.port, event.words) for event in self.told]


def nothing() -> None: ...


@asynccontextmanager
async def rig(sockets: dict[str, socket.socket] | None = None) -> AsyncIterator[Rig]:
    async with Background() as tasks:
        made = Rig(sockets or {}, tasks)
        try:
            yield made
        finally:
            made.captured.close()
            await made.listeners.close(1.0)


def play(body: Callable[[Rig], Awaitable[None]], **sockets: socket.socket) -> None:
    async def main() -> None:
        async with asyncio.timeout(20), rig(sockets) as made:
            await body(made)

    run_on("asyncio", main())


@pytest.mark.parametrize(
    ("host", "port", "kind"),
    [
        (RESOLVER, DNS, DnsStream),
        (RESOLVER, 80, type(None)),
        (SERVICE, 80, Echo),
        (SERVICE, 81, type(None)),
        (SERVICE, 82, type(None)),
        (SERVICE, DNS, type(None)),
        (CLUSTER_DNS, DNS, DnsStream),
        (CLUSTER_DNS, 54, type(None)),
        (POD_IP, 9999, Echo),
        (POD_IP, DNS, Echo),
        (GONE, 80, type(None)),
        (GONE, DNS, type(None)),
        (FAR, 80, Joined),
        (FAR, DNS, Joined),
        ("2001:db8::1", 443, Joined),
    ],
)
def test_who_takes_a_connection(host: str, port: int, kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[tuple[str, int]] = []

    def noted(host: str, port: int) -> Any:
        async def connect(make: object) -> None:
            connected.append((host, port))

        return connect

    monkeypatch.setattr(module, "address", noted)

    async def body(it: Rig) -> None:
        assert type(it.accept(host, port)) is kind
        await asyncio.sleep(0)
        assert connected == ([(host, port)] if kind is Joined else [])
        if host == POD_IP:
            assert it.names.asked == [("context", POD, port)]
            assert it.names.to_pod.took
        if kind is Echo:
            it.names.way.took.clear()
            it.names.to_pod.took.clear()

    with monkeypatch.context() as patch:
        patch.setattr(Echo, "greet", lambda self, text: None)
        play(body)


def test_what_leads_nowhere_is_told_once_and_as_it_is() -> None:
    async def body(it: Rig) -> None:
        for _ in range(3):
            it.accept(SERVICE, 81)
            it.accept(SERVICE, 82)
            it.datagram(SERVICE, 8125)
            it.datagram(SERVICE, 80)
            it.accept(CLUSTER_DNS, 54)
        assert it.words() == [
            ("web.ns", 81, "the port leads to no pod"),
            ("web.ns", 82, "the service has no port 82 for TCP"),
            ("web.ns", 8125, "UDP needs the relay (not in this version)"),
            ("web.ns", 80, "the service has no port 80 for UDP"),
            ("kube-dns.kube-system", 54, "the service has no port 54 for TCP"),
        ]

    play(body)


def test_who_tries_every_port_is_not_told_of_each() -> None:
    async def body(it: Rig) -> None:
        for port in range(1000, 60000):
            it.accept(SERVICE, port)
        assert len(it.told) == MOST_TOLD
        it.accept(CLUSTER_DNS, 54)
        assert len(it.told) == MOST_TOLD + 1, "each service has its own"

    play(body)


def test_a_service_that_has_nothing_behind_it() -> None:
    async def body(it: Rig) -> None:
        it.names.groups.clear()
        assert it.accept(SERVICE, 80) is None
        assert it.words() == [("web.ns", 80, "the port leads to no pod")]

    play(body)


@pytest.mark.parametrize(
    ("host", "port", "who"),
    [
        (RESOLVER, DNS, "resolver"),
        (RESOLVER, 54, "nobody"),
        (CLUSTER_DNS, DNS, "resolver"),
        (CLUSTER_DNS, 54, "nobody"),
        (SERVICE, DNS, "nobody"),
        (SERVICE, 8125, "nobody"),
        (POD_IP, DNS, "nobody"),
        (GONE, 8125, "nobody"),
        (GONE, DNS, "nobody"),
        (FAR, DNS, "laptop"),
        (FAR, 123, "laptop"),
        ("2001:db8::1", 443, "laptop"),
    ],
)
def test_who_takes_a_datagram(host: str, port: int, who: str) -> None:
    async def body(it: Rig) -> None:
        it.datagram(host, port)
        for _ in range(5):
            await asyncio.sleep(0)
        to = host, port
        assert it.replied == ([(b"answer to hello", SOURCE, to)] if who == "resolver" else [])
        assert it.refused == ([(SOURCE, to, b"hello")] if who == "nobody" else [])
        assert it.sent == ([(b"hello", SOURCE, to)] if who == "laptop" else [])

    play(body)


def test_questions_beyond_a_number_are_dropped() -> None:
    async def body(it: Rig) -> None:
        it.resolver.let.clear()
        for _ in range(MOST_QUESTIONS + 100):
            it.datagram(RESOLVER, DNS)
        await asyncio.sleep(0)
        assert it.resolver.most == MOST_QUESTIONS
        it.resolver.let.set()
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(it.replied) == MOST_QUESTIONS
        assert not it.refused
        it.datagram(RESOLVER, DNS)
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(it.replied) == MOST_QUESTIONS + 1

    play(body)


def test_a_question_that_brings_out_a_bug_is_the_only_one_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    failed = BAD + b"\x80\x82" + bytes(8)

    async def body(it: Rig) -> None:
        for _ in range(MOST_QUESTIONS + 1):
            it.datagram(RESOLVER, DNS, BAD + bytes(10))
            for _ in range(3):
                await asyncio.sleep(0)
        it.datagram(RESOLVER, DNS)
        for _ in range(5):
            await asyncio.sleep(0)
        assert [words for words, _, _ in it.replied] == [failed] * (MOST_QUESTIONS + 1) + [b"answer to hello"]
        assert await it.captured._answer(BAD + bytes(10), 65535) == failed
        assert await it.captured._answer(BAD, 65535) is None

    play(body)
    assert "ZeroDivisionError" in caplog.text


def test_a_question_keeps_its_bytes_though_the_buffer_is_read_into_again() -> None:
    async def body(it: Rig) -> None:
        buffer = memoryview(bytearray(b"first"))
        it.captured._datagram(buffer, SOURCE, (RESOLVER, DNS))
        buffer[:] = b"other"
        for _ in range(5):
            await asyncio.sleep(0)
        assert it.replied[0][0] == b"answer to first"

    play(body)


def test_a_connection_for_which_there_is_no_descriptor_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(it: Rig) -> None:
        monkeypatch.setattr(descriptors, "limit", lambda: 8)
        it.accept(FAR, 80)
        for _ in range(3):
            await asyncio.sleep(0)
        [words] = it.refusals
        assert "ulimit -n" in words

    play(body)


def listening() -> socket.socket:
    sock = socket.create_server(("", 0))
    sock.setblocking(False)
    return sock


@pytest.mark.parametrize("loop", LOOPS)
def test_where_a_program_wanted_to_go_is_read_off_its_connection(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On sockets as the namespace has them, but for one that takes what was meant for others: all is loopback here."""

    async def main() -> None:
        sock = listening()
        port = sock.getsockname()[1]
        monkeypatch.setattr(module, "RESOLVER", "127.0.0.53")
        monkeypatch.setattr(module, "DNS", port)
        async with asyncio.timeout(20), rig({"tcp4": sock}) as it:
            it.names.services = {"127.0.0.2": WEB}
            it.names.pods = {"127.0.0.3": POD}
            it.names.groups = {WEB: SimpleNamespace(way={port: it.names.way}.get)}
            await it.captured.start()
            assert await said("127.0.0.2", port) == b"service"
            assert await said("127.0.0.3", port) == b"pod"
            question = framed(b"id" + bytes(10))
            assert await said("127.0.0.53", port, question) == framed(b"answer to id" + bytes(10))
            failed = framed(BAD + b"\x80\x82" + bytes(8))
            assert await said("127.0.0.53", port, framed(BAD + bytes(10))) == failed
            it.names.groups = {}
            with pytest.raises(OSError, match=r"reset|not connected"):
                await said("127.0.0.2", port)
            program = await asyncio.start_server(serve, "127.0.0.9", 0)
            async with program:
                monkeypatch.setattr(module, "address", through(program.sockets[0].getsockname()[1]))
                assert await said("127.0.0.9", port, b"ping") == b"ping from the laptop"

    def through(number: int) -> Callable[[str, int], Any]:
        return lambda host, port: address(host, number)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read() + b" from the laptop")
        writer.close()

    run_on(loop, main())


async def said(host: str, port: int, words: bytes = b"") -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(words)
        writer.write_eof()
        return await reader.read()
    finally:
        writer.close()
