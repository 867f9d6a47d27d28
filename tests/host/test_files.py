from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from fairlead.errors import MachineError
from fairlead.host.files import remove, require_writable, write_atomically


def test_a_file_is_replaced_whole_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "ready"
    path.write_text("before")
    with path.open() as reader:
        write_atomically(str(path), b"after", mode=0o644)
        assert reader.read() == "before"
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("after", 0o644)
    assert os.listdir(tmp_path) == ["ready"]
    remove(str(path), b"after")
    remove(str(path), b"after")
    assert os.listdir(tmp_path) == []


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_atomically(str(tmp_path / "link"), b"x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "x"
    remove(str(tmp_path / "link"), b"x")
    assert os.listdir(tmp_path) == ["link"]


@pytest.mark.parametrize("now", [b"another's", b"ours and more", b"our"])
def test_what_another_has_written_since_stays(tmp_path: Path, now: bytes) -> None:
    path = str(tmp_path / "ready")
    write_atomically(path, b"ours")
    write_atomically(path, now)
    remove(path, b"ours")
    assert (tmp_path / "ready").read_bytes() == now


def test_a_named_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    path = str(tmp_path / "pipe")
    os.mkfifo(path)
    require_writable(path)
    assert not write_atomically(path, b"nobody reads")
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    assert write_atomically(path, b"ready\n")
    assert os.read(reader, 100) == b"ready\n"
    os.close(reader)
    remove(path, b"ready\n")
    assert stat.S_ISFIFO(os.stat(path).st_mode)


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"cannot write .*: No such file or directory"):
        write_atomically(str(tmp_path / "none" / "ready"), b"")


def test_a_pipe_gets_all_of_it_or_it_is_told(tmp_path: Path) -> None:
    path, got = str(tmp_path / "pipe"), bytearray()
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    data = os.urandom(1 << 18)
    assert not write_atomically(path, data)  # the reader sleeps, and a pipe holds 64 KiB
    os.read(reader, 1 << 20)
    os.set_blocking(reader, True)

    def read() -> None:
        while len(got) < len(data):
            got.extend(os.read(reader, 1 << 16))

    thread = threading.Thread(target=read)
    thread.start()
    assert write_atomically(path, data)
    thread.join()
    os.close(reader)
    assert got == data


@pytest.mark.parametrize(
    ("name", "reason"),
    [("none/ready", "No such file or directory"), ("", "Is a directory"), ("file/ready", "No such file or directory")],
)
def test_what_cannot_be_written_is_known_before(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match=f"cannot write .*: {reason}"):
        require_writable(str(tmp_path / name))
    require_writable(str(tmp_path / "file"))
    require_writable(str(tmp_path / "new"))
    assert os.listdir(tmp_path) == ["file"]
