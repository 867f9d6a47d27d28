from __future__ import annotations

import asyncio
import os
import pty
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fairlead.host.stdio import LOOK, StandardStreams, unread
from tests.support.loop import run

LIMIT = 10.0


class Echo(asyncio.Protocol):
    """Sends back what comes, in capitals, and ends after the other side's end."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.gone = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.transport.write(data.upper())

    def connection_lost(self, error: Exception | None) -> None:
        self.gone.set_result(error)


async def echo(source: int, sink: int) -> None:
    streams = StandardStreams(source, sink)
    _, protocol = await asyncio.get_running_loop().connect_accepted_socket(Echo, streams.socket)
    streams.start()
    await streams.written()
    await protocol.gone


def test_a_file_to_a_file(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"abc" * 1_000_000)
    source = os.open(tmp_path / "in", os.O_RDONLY)
    sink = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)
    run(echo(source, sink))
    os.close(source)
    os.close(sink)
    assert (tmp_path / "out").read_bytes() == b"ABC" * 1_000_000


def test_pipes_and_the_reader_sees_the_end() -> None:
    source, to_source = os.pipe()
    from_sink, sink = os.pipe()
    os.write(to_source, b"hello")
    os.close(to_source)
    run(echo(source, sink))
    assert (os.read(from_sink, 100), os.read(from_sink, 100)) == (b"HELLO", b"")
    for descriptor in (source, from_sink, sink):
        os.close(descriptor)


def test_a_terminal_is_read_until_ctrl_d() -> None:
    ours, theirs = pty.openpty()
    from_sink, sink = os.pipe()
    os.write(ours, b"hello\n\x04")  # a line, then Ctrl-D at the start of one
    run(echo(theirs, sink))
    assert os.read(from_sink, 100) == b"HELLO\n"
    for descriptor in (ours, theirs, from_sink, sink):
        os.close(descriptor)


@pytest.mark.parametrize("blocking", [True, False])
def test_a_slow_reader_loses_nothing(blocking: bool) -> None:
    source, to_source = os.pipe()
    from_sink, sink = os.pipe()
    os.set_blocking(sink, blocking)
    os.set_blocking(source, blocking)
    size = 3_000_000
    got = bytearray()

    def feed() -> None:
        with os.fdopen(to_source, "wb") as file:
            file.write(b"x" * size)

    def drain() -> None:
        while data := os.read(from_sink, 65536):
            got.extend(data)

    threads = [threading.Thread(target=work) for work in (feed, drain)]
    for thread in threads:
        thread.start()
    run(echo(source, sink))
    for thread in threads:
        thread.join()
    for descriptor in (source, from_sink, sink):
        os.close(descriptor)
    assert got == b"X" * size


def test_a_closed_standard_input_is_an_empty_one_and_its_number_stays_taken() -> None:
    code = """
import asyncio, os
from fairlead.host import stdio
async def main():
    stdio.keep_places()
    streams = stdio.StandardStreams()
    assert min(streams.socket.fileno(), streams._ours.fileno()) > 2
    reader, writer = await asyncio.open_connection(sock=streams.socket)
    streams.start()
    assert await reader.read() == b""
    writer.write(b"answer")
    writer.close()
    await writer.wait_closed()
    await streams.written()
asyncio.run(main())
"""
    done = subprocess.run(["sh", "-c", '"$0" -c "$1" <&-', sys.executable, code], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"answer", b"")


def test_an_output_that_nobody_reads_ends_the_connection() -> None:
    source, to_source = os.pipe()
    from_sink, sink = os.pipe()
    os.close(from_sink)
    os.write(to_source, b"hello")
    run(echo(source, sink))
    os.close(to_source)
    for descriptor in (source, sink):
        os.close(descriptor)


def is_read(descriptor: int, limit: float) -> bool:
    """Whether that is so after ``limit`` seconds."""

    async def main() -> bool:
        try:
            async with asyncio.timeout(limit):
                await unread(descriptor)
        except TimeoutError:
            return True
        return False

    return asyncio.run(main())


def test_a_pipe_or_a_socket_is_unread_when_its_reader_is_gone() -> None:
    read, write = os.pipe()
    assert is_read(write, 2 * LOOK)
    os.close(read)
    assert not is_read(write, LIMIT)
    os.close(write)
    ours, theirs = socket.socketpair()
    with ours:
        assert is_read(ours.fileno(), 2 * LOOK)
        theirs.close()
        assert not is_read(ours.fileno(), LIMIT)


def test_nobody_is_known_to_read_a_file() -> None:
    with open(os.devnull, "wb") as file:
        assert is_read(file.fileno(), 2 * LOOK)
