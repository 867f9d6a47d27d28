"""Our engines against moby/spdystream in both roles: real sockets, a loop without asyncio. Needs Go."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from fairlead.protocol.spdy.frames import Status
from fairlead.protocol.spdy.session import Role, StreamListener
from tests.support.engines import End, StreamLog

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(shutil.which("go") is None, reason="needs Go"),
]
SOURCE = Path(__file__).parent / "spdystream"
STREAMS = 1000
WAIT = 60.0
"""Seconds for one read, and for the peer to end."""


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> str:
    program = tmp_path_factory.mktemp("peer") / "spdystream"
    subprocess.run(["go", "build", "-o", program, "."], cwd=SOURCE, check=True)
    return str(program)


def talk(end: End, wire: socket.socket, until: Callable[[], bool]) -> None:
    """Carry bytes between the engine and the peer until something is so, or the peer is gone."""
    while not until():
        wire.sendall(end.session.take_outgoing())
        data = wire.recv(65536)
        if not data:
            break
        end.session.receive(memoryview(data))
    wire.sendall(end.session.take_outgoing())


@contextmanager
def server(peer: str) -> Iterator[tuple[End, socket.socket, subprocess.Popen[str]]]:
    """A client engine connected to the peer's server."""
    with subprocess.Popen([peer, "server"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            with socket.create_connection(("127.0.0.1", port), timeout=WAIT) as wire:
                yield End(Role.CLIENT), wire, process
        finally:
            process.kill()


def test_client_with_a_thousand_streams_at_once(peer: str) -> None:
    with server(peer) as (end, wire, _):
        streams = []
        for n in range(STREAMS):
            log = StreamLog()
            ident = end.session.open({"streamtype": "data", "port": "80", "requestid": str(n)}, log)
            # Without waiting for the reply.
            end.session.send_data(ident, b"stream %d " % n * 100, fin=True)
            streams.append(log)
        talk(end, wire, lambda: end.session.streams == 0)
        assert [log.data for log in streams] == [b"stream %d " % n * 100 for n in range(STREAMS)]
        assert all(log.events[0] == ("reply", {}) and log.ended for log in streams)


def test_client_pings_both_ways_resets_and_goaway(peer: str) -> None:
    with server(peer) as (end, wire, process):
        logs = {mode: StreamLog() for mode in ("reset", "refuse", "ping", "echo")}
        idents = {mode: end.session.open({"mode": mode}, log) for mode, log in logs.items()}
        end.session.fin(idents["ping"])
        ping = end.session.ping()
        talk(end, wire, lambda: end.session.streams == 1 and ("session", "pong", ping) in end.told.log)
        assert logs["reset"].events == [("reply", {}), ("reset", Status.CANCEL)]
        assert logs["refuse"].events == [("reset", Status.REFUSED_STREAM)]
        assert logs["ping"].data == b"pong"
        end.session.reset(idents["echo"])
        end.session.goaway()
        talk(end, wire, lambda: False)
        assert process.stdout is not None
        assert process.stdout.readline() == "gone\n"


class Echo:
    """A stream of the peer's: every byte goes back, and so does the end."""

    def __init__(self, end: End, ident: int) -> None:
        self._end, self._ident = end, ident

    def on_reply(self, headers: Mapping[str, str]) -> None:
        raise AssertionError("we opened nothing")

    def on_data(self, data: memoryview) -> None:
        self._end.session.send_data(self._ident, bytes(data))

    def on_fin(self) -> None:
        self._end.session.fin(self._ident)

    def on_reset(self, status: int) -> None:
        raise AssertionError(f"stream {self._ident} was reset: {status}")


def test_server_of_a_thousand_streams(peer: str) -> None:
    end = End(Role.SERVER)
    requests = []

    def opened(stream: int, headers: Mapping[str, str], *, fin: bool) -> StreamListener:
        requests.append(headers["requestid"])
        end.session.reply(stream)
        return Echo(end, stream)

    end.told.on_open = opened  # type: ignore[method-assign]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with subprocess.Popen([peer, "client", str(port), str(STREAMS)], stdout=subprocess.PIPE, text=True) as process:
            try:
                wire, _ = listener.accept()
                with wire:
                    wire.settimeout(WAIT)
                    talk(end, wire, lambda: end.session.goaway_received)
                out, _ = process.communicate(timeout=WAIT)
            finally:
                process.kill()
    assert (out, process.returncode) == ("ok\n", 0)
    assert sorted(requests, key=int) == [str(n) for n in range(STREAMS)]
    assert end.session.streams == 0
