"""All parts of a run together, on sockets as a namespace has them; nothing is left at its end."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fairlead.dial.cluster import Cluster
from fairlead.dial.laptop import address
from fairlead.errors import MachineError
from fairlead.features.names.context import NamedContext
from fairlead.features.run import captured, files, following
from fairlead.features.run.run import Run
from fairlead.kit.tasks import Background
from fairlead.model.events import Note
from fairlead.model.service_events import ServiceEvent
from fairlead.net.buffer import ReadBuffer
from fairlead.net.local import LocalConnection
from fairlead.policy.capture import CaptureRules
from fairlead.policy.hostnames import Scope
from fairlead.policy.mapping import parse_own
from fairlead.settings import RunSettings
from tests.support.fakeapi import until
from tests.support.insiderun import Cloud
from tests.support.loop import LOOPS, run_on
from tests.support.nolanes import NoLanes


class Network:
    """In the place of a namespace: sockets of this machine's own, and files that are kept."""

    def __init__(self) -> None:
        tcp, udp = socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        tcp.setblocking(False)
        udp.bind(("127.0.0.1", 0))
        # What nobody answers on: who listens inside is not known.
        diag, self.kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        raw = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sockets = {"tcp4": tcp, "udp4": udp, "raw4": raw, "diag": diag}
        self.files: dict[str, str] = {}
        self.rules: list[str] = []
        self.broken = False

    async def show(self, name: str, data: bytes) -> None:
        if self.broken:
            raise MachineError("no space left")
        self.files[name] = data.decode()

    async def outgoing(self, family: int) -> socket.socket:
        raise OSError(24, "Too many open files")

    async def change_rules(self, commands: str) -> None:
        self.rules.append(commands)

    def close(self) -> None:
        for sock in (*self.sockets.values(), self.kernel):
            sock.close()


@dataclass
class Rig:
    run: Run
    network: Network
    api: Cloud
    told: list[ServiceEvent]


@asynccontextmanager
async def rig(**settings: Any) -> AsyncIterator[Rig]:
    network, told = Network(), list[ServiceEvent]()
    laptop = cast("Any", SimpleNamespace(now=frozenset))
    rules = CaptureRules(("192.0.2.7",), ("192.0.2.7",))
    async with Background() as tasks:
        run = Run(RunSettings(namespaces=("ns",), **settings), cast("Any", network), rules, laptop, tasks, told.append)
        api = Cloud()
        reach = SimpleNamespace(up=True, suspect=lambda reason: None)
        cluster = cast("Cluster", SimpleNamespace(server=api, reach=reach, lanes=NoLanes()))
        run.contexts.append(NamedContext("c", Scope(bare="ns"), cluster, ("ns",), run, pods=True))
        try:
            yield Rig(run, network, api, told)
        finally:
            await run.halt()
            await run.stop(1.0)
            network.close()


@pytest.fixture(autouse=True)
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in "hosts", "resolv.conf":
        (tmp_path / name).write_text("127.0.0.1 localhost\n" if name == "hosts" else "nameserver 192.0.2.53\n")
        monkeypatch.setattr(files, name.partition(".")[0].upper(), str(tmp_path / name))
    return tmp_path


