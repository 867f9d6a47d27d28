"""``fairlead clean`` as an ordinary user, who is asked for a password, and by ``sudo``, in an /etc of its own."""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairlead.policy.hostsblock import Entry, Owner, replace
from tests.support.privateetc import PASSWORD, USER, OnTerminal, PrivateEtc

pytestmark = pytest.mark.real

DEAD = Owner(4711, 1, "29ff7d19-42d5-4048-8d34-000000000000")
PROGRAM = "import sys; sys.path[:0] = sys.argv.pop(1).split(':'); from fairlead.cli.main import script; script()"
USUAL = b"127.0.0.1\tlocalhost # mine\r\n10.0.0.5 db"
REMOVED = "removed from /etc/hosts what a killed run (pid 4711) had left there\n"


@pytest.fixture(scope="module")
def etc() -> Iterator[PrivateEtc]:
    with PrivateEtc() as made:
        yield made


@pytest.fixture
def hosts(etc: PrivateEtc) -> Path:
    """The system's file, with what a killed run has left."""
    path = etc.path("/etc/hosts")
    path.write_bytes(replace(USUAL, DEAD, [Entry("127.4.4.4", ("db",))]))
    return path


def clean(etc: PrivateEtc, *before: str, terminal: bool = True) -> OnTerminal:
    python = etc.program("")[0]
    folders = f"{etc.home / 'app'}:{sysconfig.get_path('purelib')}"
    command = [*etc.as_user, *before, python, "-B", "-c", PROGRAM, folders, "clean"]
    return OnTerminal(command, etc.home, {}, terminal=terminal)


def ended(run: OnTerminal, code: int) -> tuple[str, str]:
    """What it said until its end."""
    assert run.process.stdout is not None
    assert run.process.stderr is not None
    out, err = run.process.stdout.read(), run.process.stderr.read()
    run.process.wait(20)
    assert run.process.returncode == code, (out, err)
    return out, err


@pytest.mark.parametrize(
    ("before", "prompt"), [((), f"[fairlead] password of {USER}"), (("sudo",), f"password for {USER}")]
)
def test_what_was_left_is_removed_for_a_password(
    etc: PrivateEtc, hosts: Path, before: tuple[str, ...], prompt: str
) -> None:
    with clean(etc, *before) as run:
        run.wait_shown(prompt)
        run.press(f"{PASSWORD}\n")
        assert ended(run, 0)[0] == REMOVED
    assert hosts.read_bytes() == USUAL
    assert etc.not_the_users() == []


def test_nobody_is_asked_where_there_is_nothing_to_do(etc: PrivateEtc, hosts: Path) -> None:
    hosts.write_bytes(USUAL)
    with clean(etc, terminal=False) as run:
        assert ended(run, 0) == ("no killed run has left anything in /etc/hosts\n", "")


def test_where_nobody_can_be_asked_it_says_so(etc: PrivateEtc, hosts: Path) -> None:
    before = hosts.read_bytes()
    with clean(etc, terminal=False) as run:
        out, err = ended(run, 12)
    assert out == ""
    assert "a password is required" in err
    assert hosts.read_bytes() == before
