from __future__ import annotations

import os
from pathlib import Path

import pytest

from fairlead.errors import MachineError
from fairlead.host import hosts, privilege
from fairlead.host.helper_start import Rights
from fairlead.host.privilege import NO_PORT, Invoker, LowPort, environment, helper_rights, invoker, remove_bytecode

WEB = LowPort(80, "web", 80)
ANN = Invoker(1000, 1000, "ann", "/home/ann")


class Machine:
    """What a user may do, and what there is."""

    def __init__(self, patch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self._patch = patch
        self._tmp_path = tmp_path
        patch.setattr(os, "geteuid", lambda: 1000)
        patch.setattr(privilege, "lowest_free", lambda: 1024)
        patch.setattr(privilege, "_may_bind_low", lambda: False)
        patch.setattr(hosts, "SYSTEM", "/h")
        self.set()

    def set(
        self,
        *,
        writable: bool = False,
        foreground: bool = True,
        terminal: bool = True,
        sudo: bool = True,
        path: str = "/h",
    ) -> None:
        self._patch.setattr(os, "access", lambda place, mode, **_: writable if place == path else True)
        self._patch.setattr(privilege, "in_foreground", lambda: foreground)
        self._patch.setattr(privilege, "has_terminal", lambda: terminal)
        (self._tmp_path / "sudo").touch(0o755)
        self._patch.setenv("PATH", str(self._tmp_path) if sudo else "/nowhere")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    return Machine(monkeypatch, tmp_path)


def test_root_and_who_needs_nothing_start_it_as_it_is(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.set(writable=True)
    assert helper_rights("/h") == Rights()
    assert helper_rights("/h", LowPort(1024, "web", 1024)) == Rights()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    machine.set(writable=False, sudo=False)
    assert helper_rights("/h", WEB) == Rights()


def test_a_low_port_needs_sudo_unless_this_python_may(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.set(writable=True)
    assert helper_rights("/h", WEB).prefix[0] == "sudo"
    monkeypatch.setattr(privilege, "_may_bind_low", lambda: True)
    assert helper_rights("/h", WEB) == Rights()
    monkeypatch.setattr(privilege, "_may_bind_low", lambda: False)
    monkeypatch.setattr(privilege, "lowest_free", lambda: 80)
    assert helper_rights("/h", WEB) == Rights()


@pytest.mark.parametrize(
    ("writable", "lowest", "to_remove", "aim"),
    [
        (False, NO_PORT, False, "write the hosts file"),
        (True, WEB, False, "open low ports"),
        (False, WEB, False, "write the hosts file and to open low ports"),
        (False, NO_PORT, True, "remove the names from /h"),
    ],
)
def test_sudo_asks_for_what_is_needed(
    machine: Machine, writable: bool, lowest: LowPort, to_remove: bool, aim: str
) -> None:
    machine.set(writable=writable)
    assert helper_rights("/h", lowest, to_remove=to_remove).prefix == (
        "sudo", "-p", f"[fairlead] password of %p, to {aim}: ",
    )  # fmt: skip


def test_sudo_asks_in_the_foreground_of_a_terminal_and_only_there(machine: Machine) -> None:
    assert helper_rights("/h", ask=False).prefix == ("sudo", "-n")
    machine.set(foreground=False)
    found = helper_rights("/h")
    assert found.prefix == ("sudo", "-n")
    assert found.remedy.startswith("start it in the foreground, or run sudo -v first; --hosts-file")
    machine.set(foreground=False, terminal=False)
    assert "foreground" not in helper_rights("/h").remedy


FILE, PORT = "--hosts-file names a file of your own", "-m 80:8080 listens on another port"


@pytest.mark.parametrize(
    ("writable", "lowest", "why", "remedy"),
    [
        (False, NO_PORT, "/h needs root", FILE),
        (True, WEB, "web:80 needs root, as a port below 1024", PORT),
        (False, WEB, "/h needs root, and so does web:80, as a port below 1024", f"{FILE}; {PORT}"),
        (True, LowPort(81, "head"), "head:81 needs root, as a port below 1024", ""),
        (
            True,
            LowPort(53, "dns", 5353),
            "local port 53 for dns:5353 needs root, as a port below 1024",
            "-m 5353:8053 listens on another port",
        ),
    ],
)
def test_what_needs_root_is_named_and_what_can_be_done_about_that(
    machine: Machine, writable: bool, lowest: LowPort, why: str, remedy: str
) -> None:
    machine.set(writable=writable)
    found = helper_rights("/h", lowest)
    assert (found.why, found.remedy) == (why, remedy)
    machine.set(writable=writable, sudo=False)
    with pytest.raises(MachineError) as caught:
        helper_rights("/h", lowest)
    assert (caught.value.what, caught.value.remedy) == (f"{why}, and there is no sudo", remedy)


def test_who_only_removes_names_is_told_nothing_of_ports_and_other_files(machine: Machine) -> None:
    assert helper_rights("/h", to_remove=True)[1:] == ("/h needs root", "")


@pytest.mark.parametrize(("owner", "remedy"), [(1000, "chmod u+w {}"), (1, "--hosts-file names another")])
def test_a_file_of_ones_own_that_is_read_only_says_so(
    machine: Machine, tmp_path: Path, owner: int, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "own"
    path.touch()
    found = os.stat(path)
    monkeypatch.setattr(os, "stat", lambda path: os.stat_result([*found[:4], owner, *found[5:10]]))
    machine.set(writable=False, path=str(path))
    with pytest.raises(MachineError) as caught:
        helper_rights(str(path), WEB)
    assert caught.value.what == f"{path} may not be written by this user"
    assert caught.value.remedy == remedy.format(path)


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
