"""Ports that a program inside listens on are on the laptop's localhost too, for as long as it does."""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from typing import Any, cast

import pytest

from fairlead.entry.listener import Listeners
from fairlead.errors import MachineError
from fairlead.features.run import inner_ports as module
from fairlead.features.run.inner_ports import TRY_AGAIN, InnerPorts
from fairlead.host.ports import describe_holders
from fairlead.kit.tasks import Background, stop
from fairlead.model.events import Note
from fairlead.net.buffer import ReadBuffer
from fairlead.policy.capture import PORT
from tests.support.loop import LOOPS, run_on, run_virtual
from tests.support.namedrun import taken

OWN = ("192.0.2.7", "2001:db8::7")


class Listening:
    """``ListeningPorts`` as a test sets them; None where the kernel does not tell."""

    def __init__(self, *found: tuple[str, int]) -> None:
        self.found: set[tuple[str, int]] | None = set(found)
        self.looks = 0

    def now(self) -> frozenset[tuple[str, int]]:
        self.looks += 1
        if self.found is None:
            raise MachineError("the kernel lists no sockets: no")
        return frozenset(self.found)


class Rig:
    def __init__(self, tasks: Background, listeners: Listeners, buffer: ReadBuffer) -> None:
        self.inside, self.laptop = Listening(), Listening()
        self.told: list[Note] = []
        """What is told without -v."""
        self.news: list[Note] = []
        self.made: list[int] = []
        self.ports = InnerPorts(
            cast("Any", self.inside), cast("Any", self.laptop), self.make, OWN, listeners, buffer, tasks,
            self._report,
        )  # fmt: skip

    async def make(self, family: int) -> socket.socket:
        self.made.append(family)
        sock = socket.socket(family)
        sock.setblocking(False)
        return sock

    def _report(self, note: Note) -> None:
        (self.told if note.warning else self.news).append(note)

    def words(self) -> list[str]:
        return [note.text for note in self.told]


@asynccontextmanager
async def rig() -> AsyncIterator[Rig]:
    buffer = ReadBuffer()
    listeners = Listeners(buffer, lambda text: None)
    async with Background() as tasks:
        try:
            yield Rig(tasks, listeners, buffer)
        finally:
            await listeners.close(1.0)


