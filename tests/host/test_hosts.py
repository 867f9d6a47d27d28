from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from fairlead.errors import MachineError
from fairlead.helper.processes import owner
from fairlead.host.hosts import keep_original, left_behind, what_is_left
from fairlead.policy.hostsblock import Entry, Owner, replace

USUAL = b"127.0.0.1 localhost\n\xff\x00"
BOOT = "29ff7d19-42d5-4048-8d34-000000000000"


def test_the_original_is_kept_once_without_our_lines(tmp_path: Path) -> None:
    hosts, state = tmp_path / "hosts", tmp_path / "state"
    state.mkdir()
    hosts.write_bytes(replace(USUAL, Owner(1, 1, BOOT), [Entry("127.4.4.4", ("db",))]))
    kept = keep_original(str(hosts), str(state))
    assert kept is not None
    assert Path(kept).read_bytes() == USUAL
    assert stat.S_IMODE(os.stat(kept).st_mode) == 0o600
    hosts.write_bytes(b"changed\n")
    assert keep_original(str(hosts), str(state)) is None
    assert Path(kept).read_bytes() == USUAL


def test_each_hosts_file_has_its_own_copy(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text(name)
    kept = [keep_original(str(tmp_path / name), str(tmp_path)) for name in ("one", "two")]
    assert [Path(str(path)).read_text() for path in kept] == ["one", "two"]


def test_what_cannot_be_read_or_kept_is_told(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="cannot read"):
        keep_original(str(tmp_path / "none"), str(tmp_path))
    (tmp_path / "hosts").write_bytes(USUAL)
    with pytest.raises(MachineError, match="cannot write"):
        keep_original(str(tmp_path / "hosts"), str(tmp_path / "none"))


def test_blocks_of_the_dead_are_named(tmp_path: Path) -> None:
    us = owner(os.getpid())
    assert us is not None
    data = replace(USUAL, Owner(4711, 1, BOOT), [Entry("127.4.4.4", ("db",))])
    (tmp_path / "hosts").write_bytes(replace(data, us, [Entry("127.4.4.5", ("web",))]))
    assert left_behind(str(tmp_path / "hosts")) == (4711,)


def test_what_is_left_is_told_with_the_remedy(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    assert what_is_left(str(hosts)) == ""
    hosts.write_bytes(replace(USUAL, Owner(4711, 1, BOOT), [Entry("127.4.4.4", ("db",))]))
    assert what_is_left(str(hosts)) == (
        f"{hosts} still has names of a killed run (pid 4711); fairlead clean --hosts-file {hosts} removes them"
    )
    hosts.write_bytes(replace(hosts.read_bytes(), Owner(4712, 1, BOOT), [Entry("127.4.4.5", ("web",))]))
    assert "names of 2 killed runs (pid 4712, 4711);" in what_is_left(str(hosts))
    hosts.write_bytes(USUAL)
    assert what_is_left(str(hosts)) == ""
