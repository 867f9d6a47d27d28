"""The system's hosts file as it is found: replaced or mounted by itself, behind a link, with a label; and kills."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.helpers import Run, kill_one_of_two
from tests.support.privateetc import PrivateEtc

pytestmark = pytest.mark.real

USUAL = b"127.0.0.1 localhost\n\n# mine\n10.0.0.5\tdb\n" + b"10.0.0.6 other\n" * 600
"""More than one page of memory, which is what a killed write may leave undone."""
NAMES = [("127.44.5.6", [f"service-{each}.default" for each in range(40)])]
LABEL = b"system_u:object_r:net_conf_t:s0\0"
KILLS = 50


@pytest.fixture(scope="module")
def etc() -> Iterator[PrivateEtc]:
    with PrivateEtc() as made:
        yield made


@pytest.fixture
def hosts(etc: PrivateEtc) -> Iterator[Path]:
    """The namespace's, a file as any other."""
    path = etc.path("/etc/hosts")
    etc.run("rm -f /etc/hosts; touch /etc/hosts")
    path.write_bytes(USUAL)
    yield path
    assert path.read_bytes().startswith(USUAL)
    assert not etc.path("/etc/.hosts.fairlead").exists()
    assert not etc.path("/var/lib/fairlead").exists()
    assert not etc.path("/run/fairlead").exists()


@pytest.fixture
def mounted(etc: PrivateEtc, hosts: Path) -> Iterator[Path]:
    """Mounted by itself, as in a container."""
    etc.run("cp /etc/hosts /var/lib/mounted; mount --bind /var/lib/mounted /etc/hosts")
    yield hosts
    etc.run("umount /etc/hosts; rm /var/lib/mounted")


def run(etc: PrivateEtc) -> Run:
    return Run("/etc/hosts", etc.folder, etc.enter)


def check_names_come_and_go(etc: PrivateEtc, hosts: Path) -> None:
    before = os.stat(hosts)
    with run(etc) as started:
        started.names(NAMES)
        assert b"\n127.44.5.6 service-0.default " in hosts.read_bytes()
        during = os.stat(hosts)
        assert (during.st_mode, during.st_uid, during.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
        assert started.close() == 0
    assert hosts.read_bytes() == USUAL


def test_a_usual_file_is_replaced(etc: PrivateEtc, hosts: Path) -> None:
    hosts.chmod(0o664)
    os.chown(hosts, 0, 4)
    with hosts.open() as old:  # while it is open, no other file gets its number
        check_names_come_and_go(etc, hosts)
        assert not os.path.samestat(os.stat(hosts), os.fstat(old.fileno()))


def test_labels_and_other_attributes_are_kept(etc: PrivateEtc, hosts: Path) -> None:
    wanted = {"security.selinux": LABEL, "user.note": b"mine", "trusted.note": b"roots"}
    for name, value in wanted.items():
        os.setxattr(hosts, name, value)
    check_names_come_and_go(etc, hosts)
    assert {name: os.getxattr(hosts, name) for name in os.listxattr(hosts)} == wanted


def test_a_mounted_file_is_written_in_place(etc: PrivateEtc, mounted: Path) -> None:
    inode = os.stat(mounted).st_ino
    check_names_come_and_go(etc, mounted)
    assert os.stat(mounted).st_ino == inode


def test_behind_a_link_the_file_changes_and_the_link_stays(etc: PrivateEtc, hosts: Path) -> None:
    etc.run("mv /etc/hosts /etc/real-hosts; ln -s real-hosts /etc/hosts")
    check_names_come_and_go(etc, etc.path("/etc/real-hosts"))
    assert os.readlink(hosts) == "real-hosts"
    etc.run("rm /etc/hosts; mv /etc/real-hosts /etc/hosts")


@pytest.mark.parametrize("seed", range(KILLS // 2))
def test_killed_at_any_moment(etc: PrivateEtc, hosts: Path, seed: int) -> None:
    kill_one_of_two(hosts, seed, lambda: run(etc))


@pytest.mark.parametrize("seed", range(KILLS // 2, KILLS))
def test_killed_at_any_moment_while_a_mounted_file_is_written(etc: PrivateEtc, mounted: Path, seed: int) -> None:
    kill_one_of_two(mounted, seed, lambda: run(etc))


def test_what_a_killed_helper_left_half_written_the_next_one_completes(etc: PrivateEtc, mounted: Path) -> None:
    """Killed until it was in the middle of a write, or for as long as that is worth trying."""
    until = time.monotonic() + 10
    torn = False
    while not torn and time.monotonic() < until:
        with run(etc) as victim:
            for number in range(50):
                victim.send(hosts=[("127.44.5.6", [f"n{number}-{each}" for each in range(60)])])
            while not etc.path("/var/lib/fairlead").exists() and time.monotonic() < until:
                pass
            victim.kill(helper=True)
        torn = etc.path("/var/lib/fairlead").exists()
        with run(etc) as healer:
            healer.names(NAMES)
            assert healer.close() == 0
        assert mounted.read_bytes() == USUAL
    assert torn, "no kill came while it wrote"