@pytest.fixture(autouse=True)
def at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Virtual time would overtake a thread."""

    async def holders(wanted: Sequence[tuple[str, int]]) -> list[str]:
        return describe_holders(wanted)

    if "beside" not in request.node.name:
        monkeypatch.setattr(module, "_holders", holders)


def play(body: Callable[[Rig], Awaitable[None]]) -> None:
    async def main() -> None:
        async with rig() as made:
            await body(made)

    run_virtual(main())


def free_ports(count: int) -> list[int]:
    """Numbers that nobody has on 127.0.0.1 and ::1."""
    with ExitStack() as held:
        found: list[int] = []
        while len(found) < count:
            sock = held.enter_context(socket.create_server(("127.0.0.1", 0)))
            if not taken6(sock.getsockname()[1]):
                found.append(sock.getsockname()[1])
        return found


def taken6(port: int) -> bool:
    with socket.socket(socket.AF_INET6) as sock:
        try:
            sock.bind(("::1", port))
        except OSError:
            return True
        return False


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


@pytest.fixture
def busy() -> Iterator[tuple[int, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock.getsockname()[1], sock


def test_a_port_comes_and_goes(port: int) -> None:
    async def body(it: Rig) -> None:
        await it.ports.look()
        assert it.ports.bound == frozenset()
        it.inside.found = {("127.0.0.1", port)}
        await it.ports.look()
        assert it.ports.bound == {port}
        assert taken("127.0.0.1", port)
        assert taken6(port)
        assert not taken("127.0.0.2", port)
        await it.ports.look()
        it.inside.found = set()
        await it.ports.look()
        assert it.ports.bound == frozenset()
        assert not taken("127.0.0.1", port)
        assert it.words() == []
        assert [note.text for note in it.news] == [
            f"port {port} inside is on this machine's localhost now",
            f"port {port} inside is closed, and left this machine's localhost",
        ]

    play(body)


@pytest.mark.parametrize(
    ("listening", "host"),
    [
        (["127.0.0.1"], "127.0.0.1"),
        (["0.0.0.0"], "127.0.0.1"),
        (["::"], "::1"),
        (["::", "0.0.0.0"], "127.0.0.1"),
        (["::1"], "::1"),
        (["127.0.0.9"], "127.0.0.9"),
        (["127.0.0.9", "127.0.0.1"], "127.0.0.1"),
        (["127.0.0.9", "127.0.0.2"], "127.0.0.2"),
        (["192.0.2.7"], "192.0.2.7"),
        (["2001:db8::7"], "2001:db8::7"),
        (["192.0.2.7", "0.0.0.0"], "127.0.0.1"),
        (["10.0.0.1"], None),
        (["2001:db8::8"], None),
        ([], None),
    ],
)
def test_where_it_is_reached_inside(listening: list[str], host: str | None) -> None:
    async def body(it: Rig) -> None:
        it.inside.found = {(address, 8080) for address in listening}
        assert it.ports.address_of(8080) == host
        assert it.ports.address_of(8081) is None

    play(body)


def test_our_own_port_inside_is_no_programs() -> None:
    async def body(it: Rig) -> None:
        it.inside.found = {("0.0.0.0", PORT)}
        await it.ports.look()
        assert it.ports.bound == frozenset()

    play(body)


def test_what_somebody_here_holds_is_told_once_and_tried_again(busy: tuple[int, socket.socket]) -> None:
    port, holder = busy

    async def body(it: Rig) -> None:
        it.inside.found = {("127.0.0.1", port)}
        it.laptop.found = {("127.0.0.1", port)}
        for _ in range(5):
            await it.ports.look()
        assert it.ports.bound == frozenset()
        [words] = it.words()
        assert words.startswith(f"port {port} inside is not on this machine's localhost: 127.0.0.1:{port} is in use by")
        assert "choose" not in words, "there is nothing to choose"
        assert it.laptop.looks == 0, "to look for who holds it is not for each of them"
        await asyncio.sleep(TRY_AGAIN)
        await it.ports.look()
        assert it.laptop.looks == 1
        holder.close()
        it.laptop.found = set()
        await it.ports.look()
        assert it.ports.bound == frozenset()
        await asyncio.sleep(TRY_AGAIN)
        await it.ports.look()
        assert it.ports.bound == {port}
        assert it.words()[1:] == [f"port {port} inside is on this machine's localhost now"]

    play(body)


def test_a_family_that_somebody_here_holds_is_told(port: int) -> None:
    async def body(it: Rig) -> None:
        with socket.create_server(("::1", port), family=socket.AF_INET6):
            it.inside.found = {("0.0.0.0", port)}
            for _ in range(3):
                await it.ports.look()
        assert it.ports.bound == {port}
        [words] = it.words()
        assert words.startswith(f"port {port} inside is on 127.0.0.1 alone: [::1]:{port} is in use by ")
        assert it.told[0].warning

    play(body)


def test_a_family_that_this_machine_has_not_is_not_told(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(address: Any, port: int) -> socket.socket:
        if address.version == 6:
            raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
        return socket.create_server((str(address), port))

    monkeypatch.setattr("fairlead.entry.listener.listening_socket", lacking)

    async def body(it: Rig) -> None:
        it.inside.found = {("0.0.0.0", port)}
        await it.ports.look()
        assert it.ports.bound == {port}
        assert it.words() == []

    play(body)


def test_who_holds_ports_is_looked_for_once_and_beside_all_else(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    free = free_ports(1)[0]

    def holders(wanted: Sequence[tuple[str, int]]) -> list[str]:
        assert threading.current_thread() is not threading.main_thread()
        looked.append(len(wanted))
        return ["somebody"] * len(wanted)

    monkeypatch.setattr(module, "describe_holders", holders)

    async def main() -> None:
        with ExitStack() as held:
            servers = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(5)]
            ports = sorted(server.getsockname()[1] for server in servers)
            async with asyncio.timeout(20), rig() as it:
                it.inside.found = {("127.0.0.1", port) for port in [*ports, free]}
                await it.ports.look()
                assert it.ports.bound == {free}
                assert [words.split()[1] for words in it.words()] == list(map(str, ports))
                assert all(words.endswith("in use by somebody") for words in it.words())

    run_on("asyncio", main())
    assert looked == [5]


def test_a_port_that_cannot_be_served_is_tried_again(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_room(*args: object) -> None:
        raise OSError(errno.ENOBUFS, "No buffer space available")

    async def body(it: Rig) -> None:
        it.inside.found = {("127.0.0.1", port)}
        with monkeypatch.context() as patch:
            patch.setattr(Listeners, "serve", no_room)
            await it.ports.look()
        assert it.ports.bound == frozenset()
        assert not taken("127.0.0.1", port)
        assert len(it.words()) == 1
        await asyncio.sleep(TRY_AGAIN)
        await it.ports.look()
        assert it.ports.bound == {port}

    play(body)


def test_what_is_gone_before_it_could_be_had_is_news_when_it_comes_again(busy: tuple[int, socket.socket]) -> None:
    port, _ = busy

    async def body(it: Rig) -> None:
        for _ in range(2):
            it.inside.found = {("127.0.0.1", port)}
            await it.ports.look()
            it.inside.found = set()
            await it.ports.look()
        assert len(it.told) == 2

    play(body)


def test_where_the_kernel_does_not_tell_all_stays_as_it_is(port: int, busy: tuple[int, socket.socket]) -> None:
    async def body(it: Rig) -> None:
        it.inside.found = {("127.0.0.1", port), ("127.0.0.1", busy[0])}
        await it.ports.look()
        it.laptop.found = None
        await asyncio.sleep(TRY_AGAIN)
        await it.ports.look()
        it.inside.found = None
        await it.ports.look()
        assert it.ports.bound == {port}
        assert it.ports.address_of(port) == "127.0.0.1"

    play(body)


def test_a_low_port_says_what_allows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(address: object, port: int) -> socket.socket:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("fairlead.entry.listener.listening_socket", refuse)

    async def body(it: Rig) -> None:
        it.inside.found = {("0.0.0.0", 80)}
        await it.ports.look()
        [words] = it.words()
        assert "port 80 inside is not on this machine's localhost: 127.0.0.1:80 may not be bound by this user" in words
        assert "(" in words
        assert it.told[0].warning

    play(body)


def test_no_more_than_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    ports = free_ports(5)

    async def body(it: Rig) -> None:
        it.inside.found = {("127.0.0.1", port) for port in ports}
        for _ in range(3):
            await it.ports.look()
        assert it.ports.bound == set(sorted(ports)[:3])
        assert it.words() == ["of the ports that are open inside, 3 are on this machine's localhost, and no more"]
        it.inside.found = {("127.0.0.1", port) for port in sorted(ports)[1:]}
        await it.ports.look()
        assert it.ports.bound == set(sorted(ports)[1:4])
        assert len(it.told) == 1

    play(body)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_connection_is_led_in(loop: str, port: int) -> None:
    """To where the program listens now: the laptop's 127.0.0.9 is in the place of the namespace here."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read() + b" from inside")
        writer.close()

    async def main() -> None:
        async with asyncio.timeout(20), rig() as it, await asyncio.start_server(serve, "127.0.0.9", port) as server:
            it.inside.found = {("127.0.0.9", port)}
            await it.ports.look()
            assert await said(port) == b"ping from inside"
            assert it.made == [socket.AF_INET]
            server.close()
            with pytest.raises(OSError, match=r"reset|not connected"):
                await said(port)  # it has ended, which nobody has seen yet
            it.inside.found = set()
            with pytest.raises(OSError, match=r"reset|not connected"):
                await said(port)
            await it.ports.look()
            with pytest.raises(ConnectionRefusedError):
                await said(port)

    run_on(loop, main())


async def said(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"ping")
        writer.write_eof()
        return await reader.read()
    finally:
        writer.close()


def test_it_looks_for_ever(port: int) -> None:
    async def main() -> None:
        async with rig() as it, Background() as tasks:
            looking = tasks.start(it.ports.run(), name="look")
            await asyncio.sleep(1)
            it.inside.found = {("127.0.0.1", port)}
            await asyncio.sleep(1)
            assert it.ports.bound == {port}
            await stop(looking)

    run_virtual(main())
