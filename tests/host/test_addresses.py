from __future__ import annotations

import asyncio
import fcntl
import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from fairlead.host import addresses
from fairlead.host.addresses import AddressBook
from fairlead.kit.tasks import spawn
from fairlead.model.named import GroupKey
from fairlead.policy.addresses import MOST, NONE, choice
from tests.support.loop import run

API, DB = GroupKey("kind", "shop", "api"), GroupKey("kind", "shop", "db")
TODAY = 20_000


class Book:
    """One that is asked outside of an event loop."""

    def __init__(self, book: AddressBook) -> None:
        self.book = book
        self.release = book.release

    def allot(
        self,
        keys: Sequence[GroupKey],
        fixed: Mapping[GroupKey, str] = NONE,
        fleeting: Sequence[GroupKey] = (),
    ) -> dict[GroupKey, str]:
        return asyncio.run(self.book.allot(keys, fixed, fleeting=fleeting))

    def refresh(self) -> None:
        asyncio.run(self.book.refresh())


class Home:
    """A user's state folder, what runs said, and the day."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "fairlead"
        self.file = self.folder / "addresses.json"
        self.env = {"XDG_STATE_HOME": str(folder)}
        self.said: list[str] = []
        self.day = TODAY

    def book(self, *kept: str, look_only: bool = False) -> Book:
        return Book(AddressBook(self.env, self.said.append, kept=kept, today=lambda: self.day, look_only=look_only))

    def table(self) -> dict[str, str]:
        return {item["service"]: item["address"] for item in json.loads(self.file.read_text())["entries"]}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_addresses_outlive_the_run(home: Home) -> None:
    taken = choice(API, 0)
    home.book(taken).allot([DB], {DB: taken})
    given = home.book().allot([API])
    assert given == {API: choice(API, 1)}
    assert home.book().allot([API, DB]) == {**given, DB: taken}
    assert stat.S_IMODE(home.file.stat().st_mode) == 0o600
    assert not home.said


def test_the_file_is_left_alone_where_nothing_is_new(home: Home) -> None:
    book = home.book()
    book.allot([API, DB])
    home.file.unlink()
    assert set(book.allot([API])) == {API}
    assert not home.file.exists()


def test_what_a_run_has_is_used_every_day(home: Home) -> None:
    book = home.book()
    book.allot([API, DB])
    for _ in range(40):
        home.day += 1
        book.refresh()
    assert set(home.table()) == {"api", "db"}
    book.release([DB])
    for _ in range(31):
        home.day += 1
        book.refresh()
    assert set(home.table()) == {"api"}


def test_what_was_released_has_its_address_when_it_comes_back(home: Home) -> None:
    book = home.book()
    given = book.allot([API], {API: "127.9.9.9"})
    book.release([API])
    assert book.allot([API]) == given


def test_what_a_run_has_given_stays_whatever_becomes_of_the_file(home: Home) -> None:
    book = home.book()
    given = book.allot([API])
    home.file.unlink()
    home.book().allot([DB], {DB: given[API]})
    assert book.allot([API, DB])[API] == given[API]


def test_a_reservation_later_in_the_run(home: Home) -> None:
    book = home.book("127.9.9.9")
    book.allot([API])
    assert book.allot([API], {API: "127.9.9.9"}) == {API: "127.9.9.9"}
    assert home.table() == {"api": "127.9.9.9"}


def test_a_broken_table_is_made_anew_with_one_note(home: Home) -> None:
    home.folder.mkdir(mode=0o700)
    home.file.write_bytes(b'{"version": 1, \xff')
    book = home.book()
    book.allot([API])
    book.allot([DB])
    assert home.said == [
        f"the table of addresses {home.file} is made anew, as it is broken: some addresses may be others now"
    ]
    assert set(home.table()) == {"api", "db"}


@pytest.mark.parametrize("way", ["unreadable", "unwritable", "lock", "folder", "home"])
def test_without_a_file_the_run_goes_on_with_one_note(home: Home, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    home.folder.mkdir(mode=0o700)
    if way == "unreadable":
        home.file.mkdir()
    elif way == "lock":
        (home.folder / "addresses.json.lock").symlink_to(home.folder / "elsewhere")
    elif way == "folder":
        home.folder.rmdir()
        home.folder.write_text("")
    elif way == "home":
        home.env = {}
    else:
        monkeypatch.setattr(os, "replace", _refuse)
    book = home.book("127.9.9.9")
    given = book.allot([API])
    assert given == {API: choice(API, 0)}
    assert book.allot([DB], {DB: "127.9.9.9"}) == {DB: "127.9.9.9"}
    home.day += 1
    book.refresh()
    assert book.allot([API]) == given
    book.release([API])
    assert book.allot([DB, API], {DB: "127.9.9.9"}) == {**given, DB: "127.9.9.9"}
    (note,) = home.said
    assert note.startswith("addresses are not kept for later runs: ")


def _refuse(source: str, target: str) -> None:
    raise OSError(30, "Read-only file system")


def test_a_lock_that_another_process_keeps_is_tried_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "PATIENCE", 0.01)
    book = home.book()
    with open(home.folder / "addresses.json.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        given = book.allot([API])
        book.refresh()
        assert given == {API: choice(API, 0)}
        assert not home.file.exists()
    book.refresh()
    assert set(home.table()) == {"api"}
    assert home.said == [
        f"another process holds {home.folder}/addresses.json.lock; addresses are not kept for later runs until it ends"
    ]


def test_a_lock_that_stays_is_waited_for_once(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "PATIENCE", 0.3)
    book = home.book()
    with open(home.folder / "addresses.json.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        book.allot([API])
        before = time.monotonic()
        book.refresh()
        book.allot([DB])
        assert time.monotonic() - before < 0.2


def test_other_tasks_go_on_while_another_process_has_the_file(home: Home) -> None:
    async def main() -> None:
        book = home.book().book
        with open(home.folder / "addresses.json.lock", "w") as file:  # noqa: ASYNC230
            fcntl.flock(file, fcntl.LOCK_EX)
            async with asyncio.TaskGroup() as group:
                asking = spawn(group, book.allot([API]), name="ask")
                await asyncio.sleep(0.05)
                assert not asking.done()
                fcntl.flock(file, fcntl.LOCK_UN)

    run(main())
    assert not home.said


def test_a_fleeting_one_is_soon_forgotten(home: Home) -> None:
    book = home.book()
    given = book.allot([API, DB], fleeting=[DB])
    for _ in range(5):
        home.day += 1
        book.refresh()
        assert set(home.table()) == {"api", "db"}, "while it is used"
    book.release([DB])
    assert book.allot([DB], fleeting=[DB]) == {DB: given[DB]}
    book.release([DB])
    home.day += 2
    book.refresh()
    assert set(home.table()) == {"api"}


def test_one_more_in_a_large_table_takes_a_moment(home: Home) -> None:
    """Nothing else of the run moves meanwhile."""
    book = home.book()
    book.allot([GroupKey("kind", f"team-{each % 50}", "runner", f"runner-{each}") for each in range(MOST)])
    before = time.process_time()
    for number in range(10):
        book.allot([GroupKey("kind", "shop", f"one-{number}")])
    assert (time.process_time() - before) / 10 < 0.1
    assert {f"one-{number}" for number in range(10)} < set(home.table())


RUN = """
import asyncio
import sys
from fairlead.host.addresses import AddressBook
from fairlead.kit.tasks import spawn
from fairlead.model.named import GroupKey
from fairlead.policy import addresses

