from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from fairlead.errors import MachineError
from fairlead.helper.processes import owner
from fairlead.host import hosts
from fairlead.host.hosts import keep_original, left_behind, require_readable, what_is_left
from fairlead.policy.hostsblock import Entry, Owner, replace

USUAL = b"127.0.0.1 localhost\n\xff\x00"
BOOT = "29ff7d19-42d5-4048-8d34-000000000000"


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The machine's own hosts file."""
    path = tmp_path / "etc"
    monkeypatch.setattr(hosts, "SYSTEM", str(path))
    return path


def test_the_original_is_kept_once_without_our_lines(tmp_path: Path, system: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    system.write_bytes(replace(USUAL, Owner(1, 1, BOOT), [Entry("127.4.4.4", ("db",))]))
    kept = keep_original(str(system), str(state))
    assert kept is not None
    assert Path(kept).read_bytes() == USUAL
    assert stat.S_IMODE(os.stat(kept).st_mode) == 0o600
    system.write_bytes(b"changed\n")
    assert keep_original(str(system), str(state)) is None
    assert Path(kept).read_bytes() == USUAL


@pytest.mark.usefixtures("system")
def test_no_other_file_is_copied(tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(USUAL)
    assert keep_original(str(tmp_path / "mine"), str(tmp_path)) is None
    assert os.listdir(tmp_path) == ["mine"]


def test_what_cannot_be_read_or_kept_is_told(tmp_path: Path, system: Path) -> None:
    with pytest.raises(MachineError, match="cannot read"):
        require_readable(str(system))
    system.write_bytes(USUAL)
    require_readable(str(system))
    with pytest.raises(MachineError, match="cannot write"):
        keep_original(str(system), str(tmp_path / "none"))


def test_blocks_of_the_dead_are_named(tmp_path: Path) -> None:
    us = owner(os.getpid())
    assert us is not None
    data = replace(USUAL, Owner(4711, 1, BOOT), [Entry("127.4.4.4", ("db",))])
    (tmp_path / "hosts").write_bytes(replace(data, us, [Entry("127.4.4.5", ("web",))]))
    assert left_behind(str(tmp_path / "hosts")) == (4711,)


def test_what_is_left_is_told_with_the_remedy(tmp_path: Path) -> None:
    own = tmp_path / "hosts"
    assert what_is_left(str(own)) == ""
    own.write_bytes(replace(USUAL, Owner(4711, 1, BOOT), [Entry("127.4.4.4", ("db",))]))
    assert what_is_left(str(own)) == (
        f"{own} still has names of a killed run (pid 4711); fairlead clean --hosts-file {own} removes them"
    )
    own.write_bytes(replace(own.read_bytes(), Owner(4712, 1, BOOT), [Entry("127.4.4.5", ("web",))]))
    assert "names of 2 killed runs (pid 4712, 4711);" in what_is_left(str(own))
    own.write_bytes(USUAL)
    assert what_is_left(str(own)) == ""
