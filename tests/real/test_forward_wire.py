"""What goes over a lane, seen and meddled with from between the client and a real server."""

from __future__ import annotations

import time
import zlib
from typing import Any

import pytest

from fairlead.protocol.spdy.dictionary import DICTIONARY
from tests.support import podapp, podclient
from tests.support.gate import Gate
from tests.support.world import World, within

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]
P = podapp.BASE
GOAWAY = b"\x80\x03\x00\x07\x00\x00\x00\x08" + bytes(8)
UNKNOWN = b"\x80\x03\x00\x63\x00\x00\x00\x04" + bytes(4)
MALFORMED = b"\x80\x03\x00\x06\x00\x00\x00\x05" + bytes(5)


async def echo_to_the_end(number: int) -> None:
    """One connection that the client knows to be over for both sides."""
    async with podclient.connection(number) as (reader, writer):
        await podclient.echo_on(reader, writer)
        writer.write_eof()
        assert await reader.read() == b""


@pytest.mark.parametrize("frame", [GOAWAY, MALFORMED, UNKNOWN, b""], ids=["goaway", "malformed", "unknown", "closed"])
def test_the_server_ends_a_lane(frame: bytes, gate: Gate, through: Any) -> None:
    """It goes on with another; with --exit-on-loss it ends as kubectl does."""
    with through("pod/app", f":{P}") as running:
        podclient.run(echo_to_the_end(running.port(P)))
        if frame:
            for wire in gate.wires:
                wire.send(frame)
        else:
            gate.cut()
        # What comes on a lane before its end is known is another matter.
        within(5, lambda: gate.wires[0].ended or frame == GOAWAY, "the client ends it")
        podclient.run(podclient.echo(running.port(P)))
        assert running.told("connection-failed") == []


@pytest.mark.parametrize("frame", [GOAWAY, MALFORMED, b""], ids=["goaway", "malformed", "closed"])
def test_the_server_ends_the_only_lane(frame: bytes, gate: Gate, through: Any) -> None:
    """--exit-on-loss: 1, as kubectl."""
    with through("--exit-on-loss", "pod/app", f":{P}", json=False) as running:
        if frame:
            for wire in gate.wires:
                wire.send(frame)
        else:
            gate.cut()
        running.wait_end(1, 10)
        assert running.err[-1].startswith("error: lost connection to pod")


def test_any_error_text_ends_exit_on_loss(app: World, through: Any) -> None:
    """What kubectl cannot survive: with --exit-on-loss it is the same end, 1."""
    with through("--exit-on-loss", "pod/app", f":{P + 99}", json=False) as running:
        within(5, running.listening, "its lines")
        podclient.run(podclient.ends_with_reset(running.port(P + 99)))
        running.wait_end(1, 10)
        assert running.err[-1].startswith("error: lost connection to pod")


@pytest.mark.parametrize("more", [[], ["--exit-on-loss"]], ids=["", "exit-on-loss"])
def test_a_stream_answered_by_a_reset(more: list[str], gate: Gate, through: Any) -> None:
    """The local socket is reset; the session lives on."""
    with through(*more, "pod/app", f":{P}") as running:
        podclient.run(podclient.echo(running.port(P)))
        for wire in gate.wires:
            wire.reset_streams = True
        podclient.run(podclient.ends_with_reset(running.port(P)))
        assert running.told_times("connection-failed", 1)
        for wire in gate.wires:
            wire.reset_streams = False
        podclient.run(podclient.echo(running.port(P)))


def test_no_answer_to_a_stream_for_30_seconds(gate: Gate, through: Any) -> None:
    """That connection is reset; the session lives on, and the answer that comes late is ignored."""
    with through("--exit-on-loss", "pod/app", f":{P}") as running:
        podclient.run(podclient.echo(running.port(P)))
        for wire in gate.wires:
            wire.mute_streams = True
        began = time.monotonic()
        podclient.run(podclient.ends_with_reset(running.port(P)), 60)
        assert 25 < time.monotonic() - began < 36
        assert "30 s" in running.wait_told("connection-failed", 5)["words"]
        for wire in gate.wires:
            wire.mute_streams = False
        podclient.run(podclient.echo(running.port(P)))


def test_a_pod_deleted_while_idle(app: World, through: Any) -> None:
    """--exit-on-loss does not wait for the next connection to find out."""
    app.start(app.pod("idle"))
    with through("--exit-on-loss", "pod/idle", f":{P}", json=False) as running:
        app.kill("idle")
        running.wait_end(1, 20)
        assert running.err[-1].startswith("error: lost connection to pod")


