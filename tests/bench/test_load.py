"""The load generator against servers that behave, and one that does not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from bench import load, loader
from bench.errors import BenchError


@contextmanager
def server(handle: Callable[[socket.socket], None]) -> Iterator[int]:
    """One thread, one connection at a time, until the block ends."""

    def work() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                handle(connection)

    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def hello(connection: socket.socket) -> None:
    if connection.recv(1000):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nhel")
        connection.sendall(b"lo\n")


def test_small_requests_are_timed_one_by_one_and_in_bursts() -> None:
    with server(hello) as port:
        assert len(load.sequential(port, 5)) == 5
        assert load.burst(port, 60, 20) > 0


def test_a_connection_without_an_answer() -> None:
    with server(lambda connection: None) as port:
        with pytest.raises((BenchError, ConnectionError)):
            load.get(port)
        with pytest.raises((BenchError, ConnectionError)):
            load.burst(port, 10, 5)


def test_a_download_has_a_rate_whatever_its_size() -> None:
    def source(connection: socket.socket) -> None:
        connection.sendall(bytes(int(connection.recv(100))))

    with server(source) as port:
        assert load.download(port, 3 << 20, 1) > 0
        assert load.download(port, 4 << 10, 4) > 0


def test_bytes_there_and_back_on_one_connection_and_on_many() -> None:
    def echo(connection: socket.socket) -> None:
        connection.makefile("rb", 0).readline()
        while data := connection.recv(100):
            connection.sendall(data)

    with server(echo) as port:
        assert len(load.round_trips(port, 7)) == 7
        assert len(load.connections(port, 3)) == 3
        asked = {"what": "connections", "host": "localhost", "port": port, "count": 2}
        found = loader.answer(asked)["seconds"]
        assert isinstance(found, list)
        assert len(found) == 2


def test_what_cannot_be_measured_is_told_in_words() -> None:
    with socket.socket() as unused:
        unused.bind((load.HERE, 0))
        asked = {"what": "download", "host": load.HERE, "port": unused.getsockname()[1], "count": 1}
        assert "refused" in str(loader.answer(asked)["error"])


def test_upload_checks_the_count() -> None:
    def sink(connection: socket.socket) -> None:
        left = 2 << 20
        connection.recv(len(b"%d\n" % left))
        while left:
            left -= len(connection.recv(left))
        connection.sendall(b"%d\n" % (2 << 20))

    with server(sink) as port:
        assert load.upload(port, 2 << 20) > 0
    with pytest.raises(BenchError, match="counted"):
        load.check_count(b"1\n", 2)
