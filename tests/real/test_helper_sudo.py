"""The helper by a real sudo with a password, as an ordinary user, in an /etc of its own."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fairlead.helper.processes import owner
from fairlead.policy.hostsblock import blocks
from tests.support.privateetc import PASSWORD, USER, OnTerminal, PrivateEtc
from tests.support.world import within

pytestmark = pytest.mark.real

NAMES = [("127.44.5.6", ["db", "db.shop.svc.cluster.local"]), ("127.44.5.7", ["web"])]
PROMPT = f"[fairlead] password of {USER}"


@pytest.fixture
def etc() -> Iterator[PrivateEtc]:
    with PrivateEtc() as made:
        yield made


def start(etc: PrivateEtc, *before: str, hosts: str = "/etc/hosts", terminal: bool = True, **env: str) -> OnTerminal:
    command = [*etc.as_user, *before, *etc.program(hosts)]
    return OnTerminal(command, etc.home, env, terminal=terminal)


def user_of(pid: int) -> int:
    return os.stat(f"/proc/{pid}").st_uid


def gone(pid: int) -> bool:
    return not os.path.exists(f"/proc/{pid}")


def check_serves(etc: PrivateEtc, run: OnTerminal) -> None:
    """Names and low ports come by the helper, which is root's."""
    assert run.ask(hosts=NAMES) == {"left": [], "clashes": [], "dead": []}
    (block,) = blocks(etc.path("/etc/hosts").read_bytes())
    assert [(address, list(names)) for address, names in block.entries] == NAMES
    ports = [["127.44.5.6", 81], ["127.44.5.7", 81]]
    assert run.ask(bind=ports) == {"bound": [[True, 0, ""], [True, 0, ""]]}


@pytest.mark.parametrize("pty", ["use_pty", "!use_pty", "use_pty, log_output"])
def test_a_user_types_a_password_once_and_has_names_and_low_ports(etc: PrivateEtc, pty: str) -> None:
    """Whether sudo gives the helper a terminal of its own or not."""
    etc.run(f"echo 'Defaults {pty}' >> /etc/sudoers.d/fairlead-test")
    before = etc.path("/etc/hosts").read_bytes()
    with start(etc) as run:
        run.wait_shown(PROMPT)
        run.press(f"{PASSWORD}\n")
        ready = run.read()
        assert user_of(ready["ready"]) == 0
        assert ready["users"] == [etc.uid] * 3
        check_serves(etc, run)
        assert not children(run.process.pid), "no sudo stays behind"
    assert run.process.returncode == 0
    assert etc.path("/etc/hosts").read_bytes() == before
    within(5, lambda: gone(ready["ready"]), "the helper's end")
    assert etc.not_the_users() == []


def test_the_terminals_keys_and_its_end_do_not_reach_the_helper(etc: PrivateEtc) -> None:
    before = etc.path("/etc/hosts").read_bytes()
    with start(etc) as run:
        run.wait_shown(PROMPT)
        run.press(f"{PASSWORD}\n")
        helper = run.read()["ready"]
        run.ask(hosts=NAMES)
        run.press("\x03")
        run.process.wait(10)
        within(5, lambda: gone(helper), "the helper's end")
        assert etc.path("/etc/hosts").read_bytes() == before


def test_wrong_passwords_are_told_in_sudos_words(etc: PrivateEtc) -> None:
    with start(etc) as run:
        for _ in range(3):
            run.wait_shown(PROMPT)
            run.press("wrong\n")
        error = run.read()["error"]
        assert "sudo did not start the helper" in error
        assert "incorrect password" in error
    assert run.process.returncode == 12


def test_where_sudo_records_input_it_says_what_can_be_done(etc: PrivateEtc) -> None:
    """sudo then reads all of it, and hands on a pipe: no socket could come through."""
    etc.run("echo 'Defaults log_input' >> /etc/sudoers.d/fairlead-test")
    with start(etc) as run:
        run.wait_shown(PROMPT)
        run.press(f"{PASSWORD}\n")
        assert "start fairlead itself with sudo" in run.read()["error"]
    with under_sudo(etc) as run:
        assert user_of(run.read()["ready"]) == 0
        check_serves(etc, run)


def test_without_a_terminal_nobody_is_asked(etc: PrivateEtc) -> None:
    with start(etc, terminal=False) as run:
        assert "a password is required" in run.read()["error"]
    assert run.process.returncode == 12


def test_without_sudo_it_says_what_can_be_done(etc: PrivateEtc) -> None:
    with start(etc, "/usr/bin/env", "PATH=/nowhere") as run:
        error = run.read()["error"]
        assert "/etc/hosts needs root, and there is no sudo" in error
        assert "--hosts-file" in error


def under_sudo(etc: PrivateEtc, **more: Any) -> OnTerminal:
    run = start(etc, "sudo", KUBECONFIG="/home/ann/config", **more)
    run.wait_shown(f"password for {USER}")
    run.press(f"{PASSWORD}\n")
    return run


