from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairlead.errors import MachineError
from fairlead.host.ready_file import Listening, ReadyFile, of_ports, of_services
from fairlead.model.events import ReadyPort

PORTS = [ReadyPort("svc/web", 8080, 80), ReadyPort("pod/db", 5432, 5432)]


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "ready")


@pytest.fixture
def first(path: str) -> Iterator[ReadyFile]:
    """A run that is ready."""
    made = ReadyFile(path)
    assert made.write(of_ports(PORTS, os.getpid()))
    yield made
    made.remove()


def test_one_line_a_port_with_the_process() -> None:
    assert of_ports(PORTS, 4711) == b"8080 80 svc/web 4711\n5432 5432 pod/db 4711\n"


def test_of_services_one_line_an_address_with_the_process(path: str) -> None:
    groups = [Listening("127.4.5.6", (80, 443), ("web", "web.shop")), Listening("127.4.5.7", (1,), ("db",))]
    assert of_services(groups, 4711) == b"127.4.5.6 80,443 web,web.shop 4711\n127.4.5.7 1 db 4711\n"
    Path(path).write_bytes(of_services(groups * 2000, 4711))
    ReadyFile(path).claim()
    assert not os.path.exists(path), "a killed run's"


def test_it_is_there_from_ready_to_the_end(path: str) -> None:
    ready = ReadyFile(path)
    ready.claim()
    assert not os.path.exists(path)
    before = os.listdir("/proc/self/fd")
    assert ready.write(of_ports(PORTS, os.getpid()))
    assert Path(path).read_bytes() == of_ports(PORTS, os.getpid())
    assert os.stat(path).st_mode & 0o777 == 0o644
    ready.remove()
    assert not os.path.exists(path)
    assert os.listdir("/proc/self/fd") == before
    ready.remove()


def test_the_file_of_a_run_that_lives_is_refused(path: str, first: ReadyFile) -> None:
    """At the start, and when the other run was quicker to be ready."""
    for attempt in (ReadyFile(path).claim, lambda: ReadyFile(path).write(of_ports(PORTS, os.getpid()))):
        with pytest.raises(MachineError, match=rf"cannot write {path}: another run .process {os.getpid()}. has it"):
            attempt()
    assert Path(path).read_bytes() == of_ports(PORTS, os.getpid())


def test_it_is_also_found_through_a_link(path: str, first: ReadyFile, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("ready")
    with pytest.raises(MachineError, match="another run"):
        ReadyFile(str(tmp_path / "link")).claim()


def test_that_of_a_run_which_was_killed_goes_whatever_has_its_number_by_now(path: str) -> None:
    Path(path).write_bytes(of_ports(PORTS, 1))
    ReadyFile(path).claim()
    assert not os.path.exists(path)


def test_one_that_was_left_is_also_found_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(of_ports(PORTS, 1))
    (tmp_path / "link").symlink_to("real")
    ReadyFile(str(tmp_path / "link")).claim()
    assert os.listdir(tmp_path) == ["link"]


@pytest.mark.parametrize(
    "text",
    [b"", b"mine", of_ports(PORTS, 10**8) + b"and mine", b"\xff\xfe", b"8080 80 svc/web 0"],
    ids=["empty", "text", "more than ours", "bytes", "no process"],
)
def test_anything_else_stays_until_all_is_ready(path: str, text: bytes) -> None:
    Path(path).write_bytes(text)
    ready = ReadyFile(path)
    ready.claim()
    ready.remove()
    assert Path(path).read_bytes() == text
    assert ready.write(of_ports(PORTS, os.getpid()))
    assert Path(path).read_bytes() == of_ports(PORTS, os.getpid())
    ready.remove()


def test_what_another_has_written_since_stays(path: str, first: ReadyFile) -> None:
    Path(path).write_bytes(b"another's")
    first.remove()
    assert Path(path).read_bytes() == b"another's"


def test_where_there_are_no_locks_nothing_is_refused_or_taken_for_left(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(descriptor: int, how: int) -> None:
        raise OSError(errno.ENOTSUP, "no locks here")

    monkeypatch.setattr(fcntl, "flock", flock)
    ready = ReadyFile(path)
    assert ready.write(of_ports(PORTS, os.getpid()))
    ReadyFile(path).claim()
    assert os.path.exists(path)
    ready.remove()
    assert not os.path.exists(path)


def test_a_pipe_is_written_to_and_not_opened_before(path: str) -> None:
    os.mkfifo(path)
    ready = ReadyFile(path)
    ready.claim()
    assert not ready.write(of_ports(PORTS, os.getpid()))
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    assert ready.write(of_ports(PORTS, os.getpid()))
    assert os.read(reader, 1000) == of_ports(PORTS, os.getpid())
    os.close(reader)
    ready.remove()
    assert os.path.exists(path)
