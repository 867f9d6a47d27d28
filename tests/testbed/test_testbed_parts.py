"""The parts of the test cluster that need neither root nor a cluster."""

from __future__ import annotations

import ipaddress
import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed import images, leftovers, network, paths, processes
from testbed.cluster import check_name
from testbed.errors import TestbedError
from testbed.network import Network
from testbed.processes import Process


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_a_process_is_ended_and_known_to_be_gone(sleeper: subprocess.Popen[bytes]) -> None:
    process = Process.of(sleeper.pid)
    assert process is not None
    assert process.alive()
    assert process.end(signal.SIGKILL, wait=5)
    assert not process.alive()
    assert sleeper.wait() == -signal.SIGKILL
    assert Process.of(sleeper.pid) is None


def test_whoever_has_the_pid_now_is_left_alone(sleeper: subprocess.Popen[bytes]) -> None:
    process = Process.of(sleeper.pid)
    assert process is not None
    predecessor = Process(process.pid, process.started - 1)
    assert not predecessor.alive()
    assert predecessor.end(signal.SIGKILL, wait=5)
    assert sleeper.poll() is None


def test_processes_are_read_as_they_were_written(tmp_path: Path) -> None:
    written = {"keeper": Process(1, 2), "init": Process(3, 4)}
    processes.write(tmp_path / "processes.json", written)
    assert processes.read(tmp_path / "processes.json") == written
    assert processes.read(tmp_path / "none.json") == {}
    (tmp_path / "half.json").write_text('{"keeper": [1')
    assert processes.read(tmp_path / "half.json") == {}


def test_a_child_is_found() -> None:
    """Of a process of its own: whoever runs tests has children that are not theirs."""
    script = "import subprocess, sys; one = subprocess.Popen(['sleep', '60']); print(one.pid, flush=True); one.wait()"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        number = int(parent.stdout.readline())
        try:
            child = processes.child_of(parent.pid)
            assert child is not None
            assert child.pid == number
        finally:
            os.kill(number, signal.SIGKILL)


@pytest.mark.parametrize("name", ["dev", "a", "a-b-1", "x" * 20])
def test_names_that_a_testbed_may_have(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a/b", "..", "a b", "ä", "x" * 21, "a\n"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(TestbedError, match="is no name for a cluster"):
        check_name(name)


def test_no_two_slots_share_an_address() -> None:
    seen: list[ipaddress.IPv4Network] = []
    for slot in range(64):
        where = Network(slot)
        between = ipaddress.ip_network(f"{where.laptop}/30", strict=False)
        assert isinstance(between, ipaddress.IPv4Network)
        assert ipaddress.ip_address(where.node) in between
        assert ipaddress.ip_address(where.dns) in ipaddress.ip_network(where.services)
        seen += [between, ipaddress.IPv4Network(where.services), ipaddress.IPv4Network(where.pods)]
        assert len(where.link) < 16
    assert len(list(ipaddress.collapse_addresses(seen))) <= len(seen)
    assert not any(one.overlaps(other) for index, one in enumerate(seen) for other in seen[:index])


def test_slots_are_claimed_once(home: Path) -> None:
    taken = []
    for name in ("one", "two"):
        paths.state(name).folder.mkdir(parents=True)
        taken.append(network.claim(paths.state(name)).slot)
    assert len(set(taken)) == 2
    assert network.of(paths.state("two")) == Network(taken[1])
    assert network.of(paths.state("three")) is None


def test_the_lock_is_one_holder_s(home: Path) -> None:
    state = paths.state("mine")
    assert not leftovers.running(state)
    handle = leftovers.acquire(state)
    assert handle is not None
    assert leftovers.running(state)
    assert leftovers.acquire(state) is None
    os.close(handle)
    assert not leftovers.running(state)


def test_a_cache_that_the_node_would_not_see_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/run/user/0")
    with pytest.raises(TestbedError, match="set XDG_CACHE_HOME"):
        paths.cache()


def test_an_image_is_an_oci_layout(home: Path) -> None:
    def layer(target: Path, _say: object) -> None:
        with tarfile.open(target, "w"):
            pass

    image = images.Image("docker.io/library/x:1", "image-x", "1", ("/x",), layer)
    image.tar.parent.mkdir(parents=True)
    images._make_one(image, lambda _line: None)
    with tarfile.open(image.tar) as tar:
        names = tar.getnames()
        file = tar.extractfile("index.json")
        assert file is not None
        index = json.load(file)
    assert index["manifests"][0]["annotations"]["io.containerd.image.name"] == image.name
    assert f"blobs/sha256/{index['manifests'][0]['digest'].removeprefix('sha256:')}" in names
    assert len([name for name in names if name.startswith("blobs/")]) == 3
    assert list(image.tar.parent.iterdir()) == [image.tar]
