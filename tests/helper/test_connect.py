from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from fairlead.errors import MachineError
from fairlead.helper import __file__ as package
from fairlead.helper import connect
from fairlead.helper.connect import check_user, connection
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
def pair() -> Iterator[socket.socket]:
    """One end of two that this process made, which is open."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield theirs


def test_the_one_that_it_is_told_of_is_served(pair: socket.socket, us: Owner) -> None:
    with connection(pair.fileno(), UID, us) as sock:
        assert not os.get_inheritable(sock.fileno())


def test_another_process_is_not(pair: socket.socket, us: Owner) -> None:
    for other in (us._replace(pid=os.getppid()), us._replace(start=us.start + 1), us._replace(pid=0)):
        with pytest.raises(MachineError, match="not made by process"):
            connection(pair.fileno(), UID, other)


def test_whoever_has_the_socket_of_another_process_is_not(us: Owner) -> None:
    """It counts who made it, not who holds it."""
    program = "from socket import *; a, b = socketpair(); send_fds(socket(fileno=1), [b'x'], [a.fileno()])"
    near, far = socket.socketpair()
    with near, far:
        subprocess.run([sys.executable, "-c", program], stdout=far.fileno(), check=True)
        _, (descriptor,), _, _ = socket.recv_fds(near, 1, 1)
        with socket.socket(fileno=descriptor), pytest.raises(MachineError, match=f"not made by process {us.pid}"):
            connection(descriptor, UID, us)


def test_another_user_is_not_but_root_is(pair: socket.socket, us: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    for made_by, served in ((UID + 1, False), (UID, True), (0, True)):
        monkeypatch.setattr(connect, "peer", lambda sock, by=made_by: (us.pid, by))
        with nullcontext() if served else pytest.raises(MachineError, match=f"of user {UID}"):
            connection(pair.fileno(), UID, us).close()


def test_what_is_no_socket_of_this_machine_is_told(us: Owner) -> None:
    reader, writer = os.pipe()
    with open(reader), open(writer, "w"), pytest.raises(MachineError, match="has no socket"):
        connection(reader, UID, us)
    with socket.socket() as sock, pytest.raises(MachineError, match="not made by"):
        connection(sock.fileno(), UID, us)


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
        (["x", "1", "1", "/h", "/s"], "is started by fairlead"),
        (["1", "-1", "1", "/h", "/s"], "is started by fairlead"),
        (["{uid}", "1", "1", "hosts", "/s"], "absolute paths"),
        (["{other}", "1", "1", "/h", "/s"], "not started by user"),
        (["{uid}", "1", "1", "/h", "/s"], "has no socket"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_an_exit_code(words: list[str], said: str) -> None:
    words = [word.format(uid=UID, other=UID + 1) for word in words]
    env = {name: value for name, value in os.environ.items() if name != "SUDO_UID"}
    command = [sys.executable, "-I", "-S", "-B", MAIN, *words]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env)
    assert done.returncode == 12
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
