from __future__ import annotations

import os
from pathlib import Path

import pytest

from fairlead.errors import MachineError
from fairlead.host import privilege
from fairlead.host.privilege import PROMPT, Invoker, environment, helper_prefix, invoker, remove_bytecode

ANN = Invoker(1000, 1000, "ann", "/home/ann")


class Machine:
    """What a user may do, and what there is."""

    def __init__(self, patch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self._patch = patch
        self._tmp_path = tmp_path
        patch.setattr(os, "geteuid", lambda: 1000)
        patch.setattr(privilege, "lowest_free", lambda: 1024)
        patch.setattr(privilege, "_may_bind_low", lambda: False)
        self.set(writable=False, terminal=True, sudo=True)

    def set(self, *, writable: bool = False, terminal: bool = True, sudo: bool = True) -> None:
        self._patch.setattr(os, "access", lambda path, mode, **_: writable if path == "/h" else True)
        self._patch.setattr(privilege, "in_foreground", lambda: terminal)
        (self._tmp_path / "sudo").touch(0o755)
        self._patch.setenv("PATH", str(self._tmp_path) if sudo else "/nowhere")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    return Machine(monkeypatch, tmp_path)


def test_root_and_who_needs_nothing_start_it_as_it_is(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.set(writable=True)
    assert helper_prefix("/h", 0) == ()
    assert helper_prefix("/h", 1024) == ()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    machine.set(writable=False, sudo=False)
    assert helper_prefix("/h", 80) == ()


def test_a_low_port_needs_sudo_unless_this_python_may(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.set(writable=True)
    assert helper_prefix("/h", 80)[0] == "sudo"
    monkeypatch.setattr(privilege, "_may_bind_low", lambda: True)
    assert helper_prefix("/h", 80) == ()
    monkeypatch.setattr(privilege, "_may_bind_low", lambda: False)
    monkeypatch.setattr(privilege, "lowest_free", lambda: 80)
    assert helper_prefix("/h", 80) == ()


def test_sudo_asks_on_a_terminal_and_only_there(machine: Machine) -> None:
    assert helper_prefix("/h", 0) == ("sudo", "-p", PROMPT)
    assert "fairlead" in PROMPT
    assert helper_prefix("/h", 0, ask=False) == ("sudo", "-n")
    machine.set(terminal=False)
    assert helper_prefix("/h", 0) == ("sudo", "-n")


def test_where_there_is_no_sudo_it_says_what_can_be_done(machine: Machine) -> None:
    machine.set(sudo=False)
    with pytest.raises(MachineError) as caught:
        helper_prefix("/h", 80)
    assert caught.value.what == "this user may not write /h and may not open ports below 1024, and there is no sudo"
    for words in ("--hosts-file", "-m PORT:LOCAL", "from ", "ip_unprivileged_port_start"):
        assert words in caught.value.remedy


def test_who_typed_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    found = invoker({"SUDO_UID": "1"})
    assert found is not None
    assert (found.uid, found.name) == (1, "daemon")
    assert invoker({}) is None
    assert invoker({"SUDO_UID": "0"}) is None
    assert invoker({"SUDO_UID": "x"}) is None
    with pytest.raises(MachineError, match="no user 4294967000"):
        invoker({"SUDO_UID": "4294967000"})
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert invoker({"SUDO_UID": "1"}) is None


def test_the_environment_is_that_of_before_sudo_and_what_it_was_told() -> None:
    before = {"HOME": "/home/ann", "PATH": "/home/ann/bin:/bin", "KUBECONFIG": "/k", "LANG": "de", "SUDO_UID": "7"}
    under = {"HOME": "/root", "PATH": "/sbin", "USER": "root", "LANG": "C", "SUDO_UID": "1000", "MAIL": "/m"}
    found = environment(ANN, {**under, "EXTRA": "1"}, before, ["sudo", "EXTRA=1", "fairlead", "svc"])
    assert found == {
        "HOME": "/home/ann",
        "PATH": "/home/ann/bin:/bin",
        "KUBECONFIG": "/k",
        "LANG": "de",
        "EXTRA": "1",
        "TERM": "dumb",
        "USER": "ann",
        "LOGNAME": "ann",
    }
    told = environment(ANN, {**under, "KUBECONFIG": "/other"}, before, ["sudo", "KUBECONFIG=/other", "fairlead"])
    assert told["KUBECONFIG"] == "/other"
    assert environment(ANN, {**under, "KUBECONFIG": "/other"}, before)["KUBECONFIG"] == "/k"


def test_without_a_trace_of_sudo_the_user_is_as_the_system_knows_it() -> None:
    found = environment(ANN, {"HOME": "/root", "USER": "root", "PATH": "/sbin", "TERM": "xterm", "SUDO_GID": "1"}, {})
    assert found == {"HOME": "/home/ann", "USER": "ann", "LOGNAME": "ann", "PATH": "/sbin", "TERM": "xterm"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of two users")
def test_only_what_root_compiled_among_the_users_files_goes(tmp_path: Path) -> None:
    for folder, owner in (("users", 1000), ("roots", 0)):
        cache = tmp_path / folder / "__pycache__"
        cache.mkdir(parents=True)
        os.chown(tmp_path / folder, owner, owner)
        (cache / "a.cpython-311.pyc").touch()
        (cache / "b.cpython-311.pyc").touch()
        os.chown(cache / "b.cpython-311.pyc", 1000, 1000)
        remove_bytecode(str(tmp_path / folder), 1000)
    assert [path.name for path in (tmp_path / "users/__pycache__").iterdir()] == ["b.cpython-311.pyc"]
    assert len(list((tmp_path / "roots/__pycache__").iterdir())) == 2
    (tmp_path / "users/__pycache__/b.cpython-311.pyc").unlink()
    remove_bytecode(str(tmp_path / "users"), 1000)
    assert not (tmp_path / "users/__pycache__").exists()
    (tmp_path / "users/__pycache__").symlink_to(tmp_path / "roots/__pycache__")
    remove_bytecode(str(tmp_path / "users"), 1000)
    assert len(list((tmp_path / "roots/__pycache__").iterdir())) == 2
