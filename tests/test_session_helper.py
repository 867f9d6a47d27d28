"""The helper of a run: when it is started, started again and ended, and what is told; it is in memory here."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from fairlead.errors import MachineError
from fairlead.features.services.hosts import HostsFile
from fairlead.host import hosts as machine
from fairlead.host.helper import Helper, HostsReply
from fairlead.host.helper_start import Rights
from fairlead.host.privilege import NO_PORT, LowPort
from fairlead.kit.tasks import Background, spawn
from fairlead.model.events import Note
from fairlead.model.service_events import ServiceEvent
from fairlead.policy.hostsblock import Entry
from fairlead.session import helper as session_helper
from fairlead.session import services
from fairlead.session.helper import RESTART, HelperKeeper
from fairlead.settings import ClusterOptions, ServicesSettings
from tests.support.loop import now, run_virtual

LINE = Entry("127.44.5.6", ("web",))


class Fake:
    """A helper, and how all of them are started."""

    refusal: str = ""
    takes: float = 0.0
    """Seconds that a start takes."""
    made: list[Fake]

    def __init__(self, on_gone: Callable[[bool], None], rights: Rights) -> None:
        self.on_gone = on_gone
        self.rights = rights
        self.at = now()
        self.asked: list[Sequence[Entry]] = []
        self.closed = False
        self.undoes = True
        """Unless it is killed meanwhile."""

    @classmethod
    async def start(cls, path: str, rights: Rights, env: Any, *, on_gone: Any, early: Any) -> Fake:
        await asyncio.sleep(cls.takes)
        if cls.refusal:
            raise MachineError(cls.refusal)
        made = cls(on_gone, rights)
        cls.made.append(made)
        return made

    async def hosts(self, entries: Sequence[Entry]) -> HostsReply:
        self.asked.append(entries)
        return HostsReply((), (), ())

    async def close(self) -> bool:
        self.closed = True
        return self.undoes


class Scene:
    def __init__(self, path: Path, tasks: Background) -> None:
        self.told: list[str] = []
        self.path = path
        self.hosts = HostsFile(None, self.tell, str(path))
        self.keeper = HelperKeeper(self.hosts, str(path), lambda: NO_PORT, tasks, self.tell, None)
        self.tasks = tasks

    def tell(self, note: Note) -> None:
        self.told.append(note.text)

    async def serve(self) -> None:
        await self.keeper.start()
        self.tasks.start(self.hosts.run(), name="write")
        self.hosts.want([LINE])
        await self.hosts.written()


def rights(path: str, lowest: LowPort = NO_PORT, *, ask: bool = True, to_remove: bool = False) -> Rights:
    return Rights(("sudo", "-p", "to remove" if to_remove else "to write") if ask else ("sudo", "-n"))


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Scene], Awaitable[None]]], list[str]]:
    """What is told meanwhile."""
    path = tmp_path / "hosts"
    path.write_text("127.0.0.1 localhost\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    kind: Any = type("Helpers", (Fake,), {"made": []})
    monkeypatch.setattr(Helper, "start", kind.start)
    monkeypatch.setattr(session_helper, "helper_rights", rights)
    monkeypatch.setattr(machine, "SYSTEM", str(tmp_path / "none"))
    monkeypatch.setattr(session_helper, "SYSTEM", str(tmp_path / "none"))

    def run(body: Callable[[Scene], Awaitable[None]]) -> list[str]:
        async def main() -> list[str]:
            async with Background() as tasks:
                scene = Scene(path, tasks)
                await body(scene)
                return scene.told

        return run_virtual(main())

    return run


def helpers() -> type[Fake]:
    return Helper.start.__self__  # type: ignore[attr-defined,no-any-return]


def test_a_helper_that_is_lost_is_replaced_at_once_and_has_the_names_to_write(play: Any) -> None:
    async def body(scene: Scene) -> None:
        await scene.serve()
        helpers().made[0].on_gone(True)
        assert scene.hosts.standing == {}
        await asyncio.sleep(1)
        assert helpers().made[1].asked == [(LINE,)]
        await scene.keeper.end()
        assert helpers().made[1].closed

    assert play(body) == ["the helper was gone; another one took its place"]


def test_helpers_that_end_at_once_are_not_started_without_a_pause(play: Any) -> None:
    async def body(scene: Scene) -> None:
        await scene.serve()
        for _ in range(4):
            count = len(helpers().made)
            helpers().made[-1].on_gone(False)
            while len(helpers().made) == count:
                await asyncio.sleep(0.1)
        starts = [made.at for made in helpers().made[1:]]
        assert all(later - earlier > RESTART - 0.01 for earlier, later in itertools.pairwise(starts)), starts

    play(body)


def test_one_that_is_lost_again_at_once_is_told_before_another_is_tried(play: Any) -> None:
    async def body(scene: Scene) -> None:
        await scene.serve()
        helpers().made[0].on_gone(False)
        await asyncio.sleep(1)
        helpers().made[1].on_gone(False)
        await asyncio.sleep(0.1)
        assert scene.told[1:] == [
            f"the helper is gone again, and {scene.path} still has its names; another one is tried in 9 s"
        ]
        await asyncio.sleep(10)

    took_its_place = "the helper was gone; another one took its place"
    assert play(body)[::2] == [took_its_place, took_its_place]


def test_who_does_not_wait_for_the_end_is_told_what_stays(play: Any) -> None:
    async def body(scene: Scene) -> None:
        await scene.serve()
        scene.keeper.tell_what_stays()
        helpers().refusal = "a password is required"
        helpers().made[0].on_gone(False)
        await asyncio.sleep(1)
        scene.told.clear()
        helpers().refusal, helpers().takes = "", 5.0
        async with asyncio.TaskGroup() as group:
            spawn(group, scene.keeper.end(), name="end")
            await asyncio.sleep(1)  # sudo asks
            scene.keeper.tell_what_stays()
        scene.keeper.tell_what_stays()
        command = f"fairlead clean --hosts-file {scene.path}"
        assert scene.told == [f"{scene.path} still has the names of this run; {command} removes them"]

    play(body)


def test_one_that_cannot_be_had_again_is_told_once_and_tried_for(play: Any) -> None:
    async def body(scene: Scene) -> None:
        await scene.serve()
        helpers().refusal = "a password is required"
        helpers().made[0].on_gone(False)
        await asyncio.sleep(60)
        helpers().refusal = ""
        await asyncio.sleep(11)

    first, second = play(body)
    assert first.endswith("still has its names: end this run and start it again; a password is required")
    assert second == "the helper was gone; another one took its place"


def test_one_that_is_being_started_at_the_end_writes_nothing_any_more(play: Any) -> None:
    async def body(scene: Scene) -> None:
        await scene.serve()
        helpers().takes = 1.0
        helpers().made[0].on_gone(False)
        await asyncio.sleep(0.5)
        await scene.keeper.end()
        await asyncio.sleep(5)
        # The one that removes what the first has left.
        _, last = helpers().made
        assert (last.asked, last.closed) == ([()], True)
        last.on_gone(True)
        await asyncio.sleep(60)
        assert len(helpers().made) == 2

    assert play(body) == []


def test_what_stays_at_the_end_is_told(play: Any) -> None:
    async def body(scene: Scene) -> None:
        await scene.serve()
        helpers().refusal = "a password is required"
        helpers().made[0].on_gone(False)
        with pytest.raises(
            MachineError,
            match=r"still has the names of this run: a password .*\(fairlead clean --hosts-file .* removes",
        ):
            await scene.keeper.end()

    play(body)


def test_what_one_that_was_killed_at_the_end_has_left_another_one_removes(play: Any) -> None:
    async def body(scene: Scene) -> None:
        await scene.serve()
        helpers().made[0].undoes = False
        await scene.keeper.end()
        _, last = helpers().made
        assert (last.asked, last.closed) == ([()], True)
        assert last.rights.prefix == ("sudo", "-p", "to remove")

    assert play(body) == []


def test_a_copy_is_made_and_told_once_the_helper_is_there(play: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(scene: Scene) -> None:
        monkeypatch.setattr(machine, "SYSTEM", str(scene.path))
        monkeypatch.setattr(session_helper, "SYSTEM", str(scene.path))
        copy = scene.path.parent / ".local/state/fairlead/hosts.original"
        helpers().refusal = "a password is required"
        with pytest.raises(MachineError):
            await scene.keeper.start()
        assert not scene.told
        assert not copy.exists()
        helpers().refusal = ""
        await scene.keeper.start()
        assert scene.told == [f"a copy of {scene.path} as it was before the first change is in {copy}"]

    play(body)


def test_nobody_is_asked_for_a_password_where_there_is_no_such_file(play: Any) -> None:
    async def body(scene: Scene) -> None:
        scene.path.unlink()
        with pytest.raises(MachineError, match="make it first: touch"):
            await scene.keeper.start()
        assert not helpers().made

    play(body)


def test_a_state_folder_that_cannot_be_made_is_told_once_where_the_systems_file_is_copied_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hosts").write_text("")
    monkeypatch.setattr(machine, "SYSTEM", str(tmp_path / "hosts"))
    monkeypatch.setattr("fairlead.host.descriptors.raise_limit", lambda: None)
    monkeypatch.setattr("gc.freeze", lambda: None)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "hosts"))
    told: list[ServiceEvent] = []
    with pytest.raises(MachineError, match=r"cannot use the folder .*set XDG_STATE_HOME"):
        services.run(ServicesSettings(hosts_file=str(tmp_path / "hosts")), ClusterOptions(), told.append)
    assert not told
