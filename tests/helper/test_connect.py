from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairlead.errors import MachineError
from fairlead.helper import __file__ as package
from fairlead.helper.connect import check_user, connect
from fairlead.helper.processes import owner
from fairlead.policy.hostsblock import Owner

UID = os.getuid()
MAIN = str(Path(package).with_name("__main__.py"))


@pytest.fixture
def us() -> Owner:
    found = owner(os.getpid())
    assert found is not None
    return found


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket"))
        os.chmod(folder / "socket", 0o600)
        listener.listen(5)
        yield folder / "socket"


def test_the_one_that_it_is_told_of_is_reached(place: Path, us: Owner) -> None:
    connect(str(place), UID, us).close()


def test_another_process_is_not(place: Path, us: Owner) -> None:
    for other in (us._replace(pid=os.getppid()), us._replace(start=us.start + 1)):
        with pytest.raises(MachineError, match="not the socket of process"):
            connect(str(place), UID, other)


def test_another_user_is_not(place: Path, us: Owner) -> None:
    with pytest.raises(MachineError, match=f"of user {UID + 1} alone"):
        connect(str(place), UID + 1, us)


def test_a_folder_or_a_socket_that_others_may_change_is_not_trusted(place: Path, us: Owner) -> None:
    for path, kind in ((place, "socket"), (place.parent, "folder")):
        os.chmod(path, 0o722)
        with pytest.raises(MachineError, match=f"{path} is not a {kind} of user"):
            connect(str(place), UID, us)
        os.chmod(path, 0o700)


def test_links_are_not_followed(place: Path, us: Owner, tmp_path: Path) -> None:
    (tmp_path / "other").symlink_to(place.parent)
    (place.parent / "link").symlink_to(place)
    for path in (tmp_path / "other/socket", place.parent / "link"):
        with pytest.raises(MachineError, match="is not a"):
            connect(str(path), UID, us)


def test_a_file_and_nothing_at_all_are_told(tmp_path: Path, us: Owner) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "file").write_text("")
    for path, words in (("file", "not a socket"), ("none", "No such file"), ("none/x", "No such file")):
        with pytest.raises(MachineError, match=words):
            connect(str(tmp_path / path), UID, us)
    with pytest.raises(MachineError, match="not an absolute path"):
        connect("socket", UID, us)


def test_a_socket_that_nobody_listens_on_is_told(tmp_path: Path, us: Owner) -> None:
    tmp_path.chmod(0o700)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "socket"))
        os.chmod(tmp_path / "socket", 0o600)
        with pytest.raises(MachineError, match="refused"):
            connect(str(tmp_path / "socket"), UID, us)


def test_it_serves_whom_sudo_names_or_the_user_who_started_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    check_user(1000, {"SUDO_UID": "1000"})
    check_user(0, {})
    for uid, env in ((1000, {}), (1000, {"SUDO_UID": "1001"}), (0, {"SUDO_UID": "1000"}), (1000, {"SUDO_UID": ""})):
        with pytest.raises(MachineError, match="not started by"):
            check_user(uid, env)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    check_user(1000, {"SUDO_UID": "5"})
    with pytest.raises(MachineError):
        check_user(0, {"SUDO_UID": "0"})


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "is started by fairlead"),
        (["/s", "x", "1", "1", "/h", "/s"], "is started by fairlead"),
        (["/s", "1", "-1", "1", "/h", "/s"], "is started by fairlead"),
        (["/s", "{uid}", "1", "1", "hosts", "/s"], "absolute paths"),
        (["/s", "{other}", "1", "1", "/h", "/s"], "not started by user"),
        (["/none/s", "{uid}", "1", "1", "/h", "/s"], "No such file"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_an_exit_code(words: list[str], said: str) -> None:
    words = [word.format(uid=UID, other=UID + 1) for word in words]
    env = {name: value for name, value in os.environ.items() if name != "SUDO_UID"}
    done = subprocess.run([sys.executable, "-I", "-S", "-B", MAIN, *words], capture_output=True, text=True, env=env)
    assert done.returncode == 12
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_without_a_path_on_standard_input_it_ends_at_once() -> None:
    words = ["-", str(UID), "1", "1", "/h", "/s"]
    env = {name: value for name, value in os.environ.items() if name != "SUDO_UID"}
    done = subprocess.run([sys.executable, "-I", "-S", "-B", MAIN, *words], input=b"", capture_output=True, env=env)
    assert (done.returncode, done.stderr) == (0, b"")
