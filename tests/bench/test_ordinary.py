"""The load and the near server as the programs that they are."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import load
from bench.errors import BenchError
from bench.ordinary import Loader, Person


@pytest.fixture
def who(tmp_path: Path) -> Person:
    return Person(None, str(tmp_path))


@pytest.fixture
def ports(who: Person) -> Iterator[list[int]]:
    """Of a source, a sink and an echo."""
    server = who.start([sys.executable, "-m", "bench.near"])
    try:
        assert server.stdout is not None
        yield json.loads(server.stdout.readline())
    finally:
        server.communicate()
        assert server.returncode == 0


@pytest.fixture
def loader(who: Person) -> Iterator[Loader]:
    made = Loader(who)
    yield made
    made.end()


def test_all_that_is_measured_near_by(loader: Loader, ports: list[int]) -> None:
    source, sink, echo = ports
    assert len(loader.ask("download", load.HERE, source, 3 << 20)) == 1
    assert len(loader.ask("upload", load.HERE, sink, 3 << 20)) == 1
    assert len(loader.ask("round trips", "localhost", echo, 5)) == 5
    assert len(loader.ask("connections", "localhost", echo, 5)) == 5


def test_a_failure_ends_one_measure_alone(loader: Loader, ports: list[int]) -> None:
    with socket.socket() as unused:
        unused.bind((load.HERE, 0))
        with pytest.raises(BenchError, match=r"connections: .*refused"):
            loader.ask("connections", load.HERE, unused.getsockname()[1], 1)
    assert len(loader.ask("connections", load.HERE, ports[2], 1)) == 1


def test_a_load_that_does_not_start(who: Person) -> None:
    with pytest.raises(BenchError, match="has ended"):
        Loader(who, ["true"])


def test_whoever_runs_this_can_run_the_programs(who: Person) -> None:
    assert who.able()
    process = who.start(["pwd"])
    said, _ = process.communicate()
    assert Path(said.decode().strip(), "bench", "loader.py").exists()
