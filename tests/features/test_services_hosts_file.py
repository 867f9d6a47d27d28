"""The hosts file of a run, and what is told of it; the helper is in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import cast

import pytest

from fairlead.errors import MachineError, ProtocolError
from fairlead.features.services.hosts import HostsFile
from fairlead.host.helper import Helper, HostsReply, Left
from fairlead.kit.tasks import Background
from fairlead.model.events import Note
from fairlead.policy.hostsblock import Entry
from tests.support.loop import run_virtual

ENTRIES = (Entry("127.44.5.6", ("web", "web.shop")), Entry("127.44.5.7", ("db",)))


class Fake:
    """Answers as it is told, or fails, and counts."""

    def __init__(self) -> None:
        self.asked: list[Sequence[Entry]] = []
        self.reply: HostsReply | Exception = HostsReply((), (), ())

    async def hosts(self, entries: Sequence[Entry]) -> HostsReply:
        self.asked.append(entries)
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


def play(path: Path, body: Callable[[Fake, HostsFile], Awaitable[None]]) -> list[str]:
    """What is told meanwhile."""
    told: list[Note] = []

    async def main() -> None:
        helper = Fake()
        hosts = HostsFile(cast("Helper", helper), told.append, str(path))
        async with Background() as tasks:
            tasks.start(hosts.run(), name="write")
            hosts.want(ENTRIES)
            await hosts.written()
            await body(helper, hosts)

    run_virtual(main())
    return [note.text for note in told]


def test_a_file_that_stays_is_left_alone_and_one_that_others_write_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_text("x")

    async def body(helper: Fake, hosts: HostsFile) -> None:
        await asyncio.sleep(60)
        before = len(helper.asked)
        await asyncio.sleep(3600)
        assert len(helper.asked) == before
        helper.reply = HostsReply((), (), (), lost=True)
        for number in range(3):
            path.write_text("another" * number)
            await asyncio.sleep(6)
            assert len(helper.asked) == before + 1 + number
            assert helper.asked[-1] == ENTRIES
        path.unlink()
        await asyncio.sleep(6)
        assert len(helper.asked) == before + 4

    assert play(path, body) == [f"another program removed this run's names from {path}; they are there again"]


def test_names_of_another_run_are_told_once_and_asked_for_until_they_are_free(tmp_path: Path) -> None:
    async def body(helper: Fake, hosts: HostsFile) -> None:
        helper.reply = HostsReply((Left("web", 7), Left("web.shop", 7)), (), ())
        hosts.want([*ENTRIES, Entry("127.44.5.8", ("new",))])
        await asyncio.sleep(60)
        assert list(hosts.standing) == ["127.44.5.7", "127.44.5.8"]
        helper.reply = HostsReply((Left("web", 7), Left("web.shop", 7), Left("db", 7)), (), ())
        await asyncio.sleep(60)
        helper.reply = HostsReply((), (), ())
        await asyncio.sleep(6)
        assert hosts.standing["127.44.5.6"] == ("web", "web.shop")

    assert play(tmp_path / "none", body) == [
        "left to the run with pid 7, which serves them: web and web.shop",
        "left to the run with pid 7, which serves them: db",
    ]


def test_more_names_than_the_helper_takes_are_named_once(tmp_path: Path) -> None:
    rest = tuple(f"n{number}" for number in range(8))

    async def body(helper: Fake, hosts: HostsFile) -> None:
        helper.reply = HostsReply((), (), (), rest=(*rest, "db"))
        for number in range(3):
            hosts.want(ENTRIES * number)
            await hosts.written()
        assert hosts.standing == {"127.44.5.6": ("web", "web.shop")}

    path = tmp_path / "hosts"
    assert play(path, body) == [
        f"more names than one run can have in {path}, so that these are not there: n0, n1, n2, n3 and 5 more"
    ]


def test_an_error_that_ends_the_run_is_not_told_before(tmp_path: Path) -> None:
    async def body(helper: Fake, hosts: HostsFile) -> None:
        helper.reply = MachineError("the disk is full")
        hosts.want(ENTRIES[:1])
        await hosts.written()
        with pytest.raises(MachineError, match="the disk is full"):
            hosts.check()

    assert play(tmp_path / "hosts", body) == []


def test_without_a_helper_nothing_was_written(tmp_path: Path) -> None:
    async def body(helper: Fake, hosts: HostsFile) -> None:
        hosts.check()
        hosts.helper = None
        hosts.again()
        await hosts.written()
        with pytest.raises(MachineError, match="the helper is gone"):
            hosts.check()

    assert play(tmp_path / "hosts", body) == []


@pytest.mark.parametrize("error", [MachineError("the disk is full"), ProtocolError("too large")])
def test_no_error_of_a_write_ends_the_run(error: Exception, tmp_path: Path) -> None:
    async def body(helper: Fake, hosts: HostsFile) -> None:
        hosts.check()
        helper.reply = error
        hosts.want(ENTRIES[:1])
        await hosts.written()
        with pytest.raises(type(error)):
            hosts.check()
        assert list(hosts.standing) == ["127.44.5.6", "127.44.5.7"]
        helper.reply = HostsReply((), (), ())
        await asyncio.sleep(6)
        hosts.check()
        assert list(hosts.standing) == ["127.44.5.6"]

    path = tmp_path / "none"
    assert play(path, body) == [f"{path} could not be written: {error}"]
