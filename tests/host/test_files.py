from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from fairlead.errors import MachineError
from fairlead.host.files import remove, write_atomically


def test_a_file_is_replaced_whole_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "ready"
    path.write_text("before")
    with path.open() as reader:
        write_atomically(str(path), b"after", mode=0o644)
        assert reader.read() == "before"
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("after", 0o644)
    assert os.listdir(tmp_path) == ["ready"]
    remove(str(path))
    remove(str(path))
    assert os.listdir(tmp_path) == []


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_atomically(str(tmp_path / "link"), b"x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "x"


def test_a_named_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    path = str(tmp_path / "pipe")
    os.mkfifo(path)
    with pytest.raises(MachineError, match=r"cannot write .*pipe"):
        write_atomically(path, b"nobody reads")
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(path, b"ready\n")
    assert os.read(reader, 100) == b"ready\n"
    os.close(reader)
    remove(path)
    assert stat.S_ISFIFO(os.stat(path).st_mode)


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"cannot write .*: No such file or directory"):
        write_atomically(str(tmp_path / "none" / "ready"), b"")
