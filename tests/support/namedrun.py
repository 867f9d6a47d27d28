"""A run of ``services`` on a cluster and a hosts file in memory; its listeners are real."""

from __future__ import annotations

import errno
import os
import random
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from fairlead.dial.cluster import Cluster
from fairlead.errors import MachineError
from fairlead.features.names.context import NamedContext
from fairlead.features.services.hosts import HostsFile
from fairlead.features.services.run import ServicesRun
from fairlead.helper.holders import describe_holders
from fairlead.host.addresses import AddressBook
from fairlead.host.helper import Bound, Helper, HostsReply
from fairlead.kit.tasks import Background
from fairlead.model.service_events import ServiceEvent
from fairlead.policy.hostnames import Scope
from fairlead.policy.hostsblock import Entry
from fairlead.settings import ServicesSettings
from tests.support.fakeapi import FakeApi, Object
from tests.support.nolanes import NoLanes

SCOPE = Scope(bare="ns")
CONTEXT = f"c{os.getpid()}"
"""Two processes that run these tests at once have addresses of their own."""


class Api(FakeApi):
    """Allows everything, and is its own connector."""

    on_unreachable: Any = None

    async def request(self, method: str, path: str, *, body: bytes | None = None) -> Object:
        return {"status": {"allowed": True}}


class Hosts:
    """The helper, as far as a run sees it. ``broken`` is how often it fails."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.lines: Sequence[Entry] = ()
        self.broken = 0.0

    async def hosts(self, entries: Sequence[Entry]) -> HostsReply:
        if self.chance.random() < self.broken:
            raise MachineError("the disk is full")
        self.lines = tuple(entries)
        return HostsReply((), (), ())

    async def bind(self, wanted: Sequence[tuple[str, int]]) -> list[Bound]:
        """No low port is used: what comes here is in use."""
        return [Bound(None, errno.EADDRINUSE, holder) for holder in describe_holders(wanted)]


def taken(address: str, port: int) -> bool:
    """Whether somebody listens there: cheaper than to read the list of listeners, for those that ask often."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((address, port))
        except OSError:
            return True
        return False


@dataclass
class NamedRun:
    """Not started: ``read`` and ``start`` are the test's."""

    api: Api
    helper: Hosts
    hosts: HostsFile
    run: ServicesRun
    told: list[ServiceEvent]


@asynccontextmanager
async def named_run(folder: Path, chance: random.Random | None = None, **settings: Any) -> AsyncIterator[NamedRun]:
    """One of namespace ``ns``, stopped at the end."""
    api, helper, told = Api(), Hosts(chance or random.Random(0)), list[ServiceEvent]()
    async with Background() as tasks:
        hosts = HostsFile(cast("Helper", helper), told.append, "hosts")
        book = AddressBook({"HOME": str(folder)}, lambda text: None)
        run = ServicesRun(ServicesSettings(namespaces=("ns",), **settings), hosts, book, tasks, told.append)
        reach = SimpleNamespace(up=True, suspect=lambda reason: None)
        cluster = cast("Cluster", SimpleNamespace(server=api, reach=reach, lanes=NoLanes()))
        run.contexts.append(NamedContext(CONTEXT, SCOPE, cluster, ("ns",), run))
        try:
            yield NamedRun(api, helper, hosts, run, told)
        finally:
            await run.halt()
            await run.stop(1.0)
