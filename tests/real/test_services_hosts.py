"""The hosts file of real runs: every end leaves what others wrote, byte for byte."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from fairlead.policy.hostsblock import blocks
from tests.real.conftest import StartServices
from tests.support import podclient
from tests.support.running import FAIRLEAD, listeners
from tests.support.serving import CHANGED, USUAL, Services
from tests.support.world import World, port, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]
CODES = {signal.SIGINT: 0, signal.SIGTERM: 143, signal.SIGHUP: 129}
MORE = b"\n10.1.1.1 another writers"


@pytest.fixture(scope="module")
def objects(app: World) -> World:
    """Beside ``app``, a service whose pod has a name and an address of its own."""
    app.apply(app.service("each", [port(82, "http")], app="app", clusterIP="None"))
    return app


def append(path: Path, data: bytes) -> None:
    with open(path, "ab") as file:
        file.write(data)


def ours(path: Path) -> list[int]:
    """The runs that have a block."""
    return [block.owner.pid for block in blocks(path.read_bytes())]


@pytest.mark.parametrize("number", CODES)
def test_an_orderly_end(number: signal.Signals, objects: World, services: StartServices) -> None:
    """Ours stand first; what somebody else adds meanwhile stays."""
    system = Path("/etc/hosts").read_bytes()
    with services() as running:
        content = running.hosts_file.read_bytes()
        assert content.startswith(b"# fairlead begin ")
        assert content.endswith(USUAL)
        append(running.hosts_file, MORE)
        running.left = USUAL + MORE
        objects.apply(objects.service("late", [port(80, "http")], app="app"))
        running.wait_serves("late", 80)
        objects.kubectl("delete", "service", "late")
        running.wait_gone("late")
        assert {"app", "each", "app.each"} <= set(running.names())
        addresses = set(running.entries())
        running.end(number, CODES[number])
        assert not {at for at in listeners() if at[0] in addresses}
    assert Path("/etc/hosts").read_bytes() == system
    assert not list((running.home / ".local/state/fairlead").glob("hosts.original*")), "it is not the machine's"


def killed(running: Services, *, helper: bool) -> None:
    """SIGKILL for the main process, and for its helper."""
    for pid in running.helpers() if helper else []:
        os.kill(pid, signal.SIGKILL)
    running.process.kill()
    running.process.wait()


def test_a_killed_run_is_undone_by_its_helper(objects: World, services: StartServices) -> None:
    with services() as running:
        assert running.helpers()
        killed(running, helper=False)
        within(CHANGED, lambda: running.hosts_file.read_bytes() == USUAL, "as it was")


def test_a_killed_helper_is_replaced(objects: World, services: StartServices) -> None:
    """The names stay, and so does what is open."""
    with services() as running, podclient.dial(81, running.names()["app"]) as held:
        before = running.names()
        (old,) = running.helpers()
        os.kill(old, signal.SIGKILL)
        within(5, lambda: running.helpers() not in ([], [old]), "another helper")
        objects.apply(objects.service("late", [port(80, "http")], app="app"))
        running.wait_serves("late", 80)
        objects.kubectl("delete", "service", "late")
        running.wait_gone("late")
        assert running.names() == before
        assert ours(running.hosts_file) == [running.process.pid]
        held.sendall(b"x")
        assert held.recv(1) == b"x"


def test_what_two_kills_left_the_next_run_removes(objects: World, services: StartServices, tmp_path: Path) -> None:
    """The file is whole all the time, and only our own lines go."""
    running = services()
    running.wait_ready()
    killed(running, helper=True)
    running.kill()
    left = running.hosts_file.read_bytes()
    assert ours(running.hosts_file) == [running.process.pid]
    assert left.endswith(USUAL)
    append(running.hosts_file, MORE)
    with services(hosts=USUAL + MORE) as second:
        assert ours(second.hosts_file) == [second.process.pid]
        note = f"removed from {second.hosts_file} what a killed run (pid {running.process.pid}) had left there"
        assert note in [event["text"] for event in second.told("note")]


def test_two_runs_side_by_side(objects: World, services: StartServices, tmp_path: Path) -> None:
    """A name belongs to whoever was first, and the other one is told by whom; each has its own services."""
    other = tmp_path / "second"
    other.mkdir()
    hosts = tmp_path / "hosts"
    with services("--only", "app") as first:
        with services("--only", "each", folder=other, hosts_file=str(hosts), seen=hosts) as second:
            assert first.pod_of("app") == "app"
            assert second.pod_of("each", 82) == second.pod_of("app.each", 82) == "app"
            assert ours(hosts) == [second.process.pid, first.process.pid]
            second.left = None
        # What the second had is gone, what the first has is not.
        assert ours(hosts) == [first.process.pid]
        assert first.pod_of("app") == "app"


def test_the_same_services_twice(objects: World, services: StartServices, tmp_path: Path) -> None:
    """What the first serves is left to it, and the second takes it over when the first ends."""
    hosts = tmp_path / "hosts"
    second_folder = tmp_path / "second"
    second_folder.mkdir()
    first = services("--only", "app")
    first.wait_ready()
    with services("--only", "app", folder=second_folder, hosts_file=str(hosts), seen=hosts) as second:
        told = second.told("not-served", service="app") + second.told("note")
        assert any(str(first.process.pid) in str(event) for event in told), second.said()
        assert ours(hosts) == [first.process.pid]
        assert first.pod_of("app") == "app"
        first.process.send_signal(signal.SIGINT)
        assert first.process.wait(2) == 0
        within(12, lambda: second.serves("app", 80), "taken over")
        assert second.pod_of("app") == "app"
    first.kill()


def test_a_name_of_the_users_own(objects: World, services: StartServices) -> None:
    """Is told once, and stays."""
    hosts = b"10.0.0.5 app # mine\n"
    with services(hosts=hosts) as running:
        (note,) = [event["text"] for event in running.told("note") if "has app on line" in event["text"]]
        assert "10.0.0.5" in note
        assert running.pod_of("app") == "app"


def test_behind_a_link(objects: World, services: StartServices, tmp_path: Path) -> None:
    """The link stays, and so do mode and owner of the file."""
    real = tmp_path / "real"
    real.write_bytes(USUAL)
    real.chmod(0o640)
    (tmp_path / "hosts").symlink_to(real)
    with services() as running:
        assert ours(real) == [running.process.pid]
        assert real.stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "hosts").is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640


def test_clean_after_kills(objects: World, services: StartServices) -> None:
    """Heals at once, without a cluster."""
    running = services()
    running.wait_ready()
    killed(running, helper=True)
    running.kill()
    assert ours(running.hosts_file)
    done = subprocess.run(
        [*FAIRLEAD, "clean", f"--hosts-file={running.hosts_file}"],
        capture_output=True,
        text=True,
        env={**os.environ, **running.folders},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert running.hosts_file.read_bytes() == USUAL
