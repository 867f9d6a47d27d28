"""What a test has done inside a private network: one call a line on standard input, its answer on standard output.

Standard library only, and a program of the user of ``run_user``; tests import it for what stands on both sides.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

LIMIT = 10.0
"""Seconds that one connection or answer may take."""


class Greeter(socketserver.ThreadingTCPServer):
    """Says its word to everybody who connects; a with block ends it."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    _thread: threading.Thread | None = None

    def __init__(self, word: str, host: str = "127.0.0.1", port: int = 0) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Greeting)
        self.word = word
        self.port: int = self.server_address[1]
        self.listened = time.monotonic()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def server_close(self) -> None:
        """Listen no more; also called by itself if it could not begin to."""
        if self._thread is not None:
            self.shutdown()
            self._thread.join()
            self._thread = None
        super().server_close()


class _Greeting(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Greeter)
        self.wfile.write(self.server.word.encode())


class Echo:
    """Answers each datagram with its word and what it said, until it is closed."""

    def __init__(self, word: str, host: str = "127.0.0.1", port: int = 0) -> None:
        self._sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind((host, port))
        self.port: int = self._sock.getsockname()[1]
        self.listened = time.monotonic()
        self._word = word.encode()
        self._sock.settimeout(0.01)
        self._closed = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._closed:
            try:
                payload, source = self._sock.recvfrom(65536)
            except OSError:
                continue
            self._sock.sendto(self._word + b" " + payload, source)

    def server_close(self) -> None:
        """Listen no more."""
        self._closed = True
        self._thread.join()
        self._sock.close()

    def __enter__(self) -> Echo:
        return self

    def __exit__(self, *_: object) -> None:
        self.server_close()


def greeting(host: str, port: int) -> str:
    """What is said there to who connects, or the name of the error."""
    try:
        with socket.create_connection((host, port), LIMIT) as sock:
            said = b""
            while data := sock.recv(100):
                said += data
            return said.decode()
    except OSError as error:
        return name_of(error)