addresses.choice = lambda key, attempt: f"127.7.{attempt // 250}.{1 + attempt % 250}"
book = AddressBook({"XDG_STATE_HOME": sys.argv[1]}, sys.exit)
for number in range(40):
    print(*asyncio.run(book.allot([GroupKey(sys.argv[2], "shop", str(number))])).values())
"""
"""Wants addresses that the others want as well."""


def test_runs_side_by_side_never_have_an_address_in_common(home: Home, tmp_path: Path) -> None:
    runs = [
        subprocess.Popen([sys.executable, "-c", RUN, str(tmp_path), name], stdout=subprocess.PIPE, text=True)
        for name in ("a", "b", "c")
    ]
    given = [address for run in runs for address in run.communicate()[0].split()]
    assert [run.returncode for run in runs] == [0, 0, 0]
    assert len(given) == len(set(given)) == 120


def test_a_look_sees_what_a_run_would_get_and_changes_nothing(home: Home) -> None:
    def look() -> dict[GroupKey, str]:
        return home.book(look_only=True).allot([API, DB])

    first = look()
    assert not home.folder.exists()
    taken = {DB: choice(API, 0)}
    assert home.book().allot([DB], taken) == taken
    before = home.file.read_bytes(), sorted(os.listdir(home.folder))
    assert look() == {API: choice(API, 1), **taken}
    assert first == {API: choice(API, 0), DB: choice(DB, 0)}
    assert (home.file.read_bytes(), sorted(os.listdir(home.folder))) == before
    assert not home.said
