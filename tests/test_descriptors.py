"""A run that may open few files: what connects beyond that is told of once, and nothing else breaks."""

from __future__ import annotations

import socket
import time

import pytest

from tests.support.commandline import LIMIT, CommandLine, dial, echoes, local_port
from tests.support.fakecluster import FakeCluster

pytestmark = pytest.mark.timeout(60)

FILES = 80
FLOOD = 150


def limited(files: int) -> list[str]:
    """What runs a command that may have this many files open, and can have no more."""
    return ["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh"]


def works(port: int) -> bool:
    try:
        with dial(port) as sock:
            return echoes(sock)
    except ConnectionError:
        return False


def flood(port: int) -> list[socket.socket]:
    """As many connections as were not reset before they were known here."""
    clients = []
    for _ in range(FLOOD):
        try:
            clients.append(dial(port))
        except ConnectionError:
            continue
    return clients


def outcomes(clients: list[socket.socket]) -> list[bool]:
    """Which of them are served."""
    for sock in clients:
        sock.settimeout(LIMIT)
    served = []
    for sock in clients:
        try:
            served.append(echoes(sock))
        except ConnectionError:
            served.append(False)
    return served


def test_a_flood_over_the_limit_is_told_of_once(line: CommandLine, cluster: FakeCluster) -> None:
    with line.forward("pod/web-1", f":{cluster.echo}", json=False, wrap=limited(FILES)) as running:
        port = local_port(running, cluster.echo)
        clients = flood(port)
        try:
            served = outcomes(clients)
            assert any(served)
            assert not all(served)
            running.wait_said(rf"may have {FILES} files open.*reset.*ulimit -n", LIMIT)
            # Those that have a place keep it.
            kept = [sock for sock, good in zip(clients, served, strict=True) if good]
            assert all(outcomes(kept))
        finally:
            for sock in clients:
                sock.close()
        deadline = time.monotonic() + LIMIT
        while not works(port):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        running.end()
    assert len([said for said in running.err if "files open" in said]) == 1, running.err
    assert not [said for said in running.err if "API server" in said], running.err


def test_a_limit_that_lets_it_not_even_start_is_named(line: CommandLine) -> None:
    with line.forward("pod/web-1", ":80", json=False, ready=False, wrap=limited(12)) as running:
        running.wait_end(12, LIMIT)
    assert len(running.err) == 1, running.err
    assert "12 files open, and needs 48" in running.err[0]
    assert "ulimit -n" in running.err[0]
