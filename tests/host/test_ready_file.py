from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from fairlead.host.ready_file import content, remove_stale
from fairlead.model.events import ReadyPort

PORTS = [ReadyPort("svc/web", 8080, 80), ReadyPort("pod/db", 5432, 5432)]


def ended() -> int:
    """The id of a process that is no more."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_one_line_a_port_with_the_process() -> None:
    assert content(PORTS, 4711) == b"8080 80 svc/web 4711\n5432 5432 pod/db 4711\n"


def test_that_of_a_process_which_is_no_more_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "ready"
    path.write_bytes(content(PORTS, ended()))
    remove_stale(str(path))
    assert not path.exists()
    remove_stale(str(path))


def test_it_is_also_found_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(content(PORTS, ended()))
    (tmp_path / "link").symlink_to("real")
    remove_stale(str(tmp_path / "link"))
    assert os.listdir(tmp_path) == ["link"]


@pytest.mark.parametrize(
    "text",
    [
        content(PORTS, os.getpid()),
        content(PORTS, 1),
        b"",
        b"mine",
        content(PORTS, 10**8) + b"and mine",
        b"\xff\xfe",
        b"8080 80 svc/web 0",
    ],
    ids=["of a run", "of the first process", "empty", "text", "more than ours", "bytes", "no process"],
)
def test_anything_else_stays(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "ready"
    path.write_bytes(text)
    remove_stale(str(path))
    assert path.read_bytes() == text


def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    remove_stale(str(tmp_path / "pipe"))
    assert (tmp_path / "pipe").exists()
