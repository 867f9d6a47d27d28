"""The load: plain sockets and one thread, so that the forwarder has the machine to itself."""

from __future__ import annotations

import selectors
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bench.errors import BenchError

REQUEST = b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n"
END_OF_ANSWER = b"hello\n"
SMALL, SOURCE, SINK = 80, 7001, 7002
"""The pod's ports (pod/app.py)."""
HERE = "127.0.0.1"
LIMIT = 60.0
"""Seconds without a byte after which a measure is given up."""

_BUFFER = bytearray(1 << 20)
_LIMIT = struct.pack("ll", int(LIMIT), 0)


def connect(port: int, host: str = HERE) -> socket.socket:
    """A connection to a port, of this machine if nothing else is said."""
    sock = socket.create_connection((host, port))
    # The kernel keeps the limit: Python's own would cost a poll() for every read.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _LIMIT)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _LIMIT)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def get(port: int, host: str = HERE) -> None:
    """A new connection, a small request, its whole answer, the end."""
    with connect(port, host) as sock:
        _ask(sock)


def _ask(sock: socket.socket) -> None:
    sock.sendall(REQUEST)
    answer = sock.recv(4096)
    while not answer.endswith(END_OF_ANSWER):
        more = sock.recv(4096)
        if not more:
            raise BenchError("a connection ended without its answer")
        answer += more


def sequential(port: int, count: int, host: str = HERE) -> list[float]:
    """Seconds of each of ``count`` small requests, each on a new connection, one after the other."""
    times = []
    for _ in range(count):
        began = time.perf_counter()
        get(port, host)
        times.append(time.perf_counter() - began)
    return times


def round_trips(port: int, count: int, host: str = HERE) -> list[float]:
    """Seconds of each of ``count`` bytes there and back, on one connection to an echo."""
    times = []
    with _echo(port, host) as sock:
        for _ in range(count):
            began = time.perf_counter()
            _there_and_back(sock)
            times.append(time.perf_counter() - began)
    return times


def connections(port: int, count: int, host: str = HERE) -> list[float]:
    """Seconds of each of ``count`` connections to an echo with a byte back, one after the other."""
    times = []
    for _ in range(count):
        began = time.perf_counter()
        with _echo(port, host):
            times.append(time.perf_counter() - began)
    return times


@contextmanager
def _echo(port: int, host: str) -> Iterator[socket.socket]:
    with connect(port, host) as sock:
        _there_and_back(sock, b"1\n.")
        yield sock


def _there_and_back(sock: socket.socket, said: bytes = b".") -> None:
    sock.sendall(said)
    if sock.recv(1) != b".":
        raise BenchError("the echo is another")


def burst(port: int, count: int, width: int, host: str = HERE) -> float:
    """Seconds that ``count`` small requests take, ``width`` at once, each on a new connection."""
    began = time.perf_counter()
    with selectors.EpollSelector() as waiting, _closing(waiting):
        started = done = 0
        while done < count:
            while started < count and started - done < width:
                sock = connect(port, host)
                sock.sendall(REQUEST)
                sock.setblocking(False)
                waiting.register(sock, selectors.EVENT_READ, bytearray())
                started += 1
            ready = waiting.select(LIMIT)
            if not ready:
                raise BenchError(f"{started - done} connections had no answer for {LIMIT:.0f} s")
            for key, _ in ready:
                done += _finished(waiting, key)
    return time.perf_counter() - began


def _finished(waiting: selectors.BaseSelector, key: selectors.SelectorKey) -> bool:
    sock = key.fileobj
    assert isinstance(sock, socket.socket)
    data = sock.recv(4096)
    if not data:
        raise BenchError("a connection ended without its answer")
    key.data.extend(data)
    if not key.data.endswith(END_OF_ANSWER):
        return False
    waiting.unregister(sock)
    sock.close()
    return True


@contextmanager
def _closing(waiting: selectors.BaseSelector) -> Iterator[None]:
    try:
        yield
    finally:
        for key in list(waiting.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()


def download(port: int, total: int, streams: int, host: str = HERE) -> float:
    """Seconds that ``total`` bytes take on ``streams`` connections, equal shares."""
    share = total // streams
    began = time.perf_counter()
    with ExitStack() as closing:
        socks = [closing.enter_context(connect(port, host)) for _ in range(streams)]
        for sock in socks:
            sock.sendall(b"%d\n" % share)
        if streams == 1:
            _drain(socks[0], share)
        else:
            _drain_all(socks, share)
    return time.perf_counter() - began


def _drain(sock: socket.socket, left: int) -> None:
    while left > 0:
        left -= _take(sock)


def _drain_all(socks: list[socket.socket], share: int) -> None:
    with selectors.EpollSelector() as waiting:
        left = {sock.fileno(): share for sock in socks}
        for sock in socks:
            waiting.register(sock, selectors.EVENT_READ, sock)
        while left:
            ready = waiting.select(LIMIT)
            if not ready:
                raise BenchError(f"no byte came for {LIMIT:.0f} s")
            for key, _ in ready:
                left[key.fd] -= _take(key.data)
                if left[key.fd] <= 0:
                    del left[key.fd]
                    waiting.unregister(key.data)


def _take(sock: socket.socket) -> int:
    count = sock.recv_into(_BUFFER)
    if not count:
        raise BenchError("a download ended early")
    return count


def upload(port: int, total: int, host: str = HERE) -> float:
    """Seconds until the pod has counted ``total`` bytes, a multiple of 1 MiB, and said so."""
    began = time.perf_counter()
    with connect(port, host) as sock:
        sock.sendall(b"%d\n" % total)
        block = bytes(1 << 20)
        for _ in range(total >> 20):
            sock.sendall(block)
        check_count(sock.recv(100), total)
    return time.perf_counter() - began


def check_count(answer: bytes, total: int) -> None:
    """Whether the sink has seen every byte."""
    if answer != b"%d\n" % total:
        raise BenchError(f"the pod counted {answer!r} bytes of {total}")


@contextmanager
def held(port: int, count: int) -> Iterator[None]:
    """``count`` connections that have each had an answer, and stay open."""
    socks: list[socket.socket] = []
    try:
        for _ in range(count):
            socks.append(connect(port))
            _ask(socks[-1])
        yield
    finally:
        for sock in socks:
            sock.close()