def test_the_upgrade_request(gate: Gate, through: Any) -> None:
    """The headers that kubectl sends, and no body."""
    with through("pod/app", f":{P}"):
        line, headers = gate.requests[0]
    assert line.startswith("POST /api/v1/namespaces/")
    assert line.endswith("/pods/app/portforward HTTP/1.1")
    wanted = {
        "connection": "Upgrade",
        "upgrade": "SPDY/3.1",
        "x-stream-protocol-version": "portforward.k8s.io",
        "content-length": "0",
    }
    assert wanted.items() <= headers.items()
    assert set(headers) - set(wanted) <= {"host", "user-agent", "accept", "accept-encoding"}


def test_bytes_that_follow_the_101_are_kept(gate: Gate, through: Any) -> None:
    """A ping of the server's that comes in one breath with its 101 is answered with its own number."""
    ping = b"\x80\x03\x00\x06\x00\x00\x00\x04\x00\x00\x00\x02"
    gate.glue = ping
    with through("pod/app", f":{P}") as running:
        podclient.run(podclient.echo(running.port(P)))
        within(5, lambda: ping in gate.wires[0].frames, "the answer")


def test_the_streams_of_a_connection(gate: Gate, through: Any) -> None:
    """Error before data, odd and rising, the error stream's own end at once, small header names, one deflate stream."""
    with through("--lanes", "1", "pod/app", f":{P}", f":{P + 1}") as running:
        for _ in range(3):
            podclient.run(podclient.echo(running.port(P)))
        frames = [frame for wire in gate.wires for frame in wire.frames]
    opened = [frame for frame in frames if frame[:4] == b"\x80\x03\x00\x01"]
    assert opened[0][18:24] == bytes.fromhex("78f9e3c6a7c2")
    assert [int.from_bytes(frame[8:12], "big") for frame in opened] == [1, 3, 5, 7, 9, 11]
    inflate = zlib.decompressobj(zdict=DICTIONARY)
    headers = [_headers(inflate.decompress(frame[18:])) for frame in opened]
    assert [each[b"streamtype"] for each in headers] == [b"error", b"data"] * 3
    assert {each[b"port"] for each in headers} == {b"%d" % P}
    ids = [each[b"requestid"] for each in headers]
    assert ids[0::2] == ids[1::2]
    assert len(set(ids)) == 3
    assert {frozenset(each) for each in headers} == {frozenset((b"streamtype", b"port", b"requestid"))}
    for number in (1, 5, 9):
        assert number.to_bytes(4, "big") + b"\x01\x00\x00\x00" in frames


def _headers(block: bytes) -> dict[bytes, bytes]:
    found, at = {}, 4
    for _ in range(int.from_bytes(block[:4], "big")):
        words = []
        for _ in range(2):
            size = int.from_bytes(block[at : at + 4], "big")
            words.append(block[at + 4 : at + 4 + size])
            at += 4 + size
        found[words[0]] = words[1]
    return found


def test_a_goaway_at_the_end(gate: Gate, through: Any) -> None:
    """Ctrl-C says good-bye as kubectl does: last stream 0, status 0."""
    with through("pod/app", f":{P}"):
        pass
    within(5, lambda: GOAWAY in gate.wires[0].frames, "the good-bye")


def test_pings_have_odd_numbers_and_a_deadline(gate: Gate, through: Any) -> None:
    """An idle lane that falls silent is given up within 10 s, and the next connection takes another."""
    with through("pod/app", f":{P}") as running:
        wire = gate.wires[0]
        wire.silent = True
        began = time.monotonic()
        within(10, lambda: len(gate.wires) > 1 or _pings(wire) >= 2, "it asks")
        within(10 - (time.monotonic() - began), lambda: GOAWAY in wire.frames or wire.ended, "it is given up")
        podclient.run(podclient.echo(running.port(P)), 10)
        assert running.told("connection-failed") == []
    numbers = [int.from_bytes(frame[8:12], "big") for frame in wire.frames if frame[:4] == b"\x80\x03\x00\x06"]
    assert numbers
    assert all(number % 2 for number in numbers)


def _pings(wire: Any) -> int:
    return sum(frame[:4] == b"\x80\x03\x00\x06" for frame in wire.frames)


def test_the_end_of_a_lane_that_carries_connections(app: World, gate: Gate, through: Any) -> None:
    """Those that it carried are reset, which is what happened to them; no other is touched."""
    with through("pod/app", f":{P}") as running:
        with podclient.dial(running.port(P)) as one, podclient.dial(running.port(P)) as other:
            for sock in (one, other):
                sock.sendall(b"x")
                assert sock.recv(1) == b"x"
            carrying = [
                wire for wire in gate.wires if any(frame[0] == 0 and frame[-1:] == b"x" for frame in wire.frames)
            ]
            assert len(carrying) == 2, "each has a lane of its own"
            carrying[0].send(MALFORMED)
            running.wait_told("connection-failed", 5)
            ends = 0
            for sock in (one, other):
                try:
                    sock.sendall(b"y")
                    assert sock.recv(1) == b"y"
                except ConnectionError:
                    ends += 1
            assert ends == 1
        assert running.told_times("connection-failed", 1)
