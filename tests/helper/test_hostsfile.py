from __future__ import annotations

import errno
import fcntl
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from fairlead.errors import MachineError
from fairlead.helper import hostsfile
from fairlead.helper.journal import Journal, complete
from fairlead.helper.writers import describe_writer

USUAL = b"127.0.0.1 localhost\n10.0.0.5 db\n"


@pytest.fixture
def hosts(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    path = tmp_path / "etc/hosts"
    path.write_bytes(USUAL)
    return path


@pytest.fixture
def journals(tmp_path: Path) -> list[str]:
    return [str(tmp_path / "journal")]


def first(line: bytes) -> Callable[[bytes], bytes]:
    return lambda data: line + data


def last(line: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data + line


@pytest.fixture
def mounted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hosts file that is mounted by itself cannot be replaced."""
    rename = os.rename

    def busy(source: str, target: str) -> None:
        if source.endswith(".fairlead"):
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        rename(source, target)

    monkeypatch.setattr(os, "rename", busy)


def test_it_is_replaced_at_once_and_nothing_is_left(hosts: Path, journals: list[str]) -> None:
    with open(hosts, "rb") as reader:
        hostsfile.update(str(hosts), first(b"x\n"), journals)
        assert reader.read() == USUAL, "who reads has the old one"
    assert hosts.read_bytes() == b"x\n" + USUAL
    assert os.listdir(hosts.parent) == ["hosts"]
    assert not os.path.exists(journals[0])


def test_without_a_change_nothing_is_written(hosts: Path, journals: list[str]) -> None:
    before = hosts.stat()
    hostsfile.update(str(hosts), lambda data: data, journals)
    assert hosts.stat().st_ino == before.st_ino
    assert hosts.stat().st_mtime_ns == before.st_mtime_ns


def test_mode_owner_and_attributes_are_kept(hosts: Path, journals: list[str]) -> None:
    hosts.chmod(0o664)
    try:
        os.setxattr(hosts, "user.note", b"mine")
        attributes = {"user.note": b"mine"}
    except OSError:
        attributes = {}
    if os.geteuid() == 0:
        os.chown(hosts, 12, 34)
    before = hosts.stat()
    hostsfile.update(str(hosts), first(b"x\n"), journals)
    after = hosts.stat()
    assert after.st_ino != before.st_ino
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert {name: os.getxattr(hosts, name) for name in os.listxattr(hosts)} == attributes


def test_a_link_leads_to_the_file_that_changes(hosts: Path, journals: list[str], tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(hosts)
    hostsfile.update(str(link), first(b"x\n"), journals)
    assert link.is_symlink()
    assert hosts.read_bytes() == b"x\n" + USUAL


def test_another_hard_link_shows_the_same_still(hosts: Path, journals: list[str], tmp_path: Path) -> None:
    os.link(hosts, tmp_path / "second")
    hostsfile.update(str(hosts), first(b"x\n"), journals)
    assert (tmp_path / "second").read_bytes() == b"x\n" + USUAL


@pytest.mark.usefixtures("mounted")
@pytest.mark.parametrize("content", [b"x\n" + USUAL, b"127.0.0.1 localhost\n", b""])
def test_a_file_that_cannot_be_replaced_is_written_in_place(hosts: Path, journals: list[str], content: bytes) -> None:
    before = hosts.stat().st_ino
    hostsfile.update(str(hosts), lambda data: content, journals)
    assert hosts.read_bytes() == content
    assert hosts.stat().st_ino == before
    assert os.listdir(hosts.parent) == ["hosts"]
    assert os.listdir(journals[0]) == []


@pytest.mark.usefixtures("mounted")
def test_what_others_add_while_the_journal_is_written_stays(
    hosts: Path, journals: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write, added = Journal.write, [b"10.9.9.9 later\n"]

    def slow(journal: Journal, before: bytes, after: bytes) -> None:
        write(journal, before, after)
        if added:
            hosts.write_bytes(hosts.read_bytes() + added.pop())

    monkeypatch.setattr(Journal, "write", slow)
    hostsfile.update(str(hosts), lambda data: b"x\n" + data.removeprefix(b"x\n"), journals)
    assert hosts.read_bytes() == b"x\n" + USUAL + b"10.9.9.9 later\n"


@pytest.mark.usefixtures("mounted")
def test_a_full_disk_leaves_it_as_it_was(hosts: Path, journals: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    write, inode = os.pwrite, hosts.stat().st_ino

    def full(file: int, data: bytes, at: int) -> int:
        if os.fstat(file).st_ino != inode or not data.startswith(b"new"):
            return write(file, data, at)
        if at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(file, data[:9], at)  # the rest does not fit

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(MachineError, match="No space left"):
        hostsfile.update(str(hosts), first(b"new" * 10), journals)
    assert hosts.read_bytes() == USUAL


@pytest.mark.parametrize("wanted", [b"# ours\n" * 50 + USUAL, b"127.0.0.1 localhost\n", b"", USUAL + b"more\n"])
def test_a_file_that_was_half_written_is_completed_at_any_byte(wanted: bytes) -> None:
    for written in range(len(wanted) + 1):
        torn = wanted[:written] + USUAL[written:]
        if torn != USUAL:
            assert complete(torn, USUAL, wanted) == wanted
        added = complete(torn + b"10.9.9.9 later\n", USUAL, wanted)
        if written < len(USUAL) and torn != USUAL:
            assert added == wanted + b"10.9.9.9 later\n"
        assert added.endswith(b"10.9.9.9 later\n")


@pytest.mark.parametrize(
    "edited", [b"", b"x" + USUAL, USUAL.replace(b"db", b"other"), b"# ours\n" + USUAL.replace(b"db", b"other")]
)
def test_a_file_that_somebody_edited_since_is_left_alone(edited: bytes) -> None:
    assert complete(edited, USUAL, b"# ours\n" + USUAL) == edited


class KilledError(BaseException):
    """Stands for SIGKILL: nothing is tidied up."""


@pytest.mark.usefixtures("mounted")
def test_what_a_killed_writer_left_is_completed_and_tidied(
    hosts: Path, journals: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, write, inode = b"# ours\n" + USUAL, os.pwrite, hosts.stat().st_ino

    def die(file: int, data: bytes, at: int) -> int:
        written = write(file, data[:12], at)
        if os.fstat(file).st_ino == inode:
            raise KilledError
        return written

    with monkeypatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(os, "pwrite", die)
        hostsfile.update(str(hosts), lambda data: wanted, journals)
    assert hosts.read_bytes() == wanted[:12] + USUAL[12:]
    (hosts.parent / ".hosts.fairlead").write_bytes(b"half")
    hostsfile.update(str(hosts), lambda data: data, journals)
    assert hosts.read_bytes() == wanted
    assert os.listdir(hosts.parent) == ["hosts"]
    assert os.listdir(journals[0]) == []


@pytest.mark.usefixtures("mounted")
def test_a_writer_that_is_killed_while_it_completes_anothers_work_loses_nothing(
    hosts: Path, journals: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = b"# ours\n" + USUAL
    Journal(str(hosts), journals).write(USUAL, wanted)
    torn = wanted[:12] + USUAL[12:]
    hosts.write_bytes(torn)

    def die(file: int) -> None:
        raise KilledError

    with monkeypatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(os, "fsync", die)
        hostsfile.update(str(hosts), first(b"more\n"), journals)
    assert hosts.read_bytes() == torn
    hostsfile.update(str(hosts), lambda data: data, journals)
    assert hosts.read_bytes() == wanted


def test_a_journal_of_somebody_else_is_not_believed(hosts: Path, journals: list[str], tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make another user's file")
    os.mkdir(journals[0])
    os.chown(journals[0], 12, 34)
    with pytest.raises(MachineError, match="cannot keep a record"):
        os.link(hosts, tmp_path / "second")
        hostsfile.update(str(hosts), first(b"x\n"), journals)
    assert hosts.read_bytes() == USUAL


# -- others --

APPENDER = "import sys\nfor n in range(300):\n with open(sys.argv[1], 'a') as f: f.write(f'10.0.0.1 n{n}\\n')"


def test_nothing_is_lost_of_what_others_append_meanwhile(hosts: Path, journals: list[str]) -> None:
    with subprocess.Popen([sys.executable, "-c", APPENDER, str(hosts)]) as other:
        number = 0
        while other.poll() is None:
            number += 1
            hostsfile.update(str(hosts), ours(number), journals)
    hostsfile.update(str(hosts), without_ours, journals)
    assert other.returncode == 0
    lines = hosts.read_bytes().removeprefix(USUAL).splitlines()
    assert sorted(lines) == sorted(b"10.0.0.1 n%d" % each for each in range(300))


def ours(number: int) -> Callable[[bytes], bytes]:
    return lambda data: b"# ours %d\n" % number * (number % 7) + without_ours(data)


def without_ours(data: bytes) -> bytes:
    return b"".join(line for line in data.splitlines(keepends=True) if not line.startswith(b"# ours"))


def test_what_somebody_writes_anew_meanwhile_is_what_counts(
    hosts: Path, journals: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rename, others = os.rename, b"127.0.0.1 localhost\n10.0.0.9 else\n"

    def late(source: str, target: str) -> None:
        monkeypatch.undo()
        with open(hosts, "wb") as file:
            rename(source, target)
            file.write(others)

    monkeypatch.setattr(os, "rename", late)
    hostsfile.update(str(hosts), lambda data: b"x\n" + data, journals)
    assert hosts.read_bytes() == b"x\n127.0.0.1 localhost\n10.0.0.9 else\n"


@pytest.mark.parametrize("links", [1, 2])
def test_a_slow_writer_is_waited_for(hosts: Path, journals: list[str], tmp_path: Path, links: int) -> None:
    """Such as ``curl URL > FILE``: it goes on from where it was, in the file that it opened."""
    if links == 2:
        os.link(hosts, tmp_path / "second")  # so that it is written in place
    wanted, half, done = USUAL * 20, threading.Event(), threading.Event()

    def write() -> None:
        with open(hosts, "wb", buffering=0) as file:
            file.write(wanted[:100])
            half.set()
            assert done.wait(0.3) is False
            file.write(wanted[100:])

    writer = threading.Thread(target=write)
    writer.start()
    half.wait()
    hostsfile.update(str(hosts), first(b"x\n"), journals)
    done.set()
    writer.join()
    assert hosts.read_bytes() == b"x\n" + wanted


def test_a_lock_that_somebody_keeps_does_not_stop_who_takes_turns_elsewhere(
    hosts: Path, journals: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hostsfile, "BRIEFLY", 0.01)
    with open(hosts) as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        hostsfile.update(str(hosts), first(b"x\n"), journals, turns=str(tmp_path / "turns"))
    assert hosts.read_bytes() == b"x\n" + USUAL
    assert not (tmp_path / "turns").exists()


def test_what_somebody_puts_in_its_place_meanwhile_is_what_counts(hosts: Path, journals: list[str]) -> None:
    def edit(data: bytes) -> bytes:
        if data == USUAL:
            (hosts.parent / "new").write_bytes(b"10.0.0.9 else\n")
            os.rename(hosts.parent / "new", hosts)
        return b"x\n" + data

    hostsfile.update(str(hosts), edit, journals)
    assert hosts.read_bytes() == b"x\n10.0.0.9 else\n"


def test_several_of_ours_take_turns(hosts: Path, journals: list[str]) -> None:
    def add(name: bytes) -> None:
        for number in range(25):
            hostsfile.update(str(hosts), last(b"%s %d\n" % (name, number)), journals)

    threads = [threading.Thread(target=add, args=(name,)) for name in (b"a", b"b", b"c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = hosts.read_bytes().removeprefix(USUAL).splitlines()
    assert sorted(lines) == sorted(b"%s %d" % (name, number) for name in (b"a", b"b", b"c") for number in range(25))


def test_a_lock_that_stays_is_told_with_its_holder(
    hosts: Path, journals: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hostsfile, "PATIENCE", 0.05)
    with open(hosts) as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        with pytest.raises(MachineError, match=f"process {os.getpid()} has kept it locked"):
            hostsfile.update(str(hosts), first(b"x\n"), journals)


def test_who_has_it_open_for_writing_is_named(
    hosts: Path, journals: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hostsfile, "PATIENCE", 0.05)
    with open(hosts, "ab"), pytest.raises(MachineError, match=rf"\(pid {os.getpid()}\) has it open for writing"):
        hostsfile.update(str(hosts), first(b"x\n"), journals)
    monkeypatch.setattr(hostsfile, "describe_writer", lambda path: "")
    with open(hosts, "ab"), pytest.raises(MachineError, match="somebody has it open for writing"):
        hostsfile.update(str(hosts), first(b"x\n"), journals)
    assert hosts.read_bytes() == USUAL


def test_who_only_reads_it_is_no_writer(hosts: Path) -> None:
    with open(hosts):
        assert describe_writer(str(hosts)) == ""


def test_a_file_that_may_not_be_written_has_a_remedy(
    hosts: Path, journals: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: str, target: str) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(MachineError, match=r"Read-only file system \(--hosts-file names another file\)"):
        hostsfile.update(str(hosts), first(b"x\n"), journals)


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe"])
def test_what_is_no_file_is_refused(tmp_path: Path, journals: list[str], kind: str) -> None:
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(MachineError):
        hostsfile.update(str(path), first(b"x\n"), journals)
    with pytest.raises(MachineError):
        hostsfile.read(str(path))
    if kind != "missing":
        assert not stat.S_ISREG(path.stat().st_mode)
