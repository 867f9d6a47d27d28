"""Helpers of this user on a hosts file of their own: what they write, and what is left whoever is killed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from fairlead.helper.processes import owner
from fairlead.host.hosts import left_behind
from fairlead.policy.hostsblock import blocks
from tests.support.helpers import Run, kill_one_of_two
from tests.support.world import within

USUAL = b"127.0.0.1 localhost\r\n\n10.0.0.5\tdb cache # mine\n\x00\xff\n::1 localhost"
SHOP = [("127.44.5.6", ["db", "db.shop"]), ("127.44.5.7", ["web"])]
KILLS = 10


@pytest.fixture
def hosts(tmp_path: Path) -> Path:
    path = tmp_path / "hosts"
    path.write_bytes(USUAL)
    return path


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def wait_usual(hosts: Path, limit: float = 5) -> None:
    within(limit, lambda: hosts.read_bytes() == USUAL, f"the file as it was ({hosts.read_bytes()!r})", pause=0.005)


def test_a_run_has_its_names_until_it_ends(hosts: Path, state: Path) -> None:
    with Run(hosts, state) as run:
        assert run.names(SHOP) == {"left": [], "clashes": [["db", "10.0.0.5", 7]], "dead": []}
        found = blocks(hosts.read_bytes())
        assert [block.owner.pid for block in found] == [run.process.pid]
        assert [(entry.address, list(entry.names)) for entry in found[0].entries] == SHOP
        assert run.names(SHOP[:1])["left"] == []
        assert [entry.address for entry in blocks(hosts.read_bytes())[0].entries] == ["127.44.5.6"]
        assert run.close() == 0
        assert hosts.read_bytes() == USUAL
        run.wait_helper_gone()
    assert sorted(os.listdir(hosts.parent)) == ["home", "hosts"]


def test_nothing_of_it_is_in_our_session_or_has_our_terminal(hosts: Path, state: Path) -> None:
    with Run(hosts, state) as run:
        assert os.getsid(run.helper) == run.helper != os.getsid(0)
        for descriptor in (0, 1, 2):
            assert os.readlink(f"/proc/{run.helper}/fd/{descriptor}") == "/dev/null"
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTSTP, signal.SIGPIPE):
            os.kill(run.helper, number)
        assert run.names(SHOP)["left"] == []
        assert run.close() == 0


def test_a_killed_main_process_leaves_nothing(hosts: Path, state: Path) -> None:
    with Run(hosts, state) as run:
        run.names(SHOP)
        run.kill()
        wait_usual(hosts)
        run.wait_helper_gone()


def test_sigterm_ends_the_helper_and_all_that_it_did(hosts: Path, state: Path) -> None:
    with Run(hosts, state) as run:
        run.names(SHOP)
        os.kill(run.helper, signal.SIGTERM)
        wait_usual(hosts)
        run.wait_helper_gone()
        assert run.close() == 0


def test_two_runs_share_a_file_and_names_stay_whose_they_are(hosts: Path, state: Path) -> None:
    with Run(hosts, state) as one, Run(hosts, state) as two:
        one.names(SHOP[:1])
        reply = two.names([("127.44.9.9", ["db", "other"]), SHOP[1]])
        assert (reply["left"], reply["dead"]) == ([["db", one.process.pid]], [])
        assert [entry.names for entry in blocks(hosts.read_bytes())[0].entries] == [("other",), ("web",)]
        assert one.close() == 0
        assert len(blocks(hosts.read_bytes())) == 1
        assert two.names([("127.44.9.9", ["db", "other"])])["left"] == []
        assert two.close() == 0
        assert hosts.read_bytes() == USUAL


def test_what_is_left_when_both_are_killed_is_told_and_healed(hosts: Path, state: Path) -> None:
    with Run(hosts, state) as run:
        run.names(SHOP)
        run.kill(helper=True)
        assert left_behind(str(hosts)) == (run.process.pid,)
        with Run(hosts, state) as second:
            assert second.names(SHOP)["dead"] == [run.process.pid]
            assert left_behind(str(hosts)) == ()
            assert second.close() == 0
    assert hosts.read_bytes() == USUAL


def test_a_block_with_the_process_id_of_a_living_process_is_healed_too(hosts: Path, state: Path) -> None:
    us = owner(os.getpid())
    assert us is not None
    before = f"# fairlead begin pid={us.pid} start={us.start + 5} boot={us.boot}\n127.9.9.9 old\n".encode()
    hosts.write_bytes(before + f"# fairlead end pid={us.pid}\n".encode() + USUAL)
    with Run(hosts, state) as run:
        assert run.names(SHOP)["dead"] == [us.pid]
        assert run.close() == 0
    assert hosts.read_bytes() == USUAL


@pytest.mark.parametrize("seed", range(KILLS))
def test_killed_at_any_moment(hosts: Path, state: Path, seed: int) -> None:
    kill_one_of_two(hosts, seed, lambda: Run(hosts, state))
    assert sorted(os.listdir(hosts.parent)) == ["home", "hosts"]


def test_a_stranger_gets_no_helper(hosts: Path, state: Path, tmp_path: Path) -> None:
    """What a user can write leads it nowhere: a journal, an unfinished file, a block in another's name."""
    (tmp_path / ".hosts.fairlead").write_bytes(b"not ours")
    hosts.write_bytes(b"# fairlead begin pid=1 start=1 boot=x\n# fairlead end pid=77\n" + USUAL)
    with Run(hosts, state) as run:
        run.names(SHOP)
        assert run.close() == 0
    assert hosts.read_bytes() == b"# fairlead begin pid=1 start=1 boot=x\n" + USUAL
