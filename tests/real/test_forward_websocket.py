"""SPDY inside WebSocket on a real server, as a run uses it that remembers that this way works."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.real.conftest import Start
from tests.support import podapp, podclient
from tests.support.gate import Gate
from tests.support.running import Forward
from tests.support.world import World, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]
P = podapp.BASE
SIZE = 64 << 20


@pytest.fixture(params=["tls", "plain"])
def tunnel(
    request: pytest.FixtureRequest, app: World, server: str, caches: dict[str, str], tmp_path: Path, forward: Start
) -> Iterator[Any]:
    """Start a forward through the tunnel: with TLS to the server itself, or in plain HTTP, so masked, to the gate."""
    gate: Gate | None = request.getfixturevalue("gate") if request.param == "plain" else None
    url = gate.url if gate else server
    memory = tmp_path / "cache" / "fairlead" / "ways.json"
    memory.parent.mkdir(parents=True, mode=0o700)
    memory.write_text(json.dumps({url: {"way": "websocket", "at": time.time()}}))
    runs: list[Forward] = []

    def start(*words: str) -> Forward:
        begin = request.getfixturevalue("through") if gate else forward
        more = {} if gate else {"env": caches}
        runs.append(begin("-v=8", *words, **more))
        return runs[-1]

    yield start
    asked = [line for run in runs for line in run.err if "/portforward" in line]
    assert any("GET " in line for line in asked)
    assert not any("POST " in line for line in asked), "no other way was needed"
    assert gate is None or set(gate.upgrades) == {"websocket"}
    assert json.loads(memory.read_text())[url]["way"] == "websocket"


def test_64_mebibytes_each_way(tunnel: Any) -> None:
    """Down, up, and both at once on lanes of their own, each with its SHA-256."""
    source, sink = P + podapp.SOURCE, P + podapp.SINK
    with tunnel("pod/app", f":{source}", f":{sink}") as running:
        down, up = running.port(source), running.port(sink)
        podclient.run(podclient.download(down, SIZE))
        podclient.run(podclient.upload(up, SIZE))
        podclient.run(podclient.together(podclient.download(down, SIZE // 4), podclient.upload(up, SIZE // 4)))
        assert running.told("connection-failed") == []


def test_half_closes(tunnel: Any) -> None:
    """The local program ends its side first; the pod's program does; and the answer is whole each time."""
    half = P + podapp.HALF
    with tunnel("pod/app", f":{P}", f":{half}") as running:
        sent = b"".join(podapp.blocks(100_000, 7))
        with podclient.dial(running.port(P), timeout=10) as sock:
            sock.sendall(sent)
            sock.shutdown(socket.SHUT_WR)
            assert b"".join(iter(lambda: sock.recv(65536), b"")) == sent
        with podclient.dial(running.port(half), timeout=10) as sock:
            assert b"".join(iter(lambda: sock.recv(65536), b"")) == b"".join(podapp.blocks(100_000, 2))
        assert running.told("connection-failed") == []


def test_many_and_refused_ones(tunnel: Any) -> None:
    """100 at once, and a port on which nothing listens: one line each, and nobody else is hurt."""
    with tunnel("pod/app", f":{P}", f":{P + 99}") as running:
        checks = [podclient.echo(running.port(P), 20_000) for _ in range(100)]
        refused = [podclient.ends_with_reset(running.port(P + 99)) for _ in range(3)]
        podclient.run(podclient.together(*checks, *refused))
        running.wait_told("connection-failed", 10, count=3)
        assert running.told_times("connection-failed", 3)


CLOSE, BROKEN, TEXT = b"\x88\x02\x03\xe8", b"\x88\x02\x03\xf3", b"\x81\x02hi"


@pytest.mark.parametrize("tunnel", ["plain"], indirect=True)
@pytest.mark.parametrize("frame", [CLOSE, BROKEN, TEXT, b""], ids=["close 1000", "close 1011", "text", "end"])
def test_the_server_ends_a_lane(frame: bytes, tunnel: Any, gate: Gate) -> None:
    """What ends kubectl's session costs the connections of that lane here; new ones have new lanes."""
    with tunnel("pod/app", f":{P}") as running, podclient.dial(running.port(P)) as held:
        held.sendall(b"x")
        assert held.recv(1) == b"x"
        if frame:
            for each in gate.tunnels:
                each.send(frame)
        else:
            gate.cut()
        with pytest.raises(ConnectionResetError):
            held.recv(1)
        podclient.run(podclient.echo(running.port(P), 100_000))
        assert running.told_times("connection-failed", 1)


@pytest.mark.parametrize("tunnel", ["plain"], indirect=True)
@pytest.mark.parametrize("frame", [CLOSE, BROKEN, TEXT, b""], ids=["close 1000", "close 1011", "text", "end"])
def test_exit_on_loss(frame: bytes, tunnel: Any, gate: Gate) -> None:
    """And here it ends as kubectl does."""
    with tunnel("--exit-on-loss", "pod/app", f":{P}") as running:
        podclient.run(podclient.echo(running.port(P)))
        for each in gate.tunnels:
            each.send(frame) if frame else gate.cut()
        running.wait_end(1, 5)


@pytest.mark.parametrize("tunnel", ["plain"], indirect=True)
def test_the_end_is_a_close_frame(tunnel: Any, gate: Gate) -> None:
    with tunnel("pod/app", f":{P}") as running:
        podclient.run(podclient.echo(running.port(P)))
        running.end()
    within(5, lambda: all(each.ended for each in gate.tunnels), "every lane has ended")
    assert [each.close_code for each in gate.tunnels] == [1000] * len(gate.tunnels)