def echo(host: str, port: int, said: str) -> str:
    """What is answered to one datagram, or the name of the error."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(LIMIT)
        try:
            sock.connect((host, port))
            sock.send(said.encode())
            return sock.recv(65536).decode()
        except OSError as error:
            return name_of(error)


def name_of(error: OSError) -> str:
    """Such as ECONNREFUSED."""
    return errno.errorcode.get(error.errno or 0, type(error).__name__)


# -- what is asked for --

_open: dict[str, Greeter | Echo] = {}
_held: dict[str, socket.socket] = {}
_started: dict[str, subprocess.Popen[bytes]] = {}
_pool = ThreadPoolExecutor()


class _Load:
    over: threading.Event
    future: Future[tuple[int, dict[str, int]]]


_load = _Load()


def ready() -> bool:
    return True


def listen(key: str, host: str = "127.0.0.1", port: int = 0) -> tuple[int, float]:
    """A server that says ``key``; its port, and when it began to listen (CLOCK_MONOTONIC)."""
    made = _open[key] = Greeter(key, host, port)
    return made.port, made.listened


def listen_udp(key: str, host: str = "127.0.0.1", port: int = 0) -> int:
    made = _open[key] = Echo(key, host, port)
    return made.port


def hold(key: str, host: str, port: int) -> str:
    """A connection that stays; where it came from."""
    made = _held[key] = socket.create_connection((host, port), LIMIT)
    return str(made.getsockname()[0])


def ended(key: str, seconds: float) -> str:
    """How such a connection ends on which nothing is said: "", or the name of the error."""
    with _held.pop(key) as sock:
        sock.settimeout(seconds)
        try:
            return sock.recv(1).decode()
        except OSError as error:
            return name_of(error)


def close(key: str) -> float:
    """When it was closed."""
    _open.pop(key).server_close()
    return time.monotonic()


def close_all() -> None:
    for key in list(_open):
        close(key)
    for key in list(_held):
        _held.pop(key).close()


def start(key: str, words: Sequence[str]) -> int:
    """A program that goes on; its process."""
    made = _started[key] = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return made.pid


def stop(key: str) -> int:
    """SIGTERM for it; its return code."""
    made = _started.pop(key)
    made.terminate()
    return made.wait(LIMIT)


def text(path: str) -> str:
    return Path(path).read_text()


def pod(host: str, port: int) -> str:
    """The pod that answers HTTP there."""
    try:
        with urlopen(f"http://{host}:{port}/pod", timeout=LIMIT) as answer:
            return str(answer.read().decode())
    except URLError as error:
        return name_of(error.reason) if isinstance(error.reason, OSError) else str(error.reason)


def both_ways(down: tuple[str, int], up: tuple[str, int], size: int) -> None:
    """So many bytes from one and to the other at once, all of them checked."""
    from tests.support import podclient

    async def both() -> None:
        await podclient.together(podclient.download(down[1], size, down[0]), podclient.upload(up[1], size, up[0]))

    podclient.run(both())


def load(host: str, port: int, rate: int) -> None:
    """Begin to ask, at this rate (1/s) whatever becomes of it, each time on a connection of its own."""
    from tests.support import podclient

    _load.over = threading.Event()
    _load.future = _pool.submit(podclient.run, podclient.load(port, rate, _load.over.is_set, host))


def load_end() -> tuple[int, dict[str, int]]:
    """How many asked, and what went wrong."""
    _load.over.set()
    return _load.future.result()


def addresses(name: str, family: int = socket.AF_INET) -> list[str]:
    """By the C library, as all programs look names up; those of none are []."""
    try:
        found = socket.getaddrinfo(name, None, family, socket.SOCK_STREAM)
    except socket.gaierror:
        return []
    return sorted({str(entry[4][0]) for entry in found})


def nameserver() -> str:
    lines = Path("/etc/resolv.conf").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith("nameserver"))


def ask_udp(queries: Sequence[str], sockets: int) -> list[str]:
    """The answers to these queries (in hex) from so many sockets; each socket has one query under way at a time."""
    server, answers = (nameserver(), 53), [""] * len(queries)

    def work(first: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(LIMIT)
            sock.connect(server)
            for number in range(first, len(queries), sockets):
                sock.send(bytes.fromhex(queries[number]))
                answers[number] = sock.recv(65535).hex()

    threads = [threading.Thread(target=work, args=(first,)) for first in range(sockets)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def ask_tcp(queries: Sequence[str]) -> list[str]:
    """All at once on one connection; the answers as they come."""
    with socket.create_connection((nameserver(), 53), LIMIT) as sock, sock.makefile("rwb") as stream:
        for query in map(bytes.fromhex, queries):
            stream.write(len(query).to_bytes(2, "big") + query)
        stream.flush()
        return [stream.read(int.from_bytes(stream.read(2), "big")).hex() for _ in queries]


def run(words: Sequence[str]) -> tuple[int, str, str]:
    """A program: its exit code, standard output and standard error."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def state() -> dict[str, Any]:
    """What a process is given by who starts it."""
    umask = os.umask(0)
    os.umask(umask)
    return {
        "ids": [os.getresuid(), os.getresgid(), os.getgroups()],
        "folder": os.getcwd(),
        "environment": dict(os.environ),
        "umask": umask,
        "nice": os.nice(0),
        "limits": {
            name: resource.getrlimit(number)
            for name, number in vars(resource).items()
            if name.startswith("RLIMIT_") and isinstance(number, int)
        },
        "signals": [str(number) for number in signal.Signals if _is_odd(number)],
        "affinity": sorted(os.sched_getaffinity(0)),
        "name": socket.gethostname(),
    }


def _is_odd(number: signal.Signals) -> bool:
    """Whether a program got this signal otherwise than is usual; with some, Python has its own way."""
    usual = (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ)
    return number not in usual and signal.getsignal(number) not in (signal.SIG_DFL, None)


# -- both sides of the wire --


def asked(name: str, arguments: Sequence[Any]) -> str:
    """A call, as a line."""
    return json.dumps([name, list(arguments)]) + "\n"


def answered(line: str) -> Any:
    """What it returned. Raises AssertionError with the words of its exception."""
    value, wrong = json.loads(line)
    assert wrong is None, wrong
    return value


def main() -> None:
    """Do what is asked until nobody asks any more."""
    calls: dict[str, Callable[..., Any]] = {
        each.__name__: each
        for each in (
            *(ready, listen, listen_udp, close, close_all, hold, ended, greeting, echo, pod, both_ways, load, load_end),
            *(addresses, nameserver, ask_udp, ask_tcp, run, start, stop, text, state),
        )
    }
    for line in sys.stdin:
        name, arguments = json.loads(line)
        try:
            answer = [calls[name](*arguments), None]
        except Exception as error:
            answer = [None, f"{type(error).__name__}: {error}"]
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
