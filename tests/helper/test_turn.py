from __future__ import annotations

import os
from pathlib import Path

import pytest

from fairlead.errors import MachineError
from fairlead.helper import journal, turn
from fairlead.helper.journal import Journal


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