def test_sudo_fairlead_goes_on_as_the_user_who_typed_it(etc: PrivateEtc) -> None:
    before = etc.path("/etc/hosts").read_bytes()
    with under_sudo(etc) as run:
        ready = run.read()
        assert user_of(ready["ready"]) == 0
        assert ready["users"] == [etc.uid] * 3
        assert set(ready["groups"]) == {etc.gid}
        env = ready["env"]
        assert env["KUBECONFIG"] == "/home/ann/config"
        assert env["PATH"] == os.environ["PATH"]
        assert (env["HOME"], env["USER"], env["LOGNAME"]) == (str(etc.home), USER, USER)
        assert not [name for name in env if name.startswith("SUDO_")]
        check_serves(etc, run)
    assert run.process.returncode == 0
    assert etc.path("/etc/hosts").read_bytes() == before
    assert etc.not_the_users() == []
    assert (etc.home / ".local/state/fairlead").is_dir()


@pytest.mark.parametrize("by_sudo", [False, True])
def test_when_the_main_process_is_killed_all_is_undone(etc: PrivateEtc, by_sudo: bool) -> None:
    before = etc.path("/etc/hosts").read_bytes()
    with under_sudo(etc) if by_sudo else start(etc) as run:
        if not by_sudo:
            run.wait_shown(PROMPT)
            run.press(f"{PASSWORD}\n")
        helper = run.read()["ready"]
        run.ask(hosts=NAMES)
        (block,) = blocks(etc.path("/etc/hosts").read_bytes())
        os.kill(block.owner.pid, signal.SIGKILL)
        within(5, lambda: gone(helper), "the helper's end")
        assert etc.path("/etc/hosts").read_bytes() == before


def test_another_hosts_file_is_touched_with_the_users_rights(etc: PrivateEtc) -> None:
    """Also by a helper that is root: what the user may not write stays."""
    own = etc.home / "hosts"
    own.write_bytes(b"127.0.0.1 localhost\n")
    os.chown(own, etc.uid, etc.gid)
    with under_sudo(etc, hosts=str(own)) as run:
        assert user_of(run.read()["ready"]) == 0
        run.ask(hosts=NAMES)
        assert own.stat().st_uid == etc.uid
        assert len(blocks(own.read_bytes())) == 1
        assert blocks(etc.path("/etc/hosts").read_bytes()) == []
    assert own.read_bytes() == b"127.0.0.1 localhost\n"
    etc.run("cp /etc/hosts /etc/not-yours; cp /etc/hosts /etc/secret; chmod 600 /etc/secret")
    for name, words in (("not-yours", "Permission denied"), ("secret", "Permission denied")):
        own.unlink(missing_ok=True)
        own.symlink_to(f"/etc/{name}")
        os.lchown(own, etc.uid, etc.gid)
        content = etc.path(f"/etc/{name}").read_bytes()
        with under_sudo(etc, hosts=str(own)) as run:
            run.read()
            assert run.process.stdin is not None
            assert words in run.ask(hosts=NAMES)["error"]
        assert etc.path(f"/etc/{name}").read_bytes() == content
    own.unlink()


def test_a_link_that_led_to_the_systems_file_leads_root_nowhere_else(etc: PrivateEtc) -> None:
    link, secret = etc.home / "link", etc.path("/etc/secret")
    link.symlink_to("/etc/hosts")
    etc.run("cp /etc/hosts /etc/secret; chmod 600 /etc/secret")
    content = secret.read_bytes()
    with under_sudo(etc, hosts=str(link)) as run:
        run.read()
        link.unlink()
        link.symlink_to("/etc/secret")
        run.ask(hosts=NAMES)
        assert len(blocks(etc.path("/etc/hosts").read_bytes())) == 1
        assert secret.read_bytes() == content
    assert blocks(etc.path("/etc/hosts").read_bytes()) == []
    assert secret.read_bytes() == content


def test_a_user_gets_no_helper_for_another_users_process(etc: PrivateEtc) -> None:
    """What sudo runs for one user serves no other, whatever it is told."""
    us = owner(os.getpid())
    assert us is not None
    main = etc.home / "app/fairlead/helper/__main__.py"
    python = etc.program("")[0]
    words = ["0", str(us.pid), str(us.start), "/etc/hosts", str(etc.home)]
    with OnTerminal([*etc.as_user, "sudo", python, "-I", "-S", "-B", str(main), *words], etc.home, {}) as run:
        run.wait_shown(f"password for {USER}")
        run.press(f"{PASSWORD}\n")
        assert run.process.stderr is not None
        assert "the helper was not started by user 0" in run.process.stderr.read()
    assert run.process.returncode == 12


def children(pid: int) -> list[str]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [Path(f"/proc/{child}/comm").read_text().strip() for child in found]