def descriptors() -> list[str]:
    """What this process has open, but for the folder that is being listed, and what libuv keeps for itself."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{name}"))
        except OSError:
            pass
    return sorted(name for name in found if name != os.devnull)


def play(body: Callable[[Rig], Awaitable[None]], loop: str = "asyncio", **settings: Any) -> None:
    async def main() -> None:
        await asyncio.sleep(0.01)  # uvloop opens some of its own when it first waits
        before = descriptors()
        async with asyncio.timeout(20), rig(**settings) as made:
            await body(made)
        for _ in range(5):
            await asyncio.sleep(0.01)  # servers close in a turn of their own
        assert descriptors() == before

    run_on(loop, main())


@pytest.mark.parametrize("loop", LOOPS)
def test_names_stand_when_it_has_started_and_follow_the_cluster(loop: str, etc: Path) -> None:
    async def body(it: Rig) -> None:
        it.api.service()
        await it.run.read()
        await it.run.start()
        assert "10.0.0.1 web web.ns.svc.cluster.local web.ns web.ns.svc\n" in it.network.files["hosts"]
        assert "127.0.0.1 localhost" in it.network.files["hosts"]
        assert it.network.files["resolv"].startswith("nameserver 169.254.53.53\nsearch ns.svc.cluster.local ")
        it.api.service("db", "10.0.0.2")
        await until(lambda: "10.0.0.2 db " in it.network.files["hosts"], limit=10)
        (etc / "hosts").write_text("127.0.0.1 localhost\n192.0.2.9 other\n")
        await until(lambda: "192.0.2.9 other" in it.network.files["hosts"], limit=10)
        assert "10.0.0.2 db " in it.network.files["hosts"]

    play(body, loop)


def test_what_fails_for_a_moment_does_not_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "EVERY", 0.05)
    monkeypatch.setattr(following, "AGAIN", 0.05)

    async def body(it: Rig) -> None:
        await it.run.read()
        await it.run.start()
        it.network.broken = True
        it.api.service()
        await until(
            lambda: any("cannot follow" in event.text for event in it.told if isinstance(event, Note)), limit=10
        )
        it.network.broken = False
        await until(lambda: "10.0.0.1 web " in it.network.files["hosts"], limit=10)

    play(body)


def test_a_change_that_others_held_up_holds_up_no_other() -> None:
    """As on a machine whose other programs take all its time."""

    async def body(it: Rig) -> None:
        await it.run.read()
        await it.run.start()
        update, seen = it.run._names.update, list[float]()

        def held_up() -> bool:
            seen.append(time.monotonic())
            time.sleep(0.5)
            return update()

        it.run._names.update = held_up  # type: ignore[method-assign]
        it.api.service()
        await until(lambda: len(seen) == 1, limit=10)
        it.api.service("db", "10.0.0.2")
        await until(lambda: len(seen) == 2, limit=10)
        assert seen[1] - seen[0] < 1.5

    play(body)


def test_it_stops_before_it_has_started() -> None:
    async def body(it: Rig) -> None:
        await it.run.read()

    play(body)


@pytest.mark.parametrize("loop", LOOPS)
def test_connections_are_cut_off_at_the_end(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here all that comes is for a program of the laptop, which would wait for ever."""

    async def main() -> None:
        program = socket.create_server(("127.0.0.9", 0))
        program.setblocking(False)
        port = program.getsockname()[1]
        monkeypatch.setattr(captured, "address", lambda host, _: address("127.0.0.9", port))
        with program:
            async with asyncio.timeout(20):
                async with rig() as it:
                    await it.run.read()
                    await it.run.start()
                    reader, writer = await asyncio.open_connection(*it.network.sockets["tcp4"].getsockname())
                    held, _ = await asyncio.get_running_loop().sock_accept(program)
                with pytest.raises(ConnectionResetError):
                    await reader.read()
                writer.close()
                held.close()
                await asyncio.sleep(0.01)  # closed in a turn of their own

    run_on(loop, main())


def test_doubts_are_told_once() -> None:
    async def body(it: Rig) -> None:
        it.api.service()
        await it.run.read()
        await it.run.start()
        notes = [event.text for event in it.told if isinstance(event, Note)]
        assert len([note for note in notes if "nosuch" in note]) == 1

    play(body, local=parse_own(["nosuch=3000"]))


@pytest.mark.parametrize("loop", LOOPS)
def test_what_a_user_develops_is_inside_or_on_the_laptop(loop: str) -> None:
    async def body(it: Rig) -> None:
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        met: list[LocalConnection] = []

        def make() -> LocalConnection:
            met.append(LocalConnection(ReadBuffer(), lambda local: None))
            return met[0]

        async with server:
            await it.run.own(port)(make)
        assert met
        it.run._inner.address_of = lambda port: "127.0.0.1"  # type: ignore[method-assign]
        with pytest.raises(OSError, match="Too many open files"):
            await it.run.own(port)(make)

    play(body, loop)
