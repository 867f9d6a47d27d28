from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from fairlead.errors import MachineError
from fairlead.helper import hostsfile, journal, turn
from fairlead.helper.journal import Journal
from fairlead.helper.names import Names
from fairlead.helper.processes import owner
from fairlead.policy.hostsblock import Entry


def test_who_tidies_up_its_journal_leaves_the_turn_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = {path: str(tmp_path / path[1:].replace("/", "-")) for path in (*journal.SYSTEM, turn.FOLDER)}
    folders = [places[path] for path in journal.SYSTEM]
    monkeypatch.setattr(journal, "SYSTEM", tuple(folders))
    monkeypatch.setattr(turn, "PATIENCE", 0.02)
    folder = places[turn.FOLDER]
    with turn.turn(folder) as ours:
        assert ours
        Journal("/etc/hosts", folders).clear()
        with pytest.raises(MachineError, match="another run"), turn.turn(folder):
            raise AssertionError
    assert not os.path.exists(folder)


def test_nobody_keeps_a_user_from_a_file_that_all_may_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by its lock; and the user's own processes still take turns, whatever they call the file."""
    monkeypatch.setattr(hostsfile, "BRIEFLY", 0.01)
    monkeypatch.setattr(turn, "PATIENCE", 0.02)
    path, link, state = tmp_path / "hosts", tmp_path / "link", tmp_path / "state"
    path.write_text("127.0.0.1 localhost\n")
    link.symlink_to(path)
    state.mkdir()
    us = owner(os.getpid())
    assert us is not None
    names = Names(str(path), str(state), us, os.getuid(), {})
    with open(path) as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        names.write([Entry("127.44.5.6", ("web",))])
        assert "web" in path.read_text()
        names.undo()
    assert path.read_text() == "127.0.0.1 localhost\n"
    with turn.turn(turn.users_folder(str(state), str(link))), pytest.raises(MachineError, match="another run"):
        names.write([Entry("127.44.5.6", ("web",))])
    assert not list(state.iterdir())
